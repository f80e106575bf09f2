// Why the light client refused, one code a cause, and what a cause says about the endpoint whose
// answer had it. The twin of src/light/error.h and endpoint.h in C++.

const kSentences = {
  // the block itself
  bad_options: 'an option is out of range',
  wrong_protocol_version: 'the header is of another block protocol',
  wrong_chain: 'the header belongs to another chain',
  bad_field: 'a field of the header or commit has an impossible value',
  wrong_commit_height: 'the commit is of another height than the header',
  wrong_header_hash: 'the commit signs another header',
  wrong_signature_count: 'the commit has not one entry a validator',
  bad_signature_entry: 'an entry of the commit is malformed',
  // against the trusted block
  height_not_newer: 'the header is not newer than the trusted one',
  not_adjacent: 'the header does not directly follow the trusted one',
  time_not_newer: "the header's time is not after the trusted one's",
  from_the_future: "the header's time lies in the future",
  trust_expired: 'the trusted header is too old to build on',
  stale: 'the newest header is too old for a fresh answer',
  wrong_trust_root: 'the block is not the one that is trusted from the start',
  wrong_last_block: 'the header does not name the trusted one as its parent',
  // the validator set
  too_many_validators: 'the validator set is larger than allowed',
  bad_power: 'a voting power or their sum is out of range',
  duplicate_validator: 'a validator stands in the set twice',
  wrong_validators_hash: "the validator set is not the header's",
  wrong_next_validators: 'the set is not the one the trusted header names',
  wrong_validator_address: 'a signature names another validator',
  not_enough_trusted_power: 'too little of the trusted set signed',
  not_enough_power: 'not more than two thirds of the set signed',
  too_many_steps: 'the way to the header takes too many steps',
  // reads
  bad_proof: 'the proof is malformed',
  wrong_proof_key: 'the proof is about another key',
  wrong_proof_family: 'the proof is about another state family',
  wrong_proof_value: 'the proof does not hold for this value',
  wrong_root: 'the proof does not lead to the verified state root',
  // the endpoint
  bad_json: "the endpoint's answer does not have the expected form",
  unreachable: 'the endpoint cannot be reached',
  deadline_passed: 'the endpoint did not answer in time',
  remote_refused: 'the endpoint answered with an error',
  wrong_height: 'the endpoint answered for another height',
  not_yet: 'the chain has not got there yet',
  conflicting_headers:
    'two endpoints have different blocks of one height, both signed by the validators: they are ' +
    'attacking this chain; nothing is believed until somebody looks',
  pruned: 'the endpoint no longer keeps that block',
} as const;

export type LightErrorCode = keyof typeof kSentences;

export class LightError extends Error {
  constructor(readonly code: LightErrorCode) {
    super(kSentences[code]);
  }
}

export type EndpointState = 'unasked' | 'agrees' | 'unreachable' | 'behind' | 'lying';

// Nothing when the cause is our own or a question that may have no answer yet.
export function blame(code: LightErrorCode): EndpointState | undefined {
  switch (code) {
    case 'bad_options':
    case 'trust_expired':
    case 'not_yet':
    case 'conflicting_headers':
      return undefined;
    case 'unreachable':
    case 'deadline_passed':
      return 'unreachable';
    case 'stale':
    case 'remote_refused':
    case 'pruned':
      return 'behind';
    default:
      return 'lying';
  }
}
