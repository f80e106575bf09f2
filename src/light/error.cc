#include "light/error.h"

namespace cloister::light {

std::string_view describe(LightError error) {
  switch (error) {
    case LightError::bad_options:
      return "the trust level or a period is out of range";
    case LightError::wrong_protocol_version:
      return "the header is of another block protocol";
    case LightError::wrong_chain:
      return "the header belongs to another chain";
    case LightError::bad_field:
      return "a field of the header or commit has an impossible value";
    case LightError::wrong_commit_height:
      return "the commit is of another height than the header";
    case LightError::wrong_header_hash:
      return "the commit signs another header";
    case LightError::wrong_signature_count:
      return "the commit has not one entry a validator";
    case LightError::bad_signature_entry:
      return "an entry of the commit is malformed";
    case LightError::height_not_newer:
      return "the header is not newer than the trusted one";
    case LightError::not_adjacent:
      return "the header does not directly follow the trusted one";
    case LightError::time_not_newer:
      return "the header's time is not after the trusted one's";
    case LightError::from_the_future:
      return "the header's time lies in the future";
    case LightError::trust_expired:
      return "the trusted header is too old to build on";
    case LightError::stale:
      return "the newest header is too old for a fresh answer";
    case LightError::wrong_trust_root:
      return "the block is not the one that is trusted from the start";
    case LightError::wrong_last_block:
      return "the header does not name the trusted one as its parent";
    case LightError::too_many_validators:
      return "the validator set is larger than allowed";
    case LightError::bad_power:
      return "a voting power or their sum is out of range";
    case LightError::duplicate_validator:
      return "a validator stands in the set twice";
    case LightError::wrong_validators_hash:
      return "the validator set is not the header's";
    case LightError::wrong_next_validators:
      return "the set is not the one the trusted header names";
    case LightError::wrong_validator_address:
      return "a signature names another validator";
    case LightError::not_enough_trusted_power:
      return "too little of the trusted set signed";
    case LightError::not_enough_power:
      return "not more than two thirds of the set signed";
    case LightError::too_many_steps:
      return "the way to the header takes too many steps";
    case LightError::bad_proof:
      return "the proof is malformed";
    case LightError::wrong_proof_key:
      return "the proof is about another key";
    case LightError::wrong_proof_family:
      return "the proof is about another state family";
    case LightError::wrong_proof_value:
      return "the proof does not hold for this value";
    case LightError::wrong_root:
      return "the proof does not lead to the verified state root";
    case LightError::bad_json:
      return "the endpoint's answer does not have the expected form";
    case LightError::bad_state:
      return "the stored verification state cannot be read";
    case LightError::unreachable:
      return "the endpoint cannot be reached";
    case LightError::deadline_passed:
      return "the endpoint did not answer in time";
    case LightError::remote_refused:
      return "the endpoint answered with an error";
    case LightError::wrong_height:
      return "the endpoint answered for another height";
    case LightError::conflicting_headers:
      return "two endpoints have different blocks of one height, both signed by the validators: "
             "they are attacking this chain; nothing is believed until somebody looks";
    case LightError::before_trust:
      return "that block is older than the one where trust starts";
    case LightError::pruned:
      return "the endpoint no longer keeps that block";
    case LightError::not_yet:
      return "the chain has not got there yet";
  }
  return "unknown";
}

}  // namespace cloister::light
