// Why the light client refused. Values that leave the process never change meaning.
#pragma once

#include <string_view>

namespace cloister::light {

enum class LightError {
  // the block itself
  bad_options = 1,
  wrong_protocol_version,
  wrong_chain,
  bad_field,
  wrong_commit_height,
  wrong_header_hash,
  wrong_signature_count,
  bad_signature_entry,
  // against the trusted block
  height_not_newer,
  not_adjacent,
  time_not_newer,
  from_the_future,
  trust_expired,
  stale,
  wrong_trust_root,
  wrong_last_block,
  // the validator set
  too_many_validators,
  bad_power,
  duplicate_validator,
  wrong_validators_hash,
  wrong_next_validators,
  wrong_validator_address,
  not_enough_trusted_power,
  not_enough_power,
  too_many_steps,
  // reads
  bad_proof,
  wrong_proof_key,
  wrong_proof_family,
  wrong_proof_value,
  wrong_root,
  // the endpoint
  bad_json,
  bad_state,
  unreachable,
  deadline_passed,
  remote_refused,
  wrong_height,
  not_yet,
  conflicting_headers,
  pruned,
  before_trust,  // of a height before the block where trust starts: our own limit
};

std::string_view describe(LightError error);

}  // namespace cloister::light
