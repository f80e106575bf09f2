// A program in a TEE that serves models, as the ledger verified it, and its keys: the twins of
// src/ledger/types/{account,instance}.h in C++. Refuses any form but the one that the ledger
// writes.
import type {Bytes} from '../../sealed/bytes';
import {
  boolean,
  buffer,
  fixed,
  hash32,
  list,
  listed,
  optional,
  record,
  text,
  u32,
  u64,
  u8,
  type ValueOf,
} from './codec';
import {
  kKeyEpochs,
  kMaxAdvisories,
  kMaxAdvisoryBytes,
  kMaxClaimsBytes,
  kMaxEndpointBytes,
  kMaxKeyConfigBytes,
  kMaxMeasurementBytes,
  kMaxModelsPerInstance,
  kMaxNameBytes,
  kMaxPlatformsPerInstance,
  kMaxRuntimeMeasurements,
  kMaxVersionBytes,
} from './limits';
import {sha256} from './tagged';

export const kAccount = record({
  balance_micro: u64,
  nonce: u64, // that the next transaction must carry
});
export type Account = ValueOf<typeof kAccount>;

// What verification established of one CPU, GPU or switch.
export const kPlatform = record({
  format: u8,
  product: text(kMaxNameBytes),
  id_hash: hash32,
  tcb_status: u8,
  advisories: list(text(kMaxAdvisoryBytes), kMaxAdvisories),
  tcb_evaluation_number: u64,
  measurement: buffer(kMaxMeasurementBytes),
  runtime_measurements: list(buffer(kMaxMeasurementBytes), kMaxRuntimeMeasurements),
  configuration: buffer(kMaxMeasurementBytes),
  development: boolean, // simulated: no hardware protection
  driver_version: text(kMaxVersionBytes),
  firmware_version: text(kMaxVersionBytes),
});
export type Platform = ValueOf<typeof kPlatform>;

export const kOffer = record({
  model_root: hash32,
  price_micro: u64, // for a million units
});
export type Offer = ValueOf<typeof kOffer>;

export const kInstance = record({
  id: hash32,
  operator_account: hash32,
  identity_key: hash32, // Ed25519; signs receipts
  spki_sha256: hash32,
  key_config_sha256: hash32,
  claims: buffer(kMaxClaimsBytes),
  binding: fixed(64),
  evidence_sha256: hash32,
  platforms: list(kPlatform, kMaxPlatformsPerInstance),
  development: boolean, // any platform is simulated
  endpoint: text(kMaxEndpointBytes),
  offers: list(kOffer, kMaxModelsPerInstance),
  capacity: u32,
  open_sessions: u32,
  state: listed({active: 1, unverified: 2, expired: 3, retired: 4, revoked: 5}),
  policy_version: u64,
  registered_height: u64,
  verified_height: u64,
  expires_height: u64,
  draining: boolean,
  key_epoch: u64,
  active_since: u64,
  epoch_misses: u32,
  gpu_nonce: optional(hash32),
});
export type Instance = ValueOf<typeof kInstance>;

// Keys of the sealed-message format for one epoch.
export const kKeyConfig = record({
  epoch: u64,
  valid_from_ms: u64,
  valid_until_ms: u64,
  config: buffer(kMaxKeyConfigBytes),
});
export type KeyConfig = ValueOf<typeof kKeyConfig>;

// The newest epochs of one instance, ascending.
export const kKeySet = record({epochs: list(kKeyConfig, kKeyEpochs)});
export type KeySet = ValueOf<typeof kKeySet>;

// SHA-256 of the identity public key.
export function instance_id_of(identity_key: Uint8Array): Promise<Bytes> {
  return sha256(identity_key);
}
