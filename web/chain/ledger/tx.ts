// Transactions that a client sends: their bodies, the envelope, and how it is signed. The twins of
// src/ledger/types/{tx,jobs,session_bodies,operator_bodies}.h in C++. Refuses to write what the
// ledger would not read.
import type {Bytes} from '../../sealed/bytes';
import {
  boolean,
  buffer,
  type Codec,
  encode,
  fixed,
  hash32,
  listed,
  record,
  RecordError,
  text,
  u64,
  type ValueOf,
} from './codec';
import type {SigningKey} from './ed25519';
import {kMaxBodyBytes, kMaxChainIdBytes, kMaxTxBytes} from './limits';
import {kPayload, kRequirement, type Payload, valid_payload} from './session';
import {sha256, tagged} from './tagged';

const kTxKind = listed({
  transfer: 1,
  operator_bond: 2,
  operator_unbond: 3,
  operator_withdraw: 4,
  put_collateral: 5,
  register_instance: 6,
  renew_instance: 7,
  rotate_keys: 8,
  drain_instance: 9,
  retire_instance: 10,
  revoke_instance: 11,
  register_model: 12,
  update_model: 13,
  deprecate_model: 14,
  open_session: 20,
  confirm_attestation: 21,
  report_attestation: 22,
  settle: 23,
  close_session: 24,
  submit_job: 30,
  post_input: 31,
  post_result: 32,
  join_validators: 41,
  leave_validators: 42,
  commit_receipts: 50,
  open_receipt: 51,
  commit_verdict: 52,
  reveal_verdict: 53,
  appeal: 54,
  propose: 60,
  vote: 61,
  release_approve: 62,
  emergency_pause: 63,
});
export type TxKind = ValueOf<typeof kTxKind>;

export const kTx = record({
  chain_id: text(kMaxChainIdBytes),
  account: hash32,
  nonce: u64,
  kind: kTxKind,
  body: buffer(kMaxBodyBytes),
  fee_micro: u64,
});
export type Tx = ValueOf<typeof kTx>;

// What goes over the wire. The signature covers the bytes of `tx` as they came.
export const kSignedTx = record({tx: buffer(kMaxTxBytes), signature: fixed(64)});
export type SignedTx = ValueOf<typeof kSignedTx>;

// One kind of transaction and the form of its body.
export interface Body<T> {
  kind: TxKind;
  codec: Codec<T>;
}

const kOpenSessionBody = record({
  model_root: hash32,
  requirement: kRequirement,
  max_units: u64,
  price_cap_micro: u64,
  deposit_micro: u64, // of each session; at least max_units at price_cap
  lifetime_blocks: u64,
  allow_audit: boolean,
});
export type OpenSession = ValueOf<typeof kOpenSessionBody>;

const kSubmitJobBody = record({session: kOpenSessionBody});
export type SubmitJob = ValueOf<typeof kSubmitJobBody>;
const kPostInputBody = record({job: hash32, instance: hash32, input: kPayload});
export type PostInput = ValueOf<typeof kPostInputBody>;
const kCloseSessionBody = record({session: hash32});
export type CloseSession = ValueOf<typeof kCloseSessionBody>;
const kTransferBody = record({to: hash32, amount_micro: u64});
export type Transfer = ValueOf<typeof kTransferBody>;

export const kOpenSession: Body<OpenSession> = {kind: 'open_session', codec: kOpenSessionBody};
export const kSubmitJob: Body<SubmitJob> = {kind: 'submit_job', codec: kSubmitJobBody};
export const kPostInput: Body<PostInput> = {kind: 'post_input', codec: kPostInputBody};
export const kCloseSession: Body<CloseSession> = {kind: 'close_session', codec: kCloseSessionBody};
export const kTransfer: Body<Transfer> = {kind: 'transfer', codec: kTransferBody};

// Sealed bytes that go onto the ledger themselves.
export function inline_payload(inline_bytes: Bytes): Payload {
  const out = {inline_bytes, reference: undefined};
  if (!valid_payload(out)) throw new RecordError('there is nothing to post');
  return out;
}

export interface TxOptions {
  chain_id: string;
  nonce: bigint;
  fee_micro: bigint;
}

// Ed25519 over "cloister tx v1" ‖ 00 ‖ CBOR(tx); gives the bytes to send.
export async function make_tx<T>(
  kind: Body<T>,
  body: T,
  options: TxOptions,
  key: SigningKey,
): Promise<Bytes> {
  const tx = encode(kTx, {
    ...options,
    account: key.account,
    kind: kind.kind,
    body: encode(kind.codec, body),
  });
  const signature = await key.sign(tagged('cloister tx v1', tx));
  const out = encode(kSignedTx, {tx, signature});
  if (out.length > kMaxTxBytes) throw new RecordError('the transaction is too large');
  return out;
}

// SHA-256 of the signed bytes, as CometBFT names transactions.
export function tx_id(signed_tx: Uint8Array): Promise<Bytes> {
  return sha256(signed_tx);
}
