// Merkle tree over a list (RFC 6962, section 2.1, SHA-256), as CometBFT hashes headers,
// transactions, results and the named sub-roots of the ledger. The twin of src/merkle/simple in
// C++. Refuses, with bad_proof, counts that contradict each other and every form of an operator
// but the one that its encoder writes.
import {type Bytes, join} from '../../sealed/bytes';
import {sha256} from '../ledger/tagged';
import {LightError} from './error';
import {ProtoWriter, uvarint} from './proto';
import {same_bytes} from './types';

const kMaxAunts = 64;
const kMaxKeyBytes = 256;
const kMaxMessageBytes = kMaxKeyBytes + kMaxAunts * 34 + 128;

export function simple_leaf_hash(leaf: Uint8Array): Promise<Bytes> {
  return sha256(Uint8Array.of(0), leaf);
}

function inner_hash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(Uint8Array.of(1), left, right);
}

// Largest power of two strictly below `count`; count >= 2.
function split_point(count: bigint): bigint {
  return 1n << BigInt((count - 1n).toString(2).length - 1);
}

async function root_of(hashes: Bytes[]): Promise<Bytes> {
  if (hashes.length === 1) return hashes[0]!;
  const split = Number(split_point(BigInt(hashes.length)));
  return inner_hash(await root_of(hashes.slice(0, split)), await root_of(hashes.slice(split)));
}

export async function simple_root(leaves: Uint8Array[]): Promise<Bytes> {
  if (leaves.length === 0) return sha256();
  return root_of(await Promise.all(leaves.map(simple_leaf_hash)));
}

// Leaf of the operator "simple:v": commits to a name and a value of a map.
export async function simple_value_leaf(key: Uint8Array, value: Uint8Array): Promise<Bytes> {
  return join(uvarint(key.length), key, Uint8Array.of(32), await sha256(value));
}

// A leaf's way to the root. `aunts` are the siblings from the leaf upwards.
export interface SimpleProof {
  total: bigint;
  index: bigint;
  leaf_hash: Bytes;
  aunts: Bytes[];
}

// Refuses index >= total and another number of aunts than (index, total) demands. The caller
// compares the root, and `total` and `index`.
export async function simple_proof_root(proof: SimpleProof): Promise<Bytes> {
  let {index, total} = proof;
  if (index >= total) throw new LightError('bad_proof');
  const node_is_left: boolean[] = []; // from the root down
  while (total > 1n) {
    const split = split_point(total);
    node_is_left.push(index < split);
    total = index < split ? split : total - split;
    if (index >= split) index -= split;
  }
  if (node_is_left.length !== proof.aunts.length) throw new LightError('bad_proof');
  let hash = proof.leaf_hash;
  for (const aunt of proof.aunts) {
    hash = await (node_is_left.pop() ? inner_hash(hash, aunt) : inner_hash(aunt, hash));
  }
  return hash;
}

// What CometBFT carries in ProofOp.data of a "simple:v" operator.
export interface ValueOp {
  key: Bytes;
  proof: SimpleProof;
}

export function encode_value_op(op: ValueOp): Bytes {
  const proof = new ProtoWriter().varint(1, op.proof.total).varint(2, op.proof.index);
  proof.message(3, op.proof.leaf_hash);
  for (const aunt of op.proof.aunts) proof.message(4, aunt);
  return new ProtoWriter().bytes(1, op.key).message(2, proof.take()).take();
}

class ProtoReader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at === this.bytes.length;
  }
  // Whether the next byte is this tag, which is then consumed.
  tag(tag: number): boolean {
    if (this.bytes[this.at] !== tag) return false;
    this.at += 1;
    return true;
  }
  need(held: boolean): void {
    if (!held) throw new LightError('bad_proof');
  }
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 63n; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new LightError('bad_proof');
  }
  message(): Bytes {
    const size = this.varint();
    this.need(size <= BigInt(this.bytes.length - this.at));
    this.at += Number(size);
    return this.bytes.slice(this.at - Number(size), this.at);
  }
  hash(): Bytes {
    const out = this.message();
    this.need(out.length === 32);
    return out;
  }
}

function read_proof(bytes: Uint8Array): SimpleProof {
  const r = new ProtoReader(bytes);
  const total = r.tag(0x08) ? r.varint() : 0n;
  const index = r.tag(0x10) ? r.varint() : 0n;
  r.need(r.tag(0x1a));
  const leaf_hash = r.hash();
  const aunts: Bytes[] = [];
  while (r.tag(0x22)) {
    r.need(aunts.length < kMaxAunts);
    aunts.push(r.hash());
  }
  r.need(r.done);
  return {total, index, leaf_hash, aunts};
}

export function decode_value_op(bytes: Uint8Array): ValueOp {
  const r = new ProtoReader(bytes);
  r.need(bytes.length <= kMaxMessageBytes);
  const key = r.tag(0x0a) ? r.message() : new Uint8Array();
  r.need(key.length <= kMaxKeyBytes && r.tag(0x12));
  const op = {key, proof: read_proof(r.message())};
  r.need(r.done && same_bytes(encode_value_op(op), bytes)); // one encoding each
  return op;
}
