// The JSON forms of CometBFT's RPC, read. Parsers demand every field that is hashed or signed in
// exactly its form, ignore members that carry nothing of it, bound every list, and believe nothing:
// what they return goes to verify.ts and proof.ts. Refuse with bad_json. The twin of
// src/light/json_form and results_json in C++.
import type {Bytes} from '../../sealed/bytes';
import type {TxOutcome} from './encoding';
import {
  at,
  base64,
  base64_or_null,
  demand,
  height,
  hex,
  int64,
  kMaxU32,
  list,
  list_or_null,
  number,
  text,
  time,
} from './fields';
import type {JsonValue} from './json_text';
import type {ProofOp} from './proof';
import {
  type BlockId,
  type Commit,
  type CommitSig,
  type Header,
  kMaxAppHashBytes,
  kMaxChainIdBytes,
  kMaxValidators,
  type SignedHeader,
  type Validator,
} from './types';

export const kValidatorsPerPage = 100;
export const kMaxTxsInBlock = 10_000;
const kMaxRound = 0x7fffffff;
const kMaxProofOps = 4;
const kMaxProofOpBytes = 1 << 20;
const kMaxOpTypeBytes = 32;
const kMaxTextBytes = 4096;
const kMaxDataBytes = 1 << 20;
const kMaxTxBytes = 1 << 20;
const kMaxEvents = 100_000;
const kMaxAttributes = 64;
const kEd25519Type = 'tendermint/PubKeyEd25519';

function read_block_id(value: JsonValue): BlockId {
  return {
    hash: hex(at(value, 'hash'), 32),
    parts_total: number(at(value, 'parts', 'total'), kMaxU32),
    parts_hash: hex(at(value, 'parts', 'hash'), 32),
  };
}

// Go leaves a zero application version out.
function read_versions(value: JsonValue): {block_version: bigint; app_version: bigint} {
  const block_version = int64(at(value, 'block'));
  const has_app = value instanceof Map && value.has('app');
  const app_version = has_app ? int64(at(value, 'app')) : 0n;
  demand(block_version >= 0n && app_version >= 0n);
  return {block_version, app_version};
}

function read_header(v: JsonValue): Header {
  return {
    ...read_versions(at(v, 'version')),
    chain_id: text(at(v, 'chain_id'), kMaxChainIdBytes),
    height: height(at(v, 'height')),
    time: time(at(v, 'time')),
    last_block_id: read_block_id(at(v, 'last_block_id')),
    last_commit_hash: hex(at(v, 'last_commit_hash'), 32),
    data_hash: hex(at(v, 'data_hash'), 32),
    validators_hash: hex(at(v, 'validators_hash'), 32),
    next_validators_hash: hex(at(v, 'next_validators_hash'), 32),
    consensus_hash: hex(at(v, 'consensus_hash'), 32),
    app_hash: hex(at(v, 'app_hash'), kMaxAppHashBytes),
    last_results_hash: hex(at(v, 'last_results_hash'), 32),
    evidence_hash: hex(at(v, 'evidence_hash'), 32),
    proposer_address: hex(at(v, 'proposer_address'), 20),
  };
}

function read_signature(v: JsonValue): CommitSig {
  const flag = number(at(v, 'block_id_flag'), 3);
  demand(flag >= 1);
  return {
    flag,
    validator_address: hex(at(v, 'validator_address'), 20),
    timestamp: time(at(v, 'timestamp')),
    signature: base64_or_null(at(v, 'signature'), 64),
  };
}

function read_commit(v: JsonValue): Commit {
  return {
    height: height(at(v, 'height')),
    round: number(at(v, 'round'), kMaxRound),
    block_id: read_block_id(at(v, 'block_id')),
    signatures: list(at(v, 'signatures'), kMaxValidators).map(read_signature),
  };
}

// `result.signed_header` of /commit.
export function parse_signed_header(value: JsonValue): SignedHeader {
  return {header: read_header(at(value, 'header')), commit: read_commit(at(value, 'commit'))};
}

function read_validator(v: JsonValue): Validator {
  demand(at(v, 'pub_key', 'type') === kEd25519Type);
  const public_key = base64(at(v, 'pub_key', 'value'), 32);
  demand(public_key.length === 32);
  return {public_key, power: int64(at(v, 'voting_power'))};
}

// `result` of /validators: one page of the set.
export interface ValidatorsPage {
  height: number;
  total: number;
  validators: Validator[];
}

export function parse_validators_page(value: JsonValue): ValidatorsPage {
  const total = height(at(value, 'total'));
  demand(total >= 0 && total <= kMaxValidators);
  const validators = list(at(value, 'validators'), kValidatorsPerPage).map(read_validator);
  demand(height(at(value, 'count')) === validators.length);
  return {height: height(at(value, 'block_height')), total, validators};
}

// `result.response` of /abci_query.
export interface QueryResponse {
  code: number;
  key: Bytes;
  value: Bytes | undefined; // JSON null: the key is absent
  proof: ProofOp[];
  height: number; // of the state; its root stands in the header of height + 1
  log: string;
}

function read_proof_op(v: JsonValue): ProofOp {
  return {
    type: text(at(v, 'type'), kMaxOpTypeBytes),
    key: base64_or_null(at(v, 'key'), kMaxProofOpBytes),
    data: base64_or_null(at(v, 'data'), kMaxProofOpBytes),
  };
}

export function parse_query_response(value: JsonValue): QueryResponse {
  const shown = at(value, 'value');
  const ops = at(value, 'proofOps');
  return {
    code: number(at(value, 'code'), kMaxU32),
    log: text(at(value, 'log'), kMaxTextBytes),
    key: base64_or_null(at(value, 'key'), kMaxProofOpBytes),
    value: shown === null ? undefined : base64(shown, kMaxProofOpBytes),
    height: height(at(value, 'height')),
    proof: ops === null ? [] : list(at(ops, 'ops'), kMaxProofOps).map(read_proof_op),
  };
}

export interface Event {
  type: string;
  attributes: [key: string, value: string][];
}

// Codes, data and gas are what the next header commits to; logs and events are hints.
export interface TxReport {
  outcome: TxOutcome;
  log: string;
  events: Event[];
}

export interface BlockResults {
  height: number;
  txs: TxReport[];
  events: Event[]; // of the block itself
}

function read_event(v: JsonValue): Event {
  const attributes = list_or_null(at(v, 'attributes'), kMaxAttributes);
  return {
    type: text(at(v, 'type'), kMaxTextBytes),
    attributes: attributes.map((attribute) => [
      text(at(attribute, 'key'), kMaxTextBytes),
      text(at(attribute, 'value'), kMaxTextBytes),
    ]),
  };
}

function read_report(v: JsonValue): TxReport {
  return {
    outcome: {
      code: number(at(v, 'code'), kMaxU32),
      data: base64_or_null(at(v, 'data'), kMaxDataBytes),
      gas_wanted: int64(at(v, 'gas_wanted')),
      gas_used: int64(at(v, 'gas_used')),
    },
    log: text(at(v, 'log'), kMaxTextBytes),
    events: list_or_null(at(v, 'events'), kMaxEvents).map(read_event),
  };
}

// `result` of /block_results.
export function parse_block_results(value: JsonValue): BlockResults {
  return {
    height: height(at(value, 'height')),
    txs: list_or_null(at(value, 'txs_results'), kMaxTxsInBlock).map(read_report),
    events: list_or_null(at(value, 'finalize_block_events'), kMaxEvents).map(read_event),
  };
}

// `result` of /broadcast_tx_sync: what the mempool said.
export interface BroadcastResult {
  code: number;
  log: string;
  tx_id: Bytes;
}

export function parse_broadcast_result(value: JsonValue): BroadcastResult {
  const tx_id = hex(at(value, 'hash'), 32);
  demand(tx_id.length === 32);
  return {
    code: number(at(value, 'code'), kMaxU32),
    log: text(at(value, 'log'), kMaxTextBytes),
    tx_id,
  };
}

// `result` of /tx, as far as it is used: where the transaction is said to stand.
export interface TxPlace {
  height: number;
  index: number;
}

export function parse_tx_place(value: JsonValue): TxPlace {
  const place = {
    height: height(at(value, 'height')),
    index: number(at(value, 'index'), kMaxTxsInBlock),
  };
  demand(place.height >= 1);
  return place;
}

// `block.data.txs` of /block.
export function parse_block_txs(value: JsonValue): Bytes[] {
  const txs = list_or_null(at(value, 'block', 'data', 'txs'), kMaxTxsInBlock);
  return txs.map((tx) => base64(tx, kMaxTxBytes));
}
