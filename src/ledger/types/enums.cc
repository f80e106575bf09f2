#include "ledger/types/enums.h"

namespace cloister::ledger {
namespace {

template <typename E>
struct Named {
  E value;
  std::string_view name;
};

template <typename E, size_t N>
std::string_view find_name(const Named<E> (&list)[N], E value) {
  for (const auto& entry : list) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

constexpr Named<TxKind> kTxKinds[] = {
    {TxKind::transfer, "transfer"},
    {TxKind::operator_bond, "operator_bond"},
    {TxKind::operator_unbond, "operator_unbond"},
    {TxKind::operator_withdraw, "operator_withdraw"},
    {TxKind::put_collateral, "put_collateral"},
    {TxKind::register_instance, "register_instance"},
    {TxKind::renew_instance, "renew_instance"},
    {TxKind::rotate_keys, "rotate_keys"},
    {TxKind::drain_instance, "drain_instance"},
    {TxKind::retire_instance, "retire_instance"},
    {TxKind::revoke_instance, "revoke_instance"},
    {TxKind::register_model, "register_model"},
    {TxKind::update_model, "update_model"},
    {TxKind::deprecate_model, "deprecate_model"},
    {TxKind::open_session, "open_session"},
    {TxKind::confirm_attestation, "confirm_attestation"},
    {TxKind::report_attestation, "report_attestation"},
    {TxKind::settle, "settle"},
    {TxKind::close_session, "close_session"},
    {TxKind::submit_job, "submit_job"},
    {TxKind::post_input, "post_input"},
    {TxKind::post_result, "post_result"},
    {TxKind::join_validators, "join_validators"},
    {TxKind::leave_validators, "leave_validators"},
    {TxKind::commit_receipts, "commit_receipts"},
    {TxKind::open_receipt, "open_receipt"},
    {TxKind::commit_verdict, "commit_verdict"},
    {TxKind::reveal_verdict, "reveal_verdict"},
    {TxKind::appeal, "appeal"},
    {TxKind::propose, "propose"},
    {TxKind::vote, "vote"},
    {TxKind::release_approve, "release_approve"},
    {TxKind::emergency_pause, "emergency_pause"},
};

constexpr Named<InstanceState> kInstanceStates[] = {
    {InstanceState::active, "active"},   {InstanceState::unverified, "unverified"},
    {InstanceState::expired, "expired"}, {InstanceState::retired, "retired"},
    {InstanceState::revoked, "revoked"},
};

constexpr Named<SessionState> kSessionStates[] = {
    {SessionState::requested, "requested"}, {SessionState::assigned, "assigned"},
    {SessionState::confirmed, "confirmed"}, {SessionState::closing, "closing"},
    {SessionState::closed, "closed"},       {SessionState::refunded, "refunded"},
};

constexpr Named<ReportReason> kReportReasons[] = {
    {ReportReason::unreachable, "unreachable"},
    {ReportReason::evidence_refused, "evidence_refused"},
    {ReportReason::local_policy, "local_policy"},
    {ReportReason::wrong_key, "wrong_key"},
    {ReportReason::misbehaved, "misbehaved"},
};

constexpr Named<ModelAccess> kModelAccesses[] = {
    {ModelAccess::open, "open"},
    {ModelAccess::sealed, "sealed"},
};

constexpr Named<CheckState> kCheckStates[] = {
    {CheckState::opening, "opening"},     {CheckState::committing, "committing"},
    {CheckState::revealing, "revealing"}, {CheckState::decided, "decided"},
    {CheckState::appealed, "appealed"},   {CheckState::ended, "ended"},
};

constexpr Named<CheckVerdict> kCheckVerdicts[] = {
    {CheckVerdict::match, "match"},
    {CheckVerdict::mismatch, "mismatch"},
    {CheckVerdict::unavailable, "unavailable"},
};

constexpr Named<CheckOutcome> kCheckOutcomes[] = {
    {CheckOutcome::pending, "pending"},     {CheckOutcome::passed, "passed"},
    {CheckOutcome::failed, "failed"},       {CheckOutcome::unopened, "unopened"},
    {CheckOutcome::undecided, "undecided"},
};

constexpr Named<RestrictionKind> kRestrictionKinds[] = {
    {RestrictionKind::measurement, "measurement"}, {RestrictionKind::advisory, "advisory"},
    {RestrictionKind::product, "product"},         {RestrictionKind::platform, "platform"},
    {RestrictionKind::format, "format"},
};

constexpr Named<ValidatorState> kValidatorStates[] = {
    {ValidatorState::active, "active"},
    {ValidatorState::left, "left"},
    {ValidatorState::excluded, "excluded"},
};

constexpr Named<ProposalKind> kProposalKinds[] = {
    {ProposalKind::vendor_policy, "vendor_policy"},
    {ProposalKind::params, "params"},
    {ProposalKind::restriction, "restriction"},
    {ProposalKind::lift, "lift"},
    {ProposalKind::revoke_instance, "revoke_instance"},
    {ProposalKind::add_release, "add_release"},
    {ProposalKind::withdraw_release, "withdraw_release"},
};

constexpr Named<ProposalState> kProposalStates[] = {
    {ProposalState::open, "open"},         {ProposalState::passed, "passed"},
    {ProposalState::executed, "executed"}, {ProposalState::rejected, "rejected"},
    {ProposalState::failed, "failed"},
};

constexpr Named<CollateralKind> kCollateralKinds[] = {
    {CollateralKind::tdx_tcb_info, "tdx_tcb_info"},
    {CollateralKind::sgx_tcb_info, "sgx_tcb_info"},
    {CollateralKind::tdx_qe_identity, "tdx_qe_identity"},
    {CollateralKind::sgx_qe_identity, "sgx_qe_identity"},
    {CollateralKind::certificate, "certificate"},
    {CollateralKind::crl, "crl"},
    {CollateralKind::manifest, "manifest"},
    {CollateralKind::ocsp_answer, "ocsp_answer"},
};

constexpr std::string_view kFamilyNames[] = {
    "accounts",   "assignments", "batches",   "beacon",     "blocks",    "checks",
    "collateral", "draws",       "due",       "instances",  "jobs",      "keys",
    "models",     "operators",   "outbox",    "params",     "platforms", "policy",
    "proposals",  "sessions",    "standings", "validators",
};
static_assert(std::size(kFamilyNames) == kFamilyCount);

}  // namespace

std::string_view name(TxKind value) {
  return find_name(kTxKinds, value);
}
std::string_view name(InstanceState value) {
  return find_name(kInstanceStates, value);
}
std::string_view name(SessionState value) {
  return find_name(kSessionStates, value);
}
std::string_view name(ReportReason value) {
  return find_name(kReportReasons, value);
}
std::string_view name(ValidatorState value) {
  return find_name(kValidatorStates, value);
}
std::string_view name(ModelAccess value) {
  return find_name(kModelAccesses, value);
}
std::string_view name(CheckState value) {
  return find_name(kCheckStates, value);
}
std::string_view name(CheckVerdict value) {
  return find_name(kCheckVerdicts, value);
}
std::string_view name(CheckOutcome value) {
  return find_name(kCheckOutcomes, value);
}
std::string_view name(RestrictionKind value) {
  return find_name(kRestrictionKinds, value);
}
std::string_view name(ProposalKind value) {
  return find_name(kProposalKinds, value);
}
std::string_view name(ProposalState value) {
  return find_name(kProposalStates, value);
}
std::string_view name(CollateralKind value) {
  return find_name(kCollateralKinds, value);
}
std::string_view name(BeaconSetup value) {
  return value == BeaconSetup::dealer ? "dealer" : std::string_view{};
}
std::string_view name(Family value) {
  const auto i = static_cast<size_t>(value);
  return i < kFamilyCount ? kFamilyNames[i] : std::string_view{};
}

std::optional<Family> family_from(std::string_view text) {
  for (size_t i = 0; i < kFamilyCount; ++i) {
    if (kFamilyNames[i] == text) return static_cast<Family>(i);
  }
  return std::nullopt;
}

std::optional<TxKind> tx_kind_from(std::string_view text) {
  for (const auto& entry : kTxKinds) {
    if (entry.name == text) return entry.value;
  }
  return std::nullopt;
}

}  // namespace cloister::ledger
