// A user's paid session with one drawn instance, and the job that it may be: the twins of
// src/ledger/types/{session,jobs}.h in C++. Refuses any form but the one that the ledger writes.
import type {Bytes} from '../../sealed/bytes';
import {big_endian, kMaxU64} from './cbor';
import {
  boolean,
  buffer,
  byte_list,
  hash32,
  list,
  listed,
  optional,
  record,
  RecordError,
  text,
  u32,
  u64,
  u8,
  type ValueOf,
} from './codec';
import {
  kMaxExcluded,
  kMaxFormats,
  kMaxInlineBytes,
  kMaxSizeBucket,
  kMaxStatuses,
  kMaxUriBytes,
} from './limits';
import {chain_hash, sha256, tagged} from './tagged';

const kEpochsOpen = 2;
const kUnitsPerPrice = 1_000_000n;

// What an instance must be to be drawn. Empty lists demand nothing.
export const kRequirement = record({
  formats: byte_list(kMaxFormats),
  tcb_statuses: byte_list(kMaxStatuses),
  diversity: u8,
  gpu: boolean,
});
export type Requirement = ValueOf<typeof kRequirement>;

const kSettledRange = record({epoch: u64, from_units: u64, until_units: u64});

export const kSession = record({
  id: hash32,
  user: hash32,
  model_root: hash32,
  requirement: kRequirement,
  max_units: u64,
  price_cap_micro: u64,
  deposit_micro: u64,
  escrow_micro: u64,
  paid_micro: u64,
  lifetime_blocks: u64,
  allow_audit: boolean,
  state: listed({requested: 1, assigned: 2, confirmed: 3, closing: 4, closed: 5, refunded: 6}),
  opened_height: u64,
  request_height: u64,
  due_height: u64,
  instance: optional(hash32),
  price_micro: u64,
  assigned_height: u64,
  confirmed_height: u64,
  verdict_id: hash32,
  policy_version: u64,
  cumulative_units: u64,
  redraws: u32,
  misses: u32,
  excluded: list(hash32, kMaxExcluded),
  model_owner: optional(hash32),
  owner_permille: u32,
  on_ledger: boolean, // a job
  settled: list(kSettledRange, kEpochsOpen + 1),
  twin: optional(hash32),
  apart_formats: byte_list(kMaxFormats),
});
export type Session = ValueOf<typeof kSession>;

// Sealed bytes that lie elsewhere: at most 2^size_bucket of them.
export const kReference = record({sha256: hash32, size_bucket: u8, uri: text(kMaxUriBytes)});
export type Reference = ValueOf<typeof kReference>;

// Sealed bytes, here or by reference: exactly one of the two.
export const kPayload = record({
  inline_bytes: buffer(kMaxInlineBytes),
  reference: optional(kReference),
});
export type Payload = ValueOf<typeof kPayload>;

export function valid_payload(payload: Payload): boolean {
  const {inline_bytes, reference} = payload;
  if (reference === undefined) return inline_bytes.length > 0;
  const whole = reference.uri !== '' && reference.size_bucket <= kMaxSizeBucket;
  return whole && inline_bytes.length === 0;
}

export const kJob = record({
  id: hash32,
  input: optional(kPayload),
  result: optional(kPayload),
  due_height: u64, // when it is forgotten; 0 while it runs
});
export type Job = ValueOf<typeof kJob>;

// Of the transaction that opens it: the user knows it before the transaction is in a block.
export async function session_id(
  chain_id: string,
  account: Uint8Array,
  nonce: bigint,
): Promise<Bytes> {
  if (nonce < 0n || nonce > kMaxU64) throw new RecordError('the nonce is out of its range');
  const chain = await chain_hash(chain_id);
  return sha256(tagged('cloister session v1', chain, account, big_endian(nonce, 8)));
}

// The second session of a pair.
export function twin_id(first: Uint8Array): Promise<Bytes> {
  return sha256(tagged('cloister twin v1', first));
}

// Units at a price for a million, rounded up once. Undefined when it does not fit.
export function cost_micro(units: bigint, price_micro: bigint): bigint | undefined {
  const cost = (units * price_micro + kUnitsPerPrice - 1n) / kUnitsPerPrice;
  return cost <= kMaxU64 ? cost : undefined;
}
