// The byte encodings and hashes of CometBFT v0.38 that a light client recomputes
// (docs/consensus-encodings.md). Total functions: any content has an encoding; whether it is
// acceptable is the verifier's question. The twin of src/light/encoding in C++.
import {type Bytes, text_bytes} from '../../sealed/bytes';
import {sha256} from '../ledger/tagged';
import {length_prefixed, ProtoWriter} from './proto';
import {simple_root} from './simple';
import {
  type BlockId,
  type Commit,
  type CommitSig,
  type Header,
  kCommit,
  type Timestamp,
  type Validator,
} from './types';

const kPrecommit = 2;

export interface Vote {
  type: number; // 2 = precommit, 1 = prevote, 0 = unknown
  height: number;
  round: number;
  block_id: BlockId | undefined; // undefined: a nil vote
  timestamp: Timestamp;
  chain_id: string;
}

// google.protobuf.BytesValue and its kin: an empty value is the empty byte string.
function wrapped(value: Uint8Array): Bytes {
  return new ProtoWriter().bytes(1, value).take();
}

export function encode_time(time: Timestamp): Bytes {
  return new ProtoWriter().varint(1, time.seconds).varint(2, time.nanos).take();
}

// BlockID and CanonicalBlockID have the same bytes; the part set header is ALWAYS written.
export function encode_block_id(id: BlockId): Bytes {
  const parts = new ProtoWriter().varint(1, id.parts_total).bytes(2, id.parts_hash).take();
  return new ProtoWriter().bytes(1, id.hash).message(2, parts).take();
}

export function encode_commit_sig(sig: CommitSig): Bytes {
  return new ProtoWriter()
    .varint(1, sig.flag)
    .bytes(2, sig.validator_address)
    .message(3, encode_time(sig.timestamp))
    .bytes(4, sig.signature)
    .take();
}

export function vote_sign_bytes(vote: Vote): Bytes {
  const out = new ProtoWriter().varint(1, vote.type);
  out.sfixed64(2, vote.height).sfixed64(3, vote.round);
  if (vote.block_id !== undefined) out.message(4, encode_block_id(vote.block_id));
  out.message(5, encode_time(vote.timestamp)).text(6, vote.chain_id);
  return length_prefixed(out.take());
}

// What the validator of this entry signed. The flag decides whether the block or nil is named.
export function commit_sign_bytes(commit: Commit, sig: CommitSig, chain_id: string): Bytes {
  return vote_sign_bytes({
    type: kPrecommit,
    height: commit.height,
    round: commit.round,
    block_id: sig.flag === kCommit ? commit.block_id : undefined,
    timestamp: sig.timestamp,
    chain_id,
  });
}

export function header_hash(header: Header): Promise<Bytes> {
  return simple_root([
    new ProtoWriter().varint(1, header.block_version).varint(2, header.app_version).take(),
    wrapped(text_bytes(header.chain_id)),
    new ProtoWriter().varint(1, header.height).take(),
    encode_time(header.time),
    encode_block_id(header.last_block_id),
    wrapped(header.last_commit_hash),
    wrapped(header.data_hash),
    wrapped(header.validators_hash),
    wrapped(header.next_validators_hash),
    wrapped(header.consensus_hash),
    wrapped(header.app_hash),
    wrapped(header.last_results_hash),
    wrapped(header.evidence_hash),
    wrapped(header.proposer_address),
  ]);
}

export function validators_hash(validators: Validator[]): Promise<Bytes> {
  const leaf = (validator: Validator): Bytes => {
    const key = new ProtoWriter().bytes(1, validator.public_key).take();
    return new ProtoWriter().message(1, key).varint(2, validator.power).take();
  };
  return simple_root(validators.map(leaf));
}

// The next header's last_commit_hash.
export function commit_hash(commit: Commit): Promise<Bytes> {
  return simple_root(commit.signatures.map(encode_commit_sig));
}

export async function address_of(public_key: Uint8Array): Promise<Bytes> {
  return (await sha256(public_key)).slice(0, 20);
}

function compare_bytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

// A copy in CometBFT's order.
export async function sort_validators(validators: Validator[]): Promise<Validator[]> {
  const entry = async (validator: Validator) => ({
    validator,
    address: await address_of(validator.public_key),
  });
  const entries = await Promise.all(validators.map(entry));
  entries.sort((a, b) => {
    if (a.validator.power !== b.validator.power) {
      return a.validator.power > b.validator.power ? -1 : 1;
    }
    return compare_bytes(a.address, b.address);
  });
  return entries.map(({validator}) => validator);
}

export function tx_id(tx: Uint8Array): Promise<Bytes> {
  return sha256(tx);
}

export async function data_hash(txs: Uint8Array[]): Promise<Bytes> {
  return simple_root(await Promise.all(txs.map(tx_id)));
}

// The part of a transaction's result that the next header commits to.
export interface TxOutcome {
  code: number;
  data: Uint8Array;
  gas_wanted: bigint;
  gas_used: bigint;
}

export function results_hash(results: TxOutcome[]): Promise<Bytes> {
  const leaf = (r: TxOutcome): Bytes =>
    new ProtoWriter()
      .varint(1, r.code)
      .bytes(2, r.data)
      .varint(5, r.gas_wanted)
      .varint(6, r.gas_used)
      .take();
  return simple_root(results.map(leaf));
}
