#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

std::vector<std::pair<std::string, std::string>> ids(const Session& session) {
  std::vector<std::pair<std::string, std::string>> out = {{"session", to_hex(session.id)}};
  if (session.instance) out.push_back({"instance", to_hex(*session.instance)});
  return out;
}

// The session ends: what is left of the escrow goes back to the user.
void end_session(Context& c, Session& session, SessionState state, const char* reason) {
  const uint64_t rest = session.escrow_micro;
  session.state = state;
  session.escrow_micro = 0;
  schedule(c, session, 0);
  c.store.erase(Family::draws, session.id);
  c.put(session);
  if (session.on_ledger) job_ended(c, session.id);
  credit(c, session.user, rest);
  auto attributes = ids(session);
  attributes.push_back({"returned_micro", std::to_string(rest)});
  attributes.push_back({"reason", reason});
  c.emit("session." + std::string(name(state)), std::move(attributes));
}

}  // namespace

void request_draw(Context& c, Session& session) {
  session.state = SessionState::requested;
  session.instance.reset();
  session.price_micro = 0;
  session.apart_formats.clear();
  session.assigned_height = 0;
  session.request_height = c.height;
  schedule(c, session, c.height + 2);
  c.put(session);
  c.requests.push_back(session.id);
  c.emit("session.requested", ids(session));
}

void detach(Context& c, const Session& session) {
  auto instance = c.instance(*session.instance);
  invariant(instance && instance->open_sessions > 0, "a session's instance does not hold it");
  instance->open_sessions -= 1;
  c.put(*instance);
  c.store.erase(Family::assignments, assignment_key(instance->id, session.id));
}

void refund(Context& c, Session& session, const char* reason) {
  end_session(c, session, SessionState::refunded, reason);
}

void start_closing(Context& c, Session& session, const char* reason) {
  session.state = SessionState::closing;
  schedule(c, session, c.height + c.params.settle_window_blocks);
  c.put(session);
  auto attributes = ids(session);
  attributes.push_back({"reason", reason});
  c.emit("session.closing", std::move(attributes));
}

void finish_closing(Context& c, Session& session) {
  detach(c, session);
  end_session(c, session, SessionState::closed, "settled");
}

Verdict apply_open(Context& c, const Tx& tx, const OpenSession& body) {
  return open_session(c, tx, body, false);
}

Verdict open_session(Context& c, const Tx& tx, const OpenSession& body, bool on_ledger) {
  const auto model = c.find<Model>(Family::models, body.model_root);
  if (!model) return Code::model_unknown;
  if (model->deprecated) return Code::model_deprecated;
  const bool pair = body.requirement.diversity == 2;
  if (!valid(body.requirement) || (pair && on_ledger)) return Code::requirement_invalid;
  if (body.lifetime_blocks == 0 || body.lifetime_blocks > c.params.max_session_lifetime_blocks) {
    return Code::lifetime_invalid;
  }
  // With the deposit covering every unit at the cap, an honest instance is never left unpaid.
  const auto cost = cost_micro(body.max_units, body.price_cap_micro);
  if (body.max_units == 0 || !cost) return Code::units_invalid;
  if (body.deposit_micro < *cost) return Code::deposit_too_small;
  for (int i = pair ? 2 : 1; i > 0; --i) {
    if (!debit(c, tx.account, body.deposit_micro)) return Code::insufficient_balance;
  }
  Session session;
  session.id = session_id(c.chain_id(), tx.account, tx.nonce);
  session.user = tx.account;
  session.model_root = body.model_root;
  session.requirement = body.requirement;
  session.max_units = body.max_units;
  session.price_cap_micro = body.price_cap_micro;
  session.deposit_micro = session.escrow_micro = body.deposit_micro;
  session.lifetime_blocks = body.lifetime_blocks;
  session.allow_audit = body.allow_audit;
  session.on_ledger = on_ledger;
  session.opened_height = c.height;
  c.data = id_key(session.id);
  if (pair) {
    Session second = session;
    second.id = twin_id(session.id);
    second.twin = session.id;
    session.twin = second.id;
    request_draw(c, second);
  }
  request_draw(c, session);
  return Code::ok;
}

Verdict apply_confirm(Context& c, const Tx& tx, const ConfirmAttestation& body) {
  auto session = c.session(body.session);
  if (!session) return Code::session_unknown;
  if (session->user != tx.account) return Code::not_session_user;
  if (session->on_ledger) return Code::is_a_job;
  if (session->state != SessionState::assigned) return Code::wrong_session_state;
  if (session->instance != body.instance) return Code::wrong_instance;
  if (body.policy_version != c.policy.version) return Code::policy_version_unknown;
  session->state = SessionState::confirmed;
  session->verdict_id = body.verdict_id;
  session->policy_version = body.policy_version;
  session->confirmed_height = c.height;
  schedule(c, *session, c.height + session->lifetime_blocks);
  c.put(*session);
  c.emit("session.confirmed", ids(*session));
  return Code::ok;
}

// A user may not give back an instance that it was drawn, other than by a report: it would draw
// until it likes the result.
Verdict apply_close(Context& c, const Tx& tx, const CloseSession& body) {
  auto session = c.session(body.session);
  if (!session) return Code::session_unknown;
  if (session->user != tx.account) return Code::not_session_user;
  if (session->on_ledger) return Code::is_a_job;
  if (session->state != SessionState::confirmed) return Code::wrong_session_state;
  start_closing(c, *session, "user");
  return Code::ok;
}

void release_sessions(Context& c, const InstanceId& instance, bool revoked) {
  const auto ended = c.instance(instance);
  invariant(ended.has_value(), "an instance is gone");
  const bool by_operator =
      ended->state == InstanceState::retired || ended->state == InstanceState::expired;
  std::vector<SessionId> held;
  c.store.for_each(Family::assignments, instance, [&](Bytes key, Bytes) {
    held.push_back(*to_fixed<32>(key.subspan(32)));
    return true;
  });
  for (const SessionId& id : held) {
    auto session = c.session(id);
    invariant(session.has_value(), "an assignment names no session");
    if (session->state == SessionState::assigned) {
      detach(c, *session);
      session->misses += 1;
      if (session->misses > kMaxMisses) {
        refund(c, *session, "no instance stayed");
      } else {
        request_draw(c, *session);
      }
    } else if (session->on_ledger) {
      miss_job(c, *session, by_operator);
    } else if (revoked) {
      finish_closing(c, *session);
    } else if (session->state == SessionState::confirmed) {
      start_closing(c, *session, "instance");
    }
  }
}

// Every state ends: each has a height at which the ledger moves it on by itself.
void session_due(Context& c, const SessionId& id) {
  auto session = c.session(id);
  invariant(session.has_value(), "a session falls due that does not exist");
  switch (session->state) {
    case SessionState::requested:
      return draw_session(c, *session);
    case SessionState::assigned:
      detach(c, *session);
      return refund(c, *session, "not confirmed");
    case SessionState::confirmed:
      return session->on_ledger ? miss_job(c, *session, true)
                                : start_closing(c, *session, "lifetime");
    case SessionState::closing:
      return finish_closing(c, *session);
    case SessionState::closed:
    case SessionState::refunded:
      invariant(false, "a session falls due that has ended");
  }
}

}  // namespace cloister::ledger
