// What an instance signs for every answer: the twin of src/ledger/types/receipt in C++. Refuses any
// form but the only one, and a signature that is not the identity key's. Whether a receipt is for
// this session, request and answer is for its caller to compare.
import {type Bytes, join} from '../../sealed/bytes';
import {big_endian} from './cbor';
import {buffer, decode, hash32, record, text, u32, u64, u8, type ValueOf} from './codec';
import {SignatureError, verify_ed25519} from './ed25519';
import {kMaxChainIdBytes, kMaxEvidenceItemBytes} from './limits';
import {sha256, tagged} from './tagged';

// How tokens were chosen, with a commitment to the seed fixed before generation.
const kSamplerRecord = record({
  temperature_micro: u32,
  top_p_micro: u32,
  top_k: u32,
  max_units: u32,
  seed_commitment: hash32,
});

export const kReceipt = record({
  version: u8,
  chain_id: text(kMaxChainIdBytes),
  session: hash32,
  sequence: u64, // of the answer in its session, from 1
  instance_id: hash32,
  model_root: hash32,
  engine_digest: hash32,
  request_hash: hash32, // salted
  answer_hash: hash32, // salted
  prompt_units: u64,
  completion_units: u64,
  cumulative_units: u64, // of the session, this answer included
  sampler: kSamplerRecord,
  score_commitment: hash32,
  time_ms: u64,
  evidence_digest: hash32,
});
export type Receipt = ValueOf<typeof kReceipt>;

// Ed25519 over "cloister receipt v1" ‖ 00 ‖ CBOR(receipt), in its only form.
export async function open_receipt(
  receipt: Uint8Array,
  signature: Uint8Array,
  identity_key: Uint8Array,
): Promise<Receipt> {
  const out = decode(kReceipt, receipt);
  const message = tagged('cloister receipt v1', receipt);
  if (!(await verify_ed25519(identity_key, message, signature))) {
    throw new SignatureError('another key signed the receipt');
  }
  return out;
}

export const kEvidenceItem = record({format: u8, bytes: buffer(kMaxEvidenceItemBytes)});
export type EvidenceItem = ValueOf<typeof kEvidenceItem>;

// What the receipt's evidence_digest and the instance's evidence_sha256 are made of.
export function evidence_hash(items: EvidenceItem[]): Promise<Bytes> {
  const parts = items.map(({format, bytes}) =>
    join(Uint8Array.of(format), big_endian(BigInt(bytes.length), 4), bytes),
  );
  return sha256(tagged('cloister evidence v1', ...parts));
}
