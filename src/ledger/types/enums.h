// The closed lists of the ledger. Numbers are on the wire and in state: they never change their
// meaning and are never used again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cloister::ledger {

enum class TxKind : uint8_t {
  transfer = 1,
  operator_bond = 2,
  operator_unbond = 3,
  operator_withdraw = 4,
  put_collateral = 5,
  register_instance = 6,
  renew_instance = 7,
  rotate_keys = 8,
  drain_instance = 9,
  retire_instance = 10,
  revoke_instance = 11,
  register_model = 12,
  update_model = 13,
  deprecate_model = 14,
  open_session = 20,
  confirm_attestation = 21,
  report_attestation = 22,
  settle = 23,
  close_session = 24,
  submit_job = 30,
  post_input = 31,
  post_result = 32,
  // 40 was a beacon's share; those stand in front of a block now, beacon.h
  join_validators = 41,
  leave_validators = 42,
  commit_receipts = 50,
  open_receipt = 51,
  commit_verdict = 52,
  reveal_verdict = 53,
  appeal = 54,
  propose = 60,
  vote = 61,
  release_approve = 62,
  emergency_pause = 63,
};

// What became of a transaction. Each reason for a refusal has its own number; 0 is the only
// success.
enum class Code : uint32_t {
  ok = 0,
  // any transaction
  too_large = 1,
  malformed = 2,
  malformed_body = 4,
  wrong_chain = 5,
  bad_signature = 6,
  wrong_nonce = 7,
  fee_too_low = 8,
  insufficient_balance = 9,
  amount_zero = 10,
  amount_overflow = 11,
  too_many_waiting = 12,  // said before a block only
  // collateral
  collateral_malformed = 20,
  collateral_unverified = 21,
  collateral_not_current = 22,
  collateral_rollback = 23,
  // operators
  not_operator = 25,
  stake_insufficient = 26,
  stake_in_use = 27,
  unbonding_full = 28,
  nothing_to_withdraw = 29,
  // instances
  stake_too_low = 30,
  identity_signature = 31,
  claims_malformed = 32,
  claims_mismatch = 33,
  block_unknown = 34,
  block_too_old = 35,
  platform_in_use = 36,
  instance_exists = 37,
  instance_unknown = 38,
  instance_not_live = 39,
  not_of_instance = 40,
  model_unknown = 41,
  models_invalid = 42,
  capacity_invalid = 43,
  endpoint_invalid = 44,
  evidence_absent = 45,
  evidence_too_large = 46,
  platform_changed = 47,
  // sessions
  session_unknown = 50,
  not_session_user = 51,
  wrong_session_state = 52,
  wrong_instance = 53,
  units_invalid = 55,
  lifetime_invalid = 56,
  deposit_too_small = 57,
  requirement_invalid = 58,
  policy_version_unknown = 59,
  not_the_registration_evidence = 60,
  collateral_cannot_judge = 61,
  // the end of an instance
  proof_invalid = 62,
  receipts_agree = 63,
  key_epoch_invalid = 64,
  key_validity_invalid = 65,
  instance_draining = 78,
  too_many_instances = 79,
  // models
  model_exists = 66,
  model_name_taken = 67,
  model_invalid = 68,
  not_model_owner = 69,
  model_deprecated = 77,
  // settlement
  receipt_malformed = 70,
  receipt_signature = 71,
  receipt_mismatch = 72,
  receipt_not_rising = 73,
  receipt_over_limit = 74,
  // beacon
  beacon_not_wanted = 80,
  beacon_bad_share = 81,
  beacon_duplicate = 82,
  // 83 was not_validator
  // governance
  change_malformed = 84,
  change_invalid = 85,
  proposal_unknown = 86,
  proposal_closed = 87,
  wrong_ballot = 88,
  voted_before = 89,
  not_release_key = 90,
  paused_before = 91,
  // validators
  not_replicated = 92,
  validator_exists = 93,
  validator_signature = 94,
  validator_excluded = 95,
  validators_full = 96,
  not_validating = 97,
  last_validator = 98,
  // checks
  epoch_invalid = 140,
  batch_exists = 141,
  check_unknown = 142,
  wrong_check_state = 143,
  not_on_committee = 144,
  committed_before = 145,
  not_committed = 146,
  revealed_before = 147,
  commitment_mismatch = 148,
  receipt_not_drawn = 149,
  not_audited = 150,
  may_not_appeal = 151,
  receipt_of_another_epoch = 155,
  // jobs
  is_a_job = 152,
  not_a_job = 153,
  payload_invalid = 154,
  // evidence was refused: 100 + the verifier's error (evidence/common/evidence.h)
  evidence_malformed = 101,
  evidence_unsupported = 102,
  evidence_collateral_missing = 103,
  evidence_wrong_chain = 104,
  evidence_not_yet_valid = 105,
  evidence_expired = 106,
  evidence_revoked = 107,
  evidence_collateral_mismatch = 108,
  evidence_bad_signature = 109,
  evidence_identity_mismatch = 110,
  evidence_no_tcb_level = 111,
  evidence_debug_enabled = 112,
  evidence_policy_denied = 113,
  evidence_service_td = 114,
  evidence_tcb_status = 115,
  evidence_measurement_mismatch = 116,
  evidence_report_data_mismatch = 117,
  evidence_nonce_mismatch = 118,
  // policy refused verified claims: 130 + policy's reason (policy/policy.h)
  policy_tcb_status = 131,
  policy_tcb_evaluation = 132,
  policy_advisory = 133,
  policy_product = 134,
  policy_measurement = 135,
  policy_development = 136,
  policy_paused = 137,
  policy_platform = 138,
};

enum class InstanceState : uint8_t {
  active = 1,      // verified; may be drawn
  unverified = 2,  // the last renewal failed; not drawn until one succeeds
  expired = 3,     // not renewed in time
  retired = 4,     // by its operator, or replaced by a new registration of its platform
  revoked = 5,     // evidence that proves it unfit lay before the ledger
};

enum class SessionState : uint8_t {
  requested = 1,  // deposit locked; waits for the draw
  assigned = 2,   // an instance is drawn; the user attests it
  confirmed = 3,  // the user confirmed; only now the instance computes
  closing = 4,    // no new work; the last receipt may still be settled
  closed = 5,     // the rest of the escrow went back
  refunded = 6,   // ended without an instance; the deposit went back
};

enum class ReportReason : uint8_t {
  unreachable = 1,
  evidence_refused = 2,
  local_policy = 3,
  wrong_key = 4,
  misbehaved = 5,
};

enum class ValidatorState : uint8_t {
  active = 1,    // in the set that orders blocks, from two blocks after it joined
  left = 2,      // by itself, or its stake fell too low; may join again
  excluded = 3,  // signed two blocks of one height; never again
};

enum class ModelAccess : uint8_t {
  open = 1,    // anyone may hold the weights
  sealed = 2,  // the weights are encrypted; the key policy says which instances get the key
};

enum class CheckState : uint8_t {
  opening = 1,     // the instance must show the drawn receipt
  committing = 2,  // checkers score it and commit to their verdicts
  revealing = 3,
  decided = 4,   // may be appealed
  appealed = 5,  // a larger committee is being drawn
  ended = 6,
};

enum class CheckVerdict : uint8_t {
  match = 1,
  mismatch = 2,
  unavailable = 3,  // the instance did not hand over what the receipt speaks of
};

enum class CheckOutcome : uint8_t {
  pending = 1,
  passed = 2,
  failed = 3,
  unopened = 4,
  undecided = 5,  // no verdict of a majority
};

enum class RestrictionKind : uint8_t {
  measurement = 1,
  advisory = 2,
  product = 3,
  platform = 4,  // one machine, by its id on this chain
  format = 5,    // a kind of platform: its privacy mode is paused
};

enum class ProposalKind : uint8_t {
  vendor_policy = 1,
  params = 2,
  restriction = 3,
  lift = 4,
  revoke_instance = 5,
  add_release = 6,
  withdraw_release = 7,
};

enum class ProposalState : uint8_t {
  open = 1,
  passed = 2,  // takes effect at its due height
  executed = 3,
  rejected = 4,  // too few agreed in time
  failed = 5,    // passed, but breaks a rule by now
};

// Of evidence/common/evidence.h.
constexpr uint8_t kNvidiaGpuFormat = 4, kNvidiaSwitchFormat = 5;

enum class CollateralKind : uint8_t {
  tdx_tcb_info = 1,
  sgx_tcb_info = 2,
  tdx_qe_identity = 3,
  sgx_qe_identity = 4,
  certificate = 5,
  crl = 6,
  manifest = 7,
  ocsp_answer = 8,
};

enum class BeaconSetup : uint8_t {
  dealer = 1,  // one party drew the polynomial and could predict every value
};

// Sub-trees of the state, in the order of their names: the order of their leaves in the application
// hash. A family that this version does not use yet is always empty.
enum class Family : uint8_t {
  accounts,
  assignments,
  batches,
  beacon,
  blocks,
  checks,
  collateral,
  draws,
  due,
  instances,
  jobs,
  keys,
  models,
  operators,
  outbox,
  params,
  platforms,
  policy,
  proposals,
  sessions,
  standings,
  validators,
};
constexpr size_t kFamilyCount = 22;

// Names are interface: JSON, logs, the command line.
std::string_view name(TxKind value);
std::string_view name(Code value);
std::string_view describe(Code value);  // one short sentence
std::string_view name(InstanceState value);
std::string_view name(SessionState value);
std::string_view name(ReportReason value);
std::string_view name(ValidatorState value);
std::string_view name(ModelAccess value);
std::string_view name(CheckState value);
std::string_view name(CheckVerdict value);
std::string_view name(CheckOutcome value);
std::string_view name(RestrictionKind value);
std::string_view name(ProposalKind value);
std::string_view name(ProposalState value);
std::string_view name(CollateralKind value);
std::string_view name(BeaconSetup value);
std::string_view name(Family value);
std::optional<Family> family_from(std::string_view name);
std::optional<TxKind> tx_kind_from(std::string_view name);
std::optional<Code> code_from(uint32_t number);

// Whether a number read from outside is a value of the list.
template <typename E>
bool known(E value) {
  return !name(value).empty();
}

}  // namespace cloister::ledger
