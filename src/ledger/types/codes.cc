#include "ledger/types/enums.h"

namespace cloister::ledger {
namespace {

struct Entry {
  Code code;
  std::string_view name;
  std::string_view sentence;
};

constexpr Entry kCodes[] = {
    {Code::ok, "ok", "done"},
    {Code::too_large, "too_large", "the transaction is larger than allowed"},
    {Code::malformed, "malformed", "the bytes are not a transaction in canonical form"},
    {Code::malformed_body, "malformed_body", "the body is not that of its kind in canonical form"},
    {Code::wrong_chain, "wrong_chain", "the transaction names another chain"},
    {Code::bad_signature, "bad_signature", "the signature does not hold for the account"},
    {Code::wrong_nonce, "wrong_nonce", "the nonce is not the next of the account"},
    {Code::fee_too_low, "fee_too_low", "the fee is below the network's minimum"},
    {Code::insufficient_balance, "insufficient_balance",
     "the account does not hold the amount and the fee"},
    {Code::amount_zero, "amount_zero", "the amount is zero"},
    {Code::amount_overflow, "amount_overflow", "the amounts do not fit"},
    {Code::collateral_malformed, "collateral_malformed", "the collateral is of no known form"},
    {Code::collateral_unverified, "collateral_unverified",
     "the vendor's signature chain does not hold for the collateral"},
    {Code::collateral_not_current, "collateral_not_current",
     "the collateral is not valid at the time of the block"},
    {Code::collateral_rollback, "collateral_rollback",
     "the ledger holds a newer object of this kind"},
    {Code::collateral_full, "collateral_full", "the ledger holds as many vendor objects as it can"},
    {Code::not_operator, "not_operator", "the account never bonded a stake"},
    {Code::stake_insufficient, "stake_insufficient", "the stake is smaller than the amount"},
    {Code::stake_in_use, "stake_in_use",
     "live instances need a larger stake than would be left; retire them first"},
    {Code::unbonding_full, "unbonding_full", "too many parts of the stake are unbonding"},
    {Code::nothing_to_withdraw, "nothing_to_withdraw", "no part of the stake is unbonded yet"},
    {Code::stake_too_low, "stake_too_low", "the operator's stake is below the minimum"},
    {Code::identity_signature, "identity_signature",
     "the instance's identity key did not sign this registration"},
    {Code::claims_malformed, "claims_malformed", "the claims are not in canonical form"},
    {Code::claims_mismatch, "claims_mismatch", "the claims disagree with the registration"},
    {Code::block_unknown, "block_unknown", "the named block is not one of this chain"},
    {Code::block_too_old, "block_too_old", "the named block is older than allowed for evidence"},
    {Code::platform_in_use, "platform_in_use",
     "another operator's live instance runs on this platform"},
    {Code::instance_exists, "instance_exists",
     "an instance with this identity key was registered before"},
    {Code::instance_unknown, "instance_unknown", "no such instance"},
    {Code::instance_not_live, "instance_not_live", "the instance is no longer live"},
    {Code::not_of_instance, "not_of_instance",
     "the account is neither the instance nor its operator"},
    {Code::model_unknown, "model_unknown", "no such model"},
    {Code::models_invalid, "models_invalid",
     "the models are absent, repeated or not among the claims"},
    {Code::capacity_invalid, "capacity_invalid", "the capacity is zero or above the limit"},
    {Code::endpoint_invalid, "endpoint_invalid", "the endpoint is not host:port"},
    {Code::evidence_absent, "evidence_absent", "there is no evidence"},
    {Code::evidence_too_large, "evidence_too_large", "the evidence is larger than allowed"},
    {Code::platform_changed, "platform_changed",
     "the evidence is of another platform than the registration"},
    {Code::session_unknown, "session_unknown", "no such session"},
    {Code::not_session_user, "not_session_user", "the account did not open this session"},
    {Code::wrong_session_state, "wrong_session_state",
     "the session is not in a state that allows this"},
    {Code::wrong_instance, "wrong_instance", "the instance is not the one assigned to the session"},
    {Code::units_invalid, "units_invalid", "the number of units is zero or above the limit"},
    {Code::lifetime_invalid, "lifetime_invalid", "the lifetime is zero or above the limit"},
    {Code::deposit_too_small, "deposit_too_small",
     "the deposit does not cover all units at the price cap"},
    {Code::requirement_invalid, "requirement_invalid",
     "the requirement is not sorted, repeats itself or is too long"},
    {Code::policy_version_unknown, "policy_version_unknown", "no such policy version is in force"},
    {Code::not_the_registration_evidence, "not_the_registration_evidence",
     "the evidence is not what the instance registered with"},
    {Code::collateral_cannot_judge, "collateral_cannot_judge",
     "the ledger's collateral cannot judge this evidence now"},
    {Code::proof_invalid, "proof_invalid",
     "a revocation needs one proof: evidence, or two receipts of this instance for one answer"},
    {Code::receipts_agree, "receipts_agree", "the two receipts are the same"},
    {Code::key_epoch_invalid, "key_epoch_invalid", "the key epoch is not above the last"},
    {Code::key_validity_invalid, "key_validity_invalid",
     "the keys are valid for no time, too long, or already over"},
    {Code::instance_draining, "instance_draining", "the instance takes no new work already"},
    {Code::too_many_instances, "too_many_instances",
     "the operator runs as many instances as one operator may"},
    {Code::model_exists, "model_exists", "a model with these weights is registered"},
    {Code::model_name_taken, "model_name_taken", "another model has this name"},
    {Code::model_invalid, "model_invalid",
     "the model lacks a name or an owner, or its owner's share is too large"},
    {Code::not_model_owner, "not_model_owner", "the account does not own the model"},
    {Code::model_deprecated, "model_deprecated", "the model's owner has ended its service"},
    {Code::receipt_malformed, "receipt_malformed", "the receipt is not in canonical form"},
    {Code::receipt_signature, "receipt_signature",
     "the receipt is not signed by the instance's identity key"},
    {Code::receipt_mismatch, "receipt_mismatch",
     "the receipt is of another chain, session, instance or model"},
    {Code::receipt_not_rising, "receipt_not_rising",
     "the receipt shows no more units than were settled"},
    {Code::receipt_over_limit, "receipt_over_limit",
     "the receipt shows more units than the session allows"},
    {Code::beacon_not_wanted, "beacon_not_wanted",
     "no request waits for the beacon of this height"},
    {Code::beacon_bad_share, "beacon_bad_share", "the share does not prove itself"},
    {Code::beacon_duplicate, "beacon_duplicate", "the share is already counted"},
    {Code::not_validator, "not_validator", "the account is not the validator of this share"},
    {Code::change_malformed, "change_malformed",
     "the change is not that of its kind in canonical form"},
    {Code::change_invalid, "change_invalid", "the change breaks a rule or changes nothing"},
    {Code::proposal_unknown, "proposal_unknown", "no such proposal"},
    {Code::proposal_closed, "proposal_closed", "the ballot is over"},
    {Code::wrong_ballot, "wrong_ballot",
     "stake votes on this proposal or release keys approve it, not the other way"},
    {Code::voted_before, "voted_before", "the account has voted"},
    {Code::not_release_key, "not_release_key", "the account is not a release key of this network"},
    {Code::paused_before, "paused_before",
     "this kind of platform had its emergency pause; another needs a vote"},
    {Code::evidence_malformed, "evidence_malformed", "the evidence is malformed"},
    {Code::evidence_unsupported, "evidence_unsupported",
     "the evidence is of a kind that is not supported"},
    {Code::evidence_collateral_missing, "evidence_collateral_missing",
     "the ledger lacks collateral for this evidence"},
    {Code::evidence_wrong_chain, "evidence_wrong_chain",
     "the evidence does not chain to a vendor's root"},
    {Code::evidence_not_yet_valid, "evidence_not_yet_valid",
     "something that the evidence rests on is not valid yet"},
    {Code::evidence_expired, "evidence_expired",
     "something that the evidence rests on has expired"},
    {Code::evidence_revoked, "evidence_revoked", "a key of the evidence's chain is revoked"},
    {Code::evidence_collateral_mismatch, "evidence_collateral_mismatch",
     "the collateral belongs to other evidence"},
    {Code::evidence_bad_signature, "evidence_bad_signature",
     "a signature over the evidence does not hold"},
    {Code::evidence_identity_mismatch, "evidence_identity_mismatch",
     "the quoting enclave is not the vendor's"},
    {Code::evidence_no_tcb_level, "evidence_no_tcb_level",
     "no TCB level of the vendor matches the platform"},
    {Code::evidence_debug_enabled, "evidence_debug_enabled", "the guest is open to debugging"},
    {Code::evidence_policy_denied, "evidence_policy_denied",
     "the evidence uses a feature that is not allowed"},
    {Code::evidence_service_td, "evidence_service_td", "a service TD is bound to the guest"},
    {Code::evidence_tcb_status, "evidence_tcb_status", "the platform's TCB status is not accepted"},
    {Code::evidence_measurement_mismatch, "evidence_measurement_mismatch",
     "a measurement is not the expected one"},
    {Code::evidence_report_data_mismatch, "evidence_report_data_mismatch",
     "the evidence is bound to something else"},
    {Code::evidence_nonce_mismatch, "evidence_nonce_mismatch",
     "the evidence answers another nonce"},
    {Code::policy_tcb_status, "policy_tcb_status", "the policy does not accept the TCB status"},
    {Code::policy_tcb_evaluation, "policy_tcb_evaluation",
     "the policy demands a newer TCB evaluation"},
    {Code::policy_advisory, "policy_advisory", "the policy denies an advisory that applies"},
    {Code::policy_product, "policy_product", "the policy distrusts this product"},
    {Code::policy_measurement, "policy_measurement",
     "no release of the policy has this measurement"},
    {Code::policy_development, "policy_development",
     "the policy does not admit development platforms"},
    {Code::policy_paused, "policy_paused", "the policy has paused this kind of platform"},
    {Code::policy_platform, "policy_platform", "the policy denies this machine"},
};

const Entry* find(Code code) {
  for (const Entry& entry : kCodes) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

}  // namespace

std::string_view name(Code value) {
  const Entry* entry = find(value);
  return entry ? entry->name : std::string_view{};
}

std::string_view describe(Code value) {
  const Entry* entry = find(value);
  return entry ? entry->sentence : "unknown code";
}

std::optional<Code> code_from(uint32_t number) {
  const Code code{number};
  return find(code) ? std::optional(code) : std::nullopt;
}

}  // namespace cloister::ledger
