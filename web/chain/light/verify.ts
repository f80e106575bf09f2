// Decides whether a header belongs to the chain that the caller trusts (CometBFT light client,
// docs/consensus-encodings.md). Pure: time and blocks are arguments, nothing is fetched or kept.
// The twin of src/light/verify in C++. Refuses with a LightError.
//
// Trusted: the genesis' validators, and that at every later time less than a third of the power
// that signed a trusted header colludes within the trusting period. Order of the checks: bounds,
// chain, header hash, heights and times, validator set, one third of the trusted power, two thirds
// of the own power. Nothing of a block is used before all of them.
import {type Bytes, text_bytes, to_hex} from '../../sealed/bytes';
import {verify_ed25519} from '../ledger/ed25519';
import {address_of, commit_sign_bytes, header_hash, validators_hash} from './encoding';
import {LightError} from './error';
import {
  type BlockId,
  type Commit,
  type CommitSig,
  compare_times,
  type Header,
  kAbsent,
  kBlockProtocol,
  kCommit,
  kMaxAppHashBytes,
  kMaxChainIdBytes,
  kMaxTotalPower,
  kMaxValidators,
  kNil,
  kZeroGoSeconds,
  type LightBlock,
  same_bytes,
  time_from_ms,
  time_to_ms,
  type Timestamp,
  type Validator,
} from './types';

export const kMaxPeriodSeconds = 100 * 366 * 24 * 3600;
const kMaxSeconds = 253402300799; // 9999-12-31T23:59:59Z
const kMade = Symbol('made by the verifier');

export interface TrustOptions {
  trusting_period_s: number; // less than the unbonding period
  max_clock_drift_s: number; // how far in the future a header may be
}

export const kTrustOptions: TrustOptions = {
  trusting_period_s: 14 * 24 * 3600,
  max_clock_drift_s: 10,
};

// A block that passed verification; nothing else can make one.
export class VerifiedBlock {
  constructor(
    made: typeof kMade,
    readonly header: Header,
    readonly hash: Bytes,
    readonly validators: readonly Validator[],
    readonly signed_power: bigint, // of the block's own set; for display
  ) {
    if (made !== kMade) throw new Error('only verification makes a verified block');
    Object.freeze(this);
  }
  get height(): number {
    return this.header.height;
  }
  get time_ms(): number {
    return time_to_ms(this.header.time);
  }
  get total_power(): bigint {
    return total_power(this.validators);
  }
}

function demand(held: boolean, code: LightError['code']): void {
  if (!held) throw new LightError(code);
}

function in_range(time: Timestamp): boolean {
  const {seconds, nanos} = time;
  return seconds >= kZeroGoSeconds && seconds <= kMaxSeconds && nanos >= 0 && nanos < 1e9;
}

function hash_or_empty(bytes: Uint8Array): boolean {
  return bytes.length === 0 || bytes.length === 32;
}

function names_a_block(id: BlockId): boolean {
  return id.hash.length === 32 && id.parts_hash.length === 32 && id.parts_total > 0;
}

function names_nothing(id: BlockId): boolean {
  return id.hash.length === 0 && id.parts_hash.length === 0 && id.parts_total === 0;
}

function check_header(h: Header, chain_id: string): void {
  demand(h.block_version === kBlockProtocol, 'wrong_protocol_version');
  const bounded = text_bytes(h.chain_id).length <= kMaxChainIdBytes;
  demand(bounded && h.chain_id === chain_id, 'wrong_chain');
  const last_block_fits = (h.height === 1 ? names_nothing : names_a_block)(h.last_block_id);
  const fits =
    h.height > 0 &&
    in_range(h.time) &&
    last_block_fits &&
    hash_or_empty(h.last_commit_hash) &&
    hash_or_empty(h.data_hash) &&
    h.validators_hash.length === 32 &&
    h.next_validators_hash.length === 32 &&
    h.consensus_hash.length === 32 &&
    h.app_hash.length <= kMaxAppHashBytes &&
    hash_or_empty(h.last_results_hash) &&
    hash_or_empty(h.evidence_hash) &&
    h.proposer_address.length === 20;
  demand(fits, 'bad_field');
}

function well_formed(sig: CommitSig): boolean {
  if (sig.flag === kAbsent) {
    const no_time = sig.timestamp.seconds === kZeroGoSeconds && sig.timestamp.nanos === 0;
    return sig.validator_address.length === 0 && sig.signature.length === 0 && no_time;
  }
  return (
    (sig.flag === kCommit || sig.flag === kNil) &&
    sig.validator_address.length === 20 &&
    sig.signature.length === 64 &&
    in_range(sig.timestamp)
  );
}

function check_commit(commit: Commit, header: Header, hash: Bytes): void {
  demand(commit.height === header.height, 'wrong_commit_height');
  demand(commit.round >= 0 && names_a_block(commit.block_id), 'bad_field');
  demand(same_bytes(commit.block_id.hash, hash), 'wrong_header_hash');
  demand(commit.signatures.every(well_formed), 'bad_signature_entry');
}

function total_power(validators: readonly Validator[]): bigint {
  return validators.reduce((total, {power}) => total + power, 0n);
}

async function by_address(validators: readonly Validator[]): Promise<Map<string, Validator>> {
  const addresses = await Promise.all(validators.map((v) => address_of(v.public_key)));
  return new Map(addresses.map((address, i) => [to_hex(address), validators[i]!]));
}

// Bounds first: the set may be made huge on purpose.
async function check_validators(validators: Validator[], header: Header): Promise<void> {
  const counted = validators.length > 0 && validators.length <= kMaxValidators;
  demand(counted, 'too_many_validators');
  let total = 0n;
  for (const {power} of validators) {
    demand(power > 0n && power <= kMaxTotalPower - total, 'bad_power');
    total += power;
  }
  demand((await by_address(validators)).size === validators.length, 'duplicate_validator');
  const hash = await validators_hash(validators);
  demand(same_bytes(hash, header.validators_hash), 'wrong_validators_hash');
}

function signature_holds(
  commit: Commit,
  sig: CommitSig,
  validator: Validator,
  chain_id: string,
): Promise<boolean> {
  const message = commit_sign_bytes(commit, sig, chain_id);
  return verify_ed25519(validator.public_key, message, sig.signature);
}

// Whether validators of the trusted set with more than a third of its power signed the commit. Each
// counts once; unknown ones and invalid signatures count nothing, so that no single validator can
// make a good commit unacceptable.
async function check_trusted_power(trusted: VerifiedBlock, commit: Commit): Promise<void> {
  const known = await by_address(trusted.validators);
  const total = trusted.total_power;
  let tally = 0n;
  for (const sig of commit.signatures) {
    if (sig.flag !== kCommit) continue;
    const address = to_hex(sig.validator_address);
    const validator = known.get(address);
    if (validator === undefined) continue;
    if (!(await signature_holds(commit, sig, validator, trusted.header.chain_id))) continue;
    known.delete(address);
    tally += validator.power;
    if (tally * 3n > total) return;
  }
  throw new LightError('not_enough_trusted_power');
}

// The power of the block's own set that signed it, entry i being validator i: more than two thirds.
async function check_own_power(block: LightBlock): Promise<bigint> {
  const {header, commit} = block.signed_header;
  const {validators} = block;
  demand(commit.signatures.length === validators.length, 'wrong_signature_count');
  for (const [i, sig] of commit.signatures.entries()) {
    if (sig.flag === kAbsent) continue;
    const address = await address_of(validators[i]!.public_key);
    demand(same_bytes(sig.validator_address, address), 'wrong_validator_address');
  }
  let tally = 0n;
  for (const [i, sig] of commit.signatures.entries()) {
    if (sig.flag !== kCommit) continue;
    const validator = validators[i]!;
    if (await signature_holds(commit, sig, validator, header.chain_id)) tally += validator.power;
  }
  demand(tally * 3n > total_power(validators) * 2n, 'not_enough_power');
  return tally;
}

function valid(o: TrustOptions): boolean {
  return (
    Number.isSafeInteger(o.trusting_period_s) &&
    o.trusting_period_s > 0 &&
    o.trusting_period_s <= kMaxPeriodSeconds &&
    Number.isSafeInteger(o.max_clock_drift_s) &&
    o.max_clock_drift_s >= 0 &&
    o.max_clock_drift_s <= kMaxPeriodSeconds
  );
}

function check_order(
  trusted: VerifiedBlock,
  header: Header,
  now_ms: number,
  options: TrustOptions,
): void {
  const old = trusted.header;
  const now = Math.floor(now_ms);
  demand(header.height > old.height, 'height_not_newer');
  demand(compare_times(header.time, old.time) > 0, 'time_not_newer');
  const horizon = time_from_ms(now + options.max_clock_drift_s * 1000);
  demand(compare_times(header.time, horizon) < 0, 'from_the_future');
  const seconds = old.time.seconds + options.trusting_period_s;
  const expires = {seconds, nanos: old.time.nanos};
  demand(compare_times(expires, time_from_ms(now)) > 0, 'trust_expired');
}

// The one place that makes a VerifiedBlock. `relation` is what ties the block to what is trusted;
// it is asked when the block agrees with itself but for its own signatures. The block is copied
// first, so that nobody changes it between its checks.
async function verify_block(
  given: LightBlock,
  chain_id: string,
  relation: (block: LightBlock, hash: Bytes) => Promise<void>,
): Promise<VerifiedBlock> {
  const block = structuredClone(given);
  const {header, commit} = block.signed_header;
  const hash = await header_hash(header);
  check_header(header, chain_id);
  check_commit(commit, header, hash);
  await relation(block, hash);
  const signed_power = await check_own_power(block);
  return new VerifiedBlock(kMade, header, hash, block.validators, signed_power);
}

// Where trust starts: block 1 must be signed by exactly the validators of the genesis, which are in
// CometBFT's order (sort_validators).
export function verify_genesis(
  chain_id: string,
  genesis_validators: Validator[],
  block: LightBlock,
): Promise<VerifiedBlock> {
  return verify_block(block, chain_id, async ({signed_header, validators}) => {
    const same = (v: Validator, i: number): boolean =>
      same_bytes(v.public_key, genesis_validators[i]!.public_key) &&
      v.power === genesis_validators[i]!.power;
    const first =
      signed_header.header.height === 1 &&
      validators.length === genesis_validators.length &&
      validators.every(same);
    demand(first, 'wrong_trust_root');
    await check_validators(validators, signed_header.header);
  });
}

function check_time(now_ms: number, options: TrustOptions): void {
  demand(valid(options) && Number.isFinite(now_ms), 'bad_options');
}

// `block` directly follows `trusted`: its set must be the one that `trusted` announced.
export async function verify_adjacent(
  trusted: VerifiedBlock,
  block: LightBlock,
  now_ms: number,
  options: TrustOptions,
): Promise<VerifiedBlock> {
  check_time(now_ms, options);
  return verify_block(block, trusted.header.chain_id, async ({signed_header, validators}) => {
    const {header} = signed_header;
    check_order(trusted, header, now_ms, options);
    demand(header.height === trusted.height + 1, 'not_adjacent');
    await check_validators(validators, header);
    const announced = trusted.header.next_validators_hash;
    demand(same_bytes(header.validators_hash, announced), 'wrong_next_validators');
    demand(same_bytes(header.last_block_id.hash, trusted.hash), 'wrong_last_block');
  });
}

// `block` is further away: more than a third of the trusted set's power must have signed it too.
export async function verify_non_adjacent(
  trusted: VerifiedBlock,
  block: LightBlock,
  now_ms: number,
  options: TrustOptions,
): Promise<VerifiedBlock> {
  check_time(now_ms, options);
  return verify_block(block, trusted.header.chain_id, async ({signed_header, validators}) => {
    const {header, commit} = signed_header;
    check_order(trusted, header, now_ms, options);
    await check_validators(validators, header);
    demand(commit.signatures.length === validators.length, 'wrong_signature_count');
    await check_trusted_power(trusted, commit);
  });
}

// Whichever of the two applies. not_enough_trusted_power asks for a block in between.
export function verify(
  trusted: VerifiedBlock,
  block: LightBlock,
  now_ms: number,
  options: TrustOptions = kTrustOptions,
): Promise<VerifiedBlock> {
  const adjacent = block.signed_header.header.height === trusted.height + 1;
  return (adjacent ? verify_adjacent : verify_non_adjacent)(trusted, block, now_ms, options);
}

// An endpoint can hide new blocks but not date old ones.
export function check_fresh(block: VerifiedBlock, now_ms: number, max_age_ms: number): void {
  demand(block.time_ms + max_age_ms >= now_ms, 'stale'); // NaN is stale too
}
