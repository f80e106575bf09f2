#include "ledger/state/context.h"

namespace cloister::ledger {

Verdict apply_report(Context& c, const Tx& tx, const ReportAttestation& body) {
  auto session = c.session(body.session);
  if (!session) return Code::session_unknown;
  if (session->user != tx.account) return Code::not_session_user;
  const bool confirmed = session->state == SessionState::confirmed;
  if (session->state != SessionState::assigned && !(confirmed && !body.evidence.empty())) {
    return Code::wrong_session_state;
  }
  if (!body.evidence.empty()) {
    auto instance = c.instance(*session->instance);
    invariant(instance.has_value(), "a session's instance does not exist");
    return judge_evidence(c, {tx.account, c.params.slash_user_permille}, body.evidence,
                          std::move(*instance));
  }
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
