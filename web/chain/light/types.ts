// What CometBFT v0.38 signs and hashes, as plain data. Numbers and lengths come from a peer;
// verify.ts decides whether any of it may be believed.
import type {Bytes} from '../../sealed/bytes';

export const kBlockProtocol = 11n;
export const kMaxChainIdBytes = 50;
export const kMaxAppHashBytes = 64;
export const kMaxValidators = 1000;
export const kMaxTotalPower = 1n << 60n;
export const kZeroGoSeconds = -62135596800; // year 1, Go's zero time: not the Unix epoch

// nanos in [0, 10^9).
export interface Timestamp {
  seconds: number;
  nanos: number;
}

export interface BlockId {
  hash: Bytes; // 32 bytes; empty for the block before the first
  parts_total: number;
  parts_hash: Bytes; // 32 bytes or empty
}

export interface Header {
  block_version: bigint;
  app_version: bigint;
  chain_id: string;
  height: number;
  time: Timestamp;
  last_block_id: BlockId;
  last_commit_hash: Bytes; // hashes: 32 bytes, or empty where CometBFT leaves one out
  data_hash: Bytes;
  validators_hash: Bytes;
  next_validators_hash: Bytes;
  consensus_hash: Bytes;
  app_hash: Bytes; // state after the block before this one; empty in the first
  last_results_hash: Bytes;
  evidence_hash: Bytes;
  proposer_address: Bytes;
}

export const kAbsent = 1;
export const kCommit = 2;
export const kNil = 3;

export interface CommitSig {
  flag: number; // one of the three above
  validator_address: Bytes; // 20 bytes; empty when absent
  timestamp: Timestamp; // the validator's own time
  signature: Bytes; // 64 bytes; empty when absent
}

export interface Commit {
  height: number;
  round: number;
  block_id: BlockId;
  signatures: CommitSig[];
}

export interface SignedHeader {
  header: Header;
  commit: Commit;
}

// The address is a function of the key and is therefore not stored.
export interface Validator {
  public_key: Bytes;
  power: bigint;
}

// A header with the set that signed it. Sets are in CometBFT's order: power descending, then
// address ascending.
export interface LightBlock {
  signed_header: SignedHeader;
  validators: Validator[];
}

export function time_from_ms(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return {seconds, nanos: (ms - seconds * 1000) * 1_000_000};
}

export function time_to_ms(time: Timestamp): number {
  return time.seconds * 1000 + Math.floor(time.nanos / 1_000_000);
}

// Below, at or above zero, as `a` is before, at or after `b`.
export function compare_times(a: Timestamp, b: Timestamp): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

export function same_bytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
