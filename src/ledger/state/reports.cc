#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

// Whether a refusal says something about the platform, not about what the ledger holds to judge it
// by.
bool proves_unfit(Code code) {
  switch (code) {
    case Code::evidence_revoked:
    case Code::evidence_no_tcb_level:
    case Code::evidence_debug_enabled:
    case Code::evidence_policy_denied:
    case Code::evidence_service_td:
    case Code::evidence_tcb_status:
    case Code::evidence_identity_mismatch:
    case Code::evidence_measurement_mismatch:
    case Code::policy_tcb_status:
    case Code::policy_tcb_evaluation:
    case Code::policy_advisory:
    case Code::policy_product:
    case Code::policy_measurement:
    case Code::policy_development:
      return true;
    default:
      return false;
  }
}

// The evidence is bound to the instance by the hash in its record, so nobody can bring evidence of
// something else against it.
Verdict judge(Context& c, const Tx& tx, const ReportAttestation& body, const Session& session) {
  const auto instance = c.instance(*session.instance);
  invariant(instance.has_value(), "a session's instance does not exist");
  if (evidence_hash(body.evidence) != instance->evidence_sha256) {
    return Code::not_the_registration_evidence;
  }
  if (!is_live(*instance)) return Code::instance_not_live;
  const auto admitted = verify_evidence(c, body.evidence, instance->binding);
  if (admitted) {
    if (!debit(c, tx.account, c.params.report_fee_micro)) return Code::insufficient_balance;
    credit(c, treasury_account(), c.params.report_fee_micro);
    c.emit("report.unfounded",
           {{"session", to_hex(session.id)}, {"instance", to_hex(instance->id)}});
    return Code::ok;
  }
  if (!proves_unfit(admitted.error())) return Code::collateral_cannot_judge;
  slash(c, instance->operator_account, tx.account, c.params.fault_slash_micro);
  change_reputation(c, instance->operator_account, -int64_t{c.params.reputation_fault_loss});
  c.emit("report.upheld",
         {{"instance", to_hex(instance->id)}, {"code", std::string(name(admitted.error()))}});
  end_instance(c, *instance, InstanceState::revoked);
  return Code::ok;
}

}  // namespace

Verdict apply_report(Context& c, const Tx& tx, const ReportAttestation& body) {
  auto session = c.session(body.session);
  if (!session) return Code::session_unknown;
  if (session->user != tx.account) return Code::not_session_user;
  const bool confirmed = session->state == SessionState::confirmed;
  if (session->state != SessionState::assigned && !(confirmed && !body.evidence.empty())) {
    return Code::wrong_session_state;
  }
  if (!body.evidence.empty()) return judge(c, tx, body, *session);
  c.emit("session.reported", {{"session", to_hex(session->id)},
                              {"instance", to_hex(*session->instance)},
                              {"reason", std::string(name(body.reason))}});
  detach(c, *session);
  if (session->redraws >= c.params.max_redraws) {
    refund(c, *session, "redraws used up");
    return Code::ok;
  }
  session->excluded.push_back(*session->instance);
  session->redraws += 1;
  request_draw(c, *session);
  return Code::ok;
}

}  // namespace cloister::ledger
