// Decides whether a state family maps a key to a value, or has no such key, in the state with a
// given application hash: "smt:v1" leads from the key to the root of its family, "simple:v" from
// there to the hash, at the family's own place among all families. The hash must be a verified
// header's. The twin of src/light/proof in C++.
import {text_bytes} from '../../sealed/bytes';
import {type Family, kFamilies} from '../ledger/keys';
import {LightError} from './error';
import {
  decode_value_op,
  type SimpleProof,
  simple_leaf_hash,
  simple_proof_root,
  simple_value_leaf,
} from './simple';
import {check_terminal, decode_sparse_proof, sparse_proof_root} from './sparse';
import {same_bytes} from './types';

export const kSparseOp = 'smt:v1';
export const kSimpleOp = 'simple:v';

export interface ProofOp {
  type: string;
  key: Uint8Array;
  data: Uint8Array;
}

// Refuses with a LightError; returning is the proof. `value` undefined: the key is absent.
export async function verify_read(
  proof_ops: ProofOp[],
  family: Family,
  key: Uint8Array,
  value: Uint8Array | undefined,
  app_hash: Uint8Array,
): Promise<void> {
  const [inner, outer] = proof_ops;
  if (proof_ops.length !== 2 || inner?.type !== kSparseOp || outer?.type !== kSimpleOp) {
    throw new LightError('bad_proof');
  }
  const name = text_bytes(family);
  if (!same_bytes(inner.key, key)) throw new LightError('wrong_proof_key');
  if (!same_bytes(outer.key, name)) throw new LightError('wrong_proof_family');
  const in_family = decode_sparse_proof(inner.data);
  const of_family = decode_value_op(outer.data);
  if (!same_bytes(of_family.key, name)) throw new LightError('bad_proof');
  if (app_hash.length !== 32) throw new LightError('wrong_root');
  const sub_root = await sparse_proof_root(key, in_family);
  await check_family(family, sub_root, of_family.proof, app_hash);
  await check_terminal(key, value, in_family);
}

async function check_family(
  family: Family,
  sub_root: Uint8Array,
  proof: SimpleProof,
  app_hash: Uint8Array,
): Promise<void> {
  const index = kFamilies.indexOf(family);
  if (index < 0 || proof.total !== BigInt(kFamilies.length) || proof.index !== BigInt(index)) {
    throw new LightError('bad_proof');
  }
  const leaf = await simple_value_leaf(text_bytes(family), sub_root);
  if (!same_bytes(proof.leaf_hash, await simple_leaf_hash(leaf))) {
    throw new LightError('wrong_root');
  }
  if (!same_bytes(await simple_proof_root(proof), app_hash)) throw new LightError('wrong_root');
}
