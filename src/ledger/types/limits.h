// Bounds of everything that a transaction or a record may hold. Part of the protocol: a change is a
// new application version.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cloister::ledger {

constexpr size_t kMaxTxBytes = 128 * 1024;
constexpr size_t kMaxBodyBytes = 126 * 1024;
constexpr size_t kMaxEvidenceItems = 4;
constexpr size_t kMaxEvidenceItemBytes = 96 * 1024;  // also the bound of all items together
constexpr size_t kMaxCollateralBytes = 100 * 1024;
constexpr size_t kMaxCollateralFiles = 4;  // one object and the chain that signs it

constexpr size_t kMaxChainIdBytes = 50;  // CometBFT's own limit
constexpr size_t kMaxNameBytes = 96;
constexpr size_t kMaxEndpointBytes = 256;  // host:port
constexpr size_t kMaxClaimsBytes = 2048;
constexpr size_t kMaxModelsPerInstance = 16;
constexpr size_t kMaxPlatformsPerInstance = 16;      // two CPUs, eight GPUs, four switches
constexpr uint32_t kMaxCapacity = 256;               // sessions at a time on one instance
constexpr size_t kMaxUnbonding = 16;                 // parts of one operator's stake
constexpr uint32_t kMaxInstancesPerOperator = 1000;  // live; bounds the work of one block
constexpr size_t kMaxKeyConfigBytes = 2048;
constexpr size_t kMaxProofReceipts = 2;
constexpr uint64_t kMaxKeyLifeMs = 3'600'000;  // of one key epoch
constexpr size_t kKeyEpochs = 2;               // of one instance at a time
constexpr size_t kMaxAdvisories = 64;
constexpr size_t kMaxAdvisoryBytes = 32;
constexpr size_t kMaxStatuses = 9;
constexpr size_t kMaxMeasurementBytes = 64;
constexpr size_t kMaxVersionBytes = 32;
constexpr size_t kMaxRuntimeMeasurements = 4;
constexpr size_t kMaxStandingBytes = 512;  // of one platform
constexpr size_t kMaxReleases = 999;
constexpr size_t kMaxPolicyNames = 256;        // denied advisories, distrusted products
constexpr size_t kMaxInlineBytes = 32 * 1024;  // of a job's input or result
constexpr size_t kMaxUriBytes = 256;
constexpr uint8_t kMaxSizeBucket = 40;
constexpr uint32_t kMaxCheckSize = 15;  // of a committee; twice as many hear an appeal
constexpr size_t kMaxCommittee = 30;
constexpr uint32_t kMaxChecksPerBatch = 16;
constexpr size_t kMaxPolicyBytes = 64 * 1024;  // of the merged policy
constexpr size_t kMaxChangeBytes = 16 * 1024;  // of one proposal
constexpr size_t kMaxReleaseKeys = 32;
constexpr size_t kMaxAnchors = 16;
constexpr size_t kMaxExcluded = 16;  // instances that a session may no longer get
constexpr size_t kMaxPoolsPerModel = 1024;
constexpr size_t kMaxDrawTries = 32;  // of one draw
constexpr size_t kMaxFormats = 16;
constexpr uint32_t kMaxMisses = 16;  // draws of one session that hit nobody free

constexpr size_t kMaxGenesisAccounts = 10'000;
constexpr size_t kMaxGenesisModels = 1'000;
constexpr size_t kMaxValidators = 256;
constexpr size_t kMaxBeaconShares = 512;  // in front of one block, or of one validator

constexpr uint64_t kUnitsPerPrice = 1'000'000;  // prices are for this many units

}  // namespace cloister::ledger
