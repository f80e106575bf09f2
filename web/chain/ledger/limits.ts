// Bounds of what a transaction or a record may hold, as src/ledger/types/limits.h has them. Part of
// the protocol: a change is a new application version.

export const kMaxTxBytes = 128 * 1024;
export const kMaxBodyBytes = 126 * 1024;
export const kMaxEvidenceItems = 4;
export const kMaxEvidenceItemBytes = 96 * 1024;
export const kMaxChainIdBytes = 50;
export const kMaxNameBytes = 96;
export const kMaxEndpointBytes = 256;
export const kMaxClaimsBytes = 2048;
export const kMaxModelsPerInstance = 16;
export const kMaxPlatformsPerInstance = 16;
export const kMaxKeyConfigBytes = 2048;
export const kKeyEpochs = 2;
export const kMaxAdvisories = 64;
export const kMaxAdvisoryBytes = 32;
export const kMaxStatuses = 9;
export const kMaxMeasurementBytes = 64;
export const kMaxVersionBytes = 32;
export const kMaxRuntimeMeasurements = 4;
export const kMaxReleases = 999;
export const kMaxPolicyNames = 256;
export const kMaxInlineBytes = 32 * 1024;
export const kMaxUriBytes = 256;
export const kMaxSizeBucket = 40;
export const kMaxReleaseKeys = 32;
export const kMaxAnchors = 16;
export const kMaxExcluded = 16;
export const kMaxPoolsPerModel = 1024;
export const kMaxDrawTries = 32;
export const kMaxFormats = 16;
export const kMaxGenesisAccounts = 10_000;
export const kMaxGenesisModels = 1_000;
export const kMaxValidators = 256;
