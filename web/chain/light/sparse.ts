// Compact proofs of the sparse Merkle tree over path = SHA-256(key), most significant bit first; a
// subtree that holds one leaf is that leaf. The twin of src/merkle/sparse in C++. Refuses depths
// over 256, set padding bits, explicit empty siblings, an empty deepest sibling, unknown
// terminals, trailing bytes, and leaves that are off the key's path.
//
//   wire:  u16be depth, bitmap[ceil(depth/8)], siblings[32 each], u8 terminal, leaf
//   leaf  = SHA-256(00, path, SHA-256(value))   inner = SHA-256(01, left, right)
//   empty = 32 zero bytes
import {type Bytes, Reader} from '../../sealed/bytes';
import {sha256} from '../ledger/tagged';
import {LightError} from './error';
import {same_bytes} from './types';

const kMaxDepth = 256;
const kEmptyRoot = new Uint8Array(32);

export interface SparseLeaf {
  path: Uint8Array;
  value_hash: Uint8Array;
}

export interface SparseProof {
  has_sibling: boolean[]; // from the root down
  siblings: Uint8Array[]; // bottom-up, none of them empty
  terminal: SparseLeaf | undefined;
}

function bit(bytes: Uint8Array, i: number): boolean {
  return ((bytes[i >> 3]! >> (7 - (i & 7))) & 1) === 1;
}

function take(reader: Reader, size: number): Uint8Array {
  const out = reader.take(size);
  if (out === undefined) throw new LightError('bad_proof');
  return out;
}

function take_levels(reader: Reader): boolean[] {
  const head = take(reader, 2);
  const depth = (head[0]! << 8) | head[1]!;
  if (depth > kMaxDepth) throw new LightError('bad_proof');
  const bitmap = take(reader, Math.ceil(depth / 8));
  const bits = Array.from({length: bitmap.length * 8}, (_, i) => bit(bitmap, i));
  if (bits.slice(depth).includes(true)) throw new LightError('bad_proof');
  return bits.slice(0, depth);
}

export function decode_sparse_proof(bytes: Uint8Array): SparseProof {
  const reader = new Reader(bytes);
  const has_sibling = take_levels(reader);
  const siblings = has_sibling.filter(Boolean).map(() => take(reader, 32));
  const kind = take(reader, 1)[0]!;
  const terminal =
    kind === 1 ? {path: take(reader, 32), value_hash: take(reader, 32)} : undefined;
  const well_formed =
    kind <= 1 &&
    reader.remaining === 0 &&
    has_sibling.at(-1) !== false &&
    !siblings.some((sibling) => same_bytes(sibling, kEmptyRoot));
  if (!well_formed) throw new LightError('bad_proof');
  return {has_sibling, siblings, terminal};
}

// The root that the proof leads to for `key`; the caller compares it.
export async function sparse_proof_root(key: Uint8Array, proof: SparseProof): Promise<Bytes> {
  const path = await sha256(key);
  const {has_sibling, siblings, terminal} = proof;
  const off = (_: boolean, i: number): boolean => bit(path, i) !== bit(terminal!.path, i);
  if (terminal && has_sibling.some(off)) throw new LightError('wrong_proof_key');
  let hash: Bytes = kEmptyRoot;
  if (terminal) hash = await sha256(Uint8Array.of(0), terminal.path, terminal.value_hash);
  let next = 0;
  for (let level = has_sibling.length - 1; level >= 0; --level) {
    const sibling = has_sibling[level] ? siblings[next++]! : kEmptyRoot;
    const pair = bit(path, level) ? [sibling, hash] : [hash, sibling];
    hash = await sha256(Uint8Array.of(1), ...pair);
  }
  return hash;
}

// What the terminal says about `key`, with no look at the root: `value` there, or nothing.
export async function check_terminal(
  key: Uint8Array,
  value: Uint8Array | undefined,
  proof: SparseProof,
): Promise<void> {
  const {terminal} = proof;
  const present = terminal !== undefined && same_bytes(terminal.path, await sha256(key));
  const held = value === undefined ? !present : present;
  if (!held) throw new LightError('wrong_proof_value');
  if (value !== undefined && !same_bytes(terminal!.value_hash, await sha256(value))) {
    throw new LightError('wrong_proof_value');
  }
}
