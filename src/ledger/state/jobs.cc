#include "ledger/types/jobs.h"

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

void put(Context& c, const Job& job) {
  c.store.put(Family::jobs, id_key(job.id), job.encode());
}

Job job_of(const Context& c, const SessionId& id) {
  auto job = c.find<Job>(Family::jobs, id);
  invariant(job.has_value(), "a job's record is gone");
  return std::move(*job);
}

std::expected<Session, Code> job_in(const Context& c, const SessionId& id, SessionState state) {
  auto session = c.session(id);
  if (!session) return std::unexpected(Code::session_unknown);
  if (!session->on_ledger) return std::unexpected(Code::not_a_job);
  if (session->state != state) return std::unexpected(Code::wrong_session_state);
  return std::move(*session);
}

}  // namespace

Verdict apply_submit_job(Context& c, const Tx& tx, const SubmitJob& body) {
  const Verdict opened = open_session(c, tx, body.session, true);
  if (opened.code != Code::ok) return opened;
  Job job;
  job.id = *to_fixed<32>(c.data);
  put(c, job);
  return Code::ok;
}

// The ledger has verified the instance and holds its keys, so the input itself is the confirmation.
Verdict apply_post_input(Context& c, const Tx& tx, const PostInput& body) {
  auto session = job_in(c, body.job, SessionState::assigned);
  if (!session) return session.error();
  if (session->user != tx.account) return Code::not_session_user;
  if (session->instance != body.instance) return Code::wrong_instance;
  if (!valid(body.input)) return Code::payload_invalid;
  Job job = job_of(c, body.job);
  job.input = body.input;
  put(c, job);
  session->state = SessionState::confirmed;
  session->policy_version = c.policy.version;
  session->confirmed_height = c.height;
  schedule(c, *session, c.height + session->lifetime_blocks);
  c.put(*session);
  c.emit("job.input", {{"session", to_hex(session->id)}, {"instance", to_hex(body.instance)}});
  return Code::ok;
}

Verdict apply_post_result(Context& c, const Tx& tx, const PostResult& body) {
  auto session = job_in(c, body.job, SessionState::confirmed);
  if (!session) return session.error();
  if (!valid(body.result)) return Code::payload_invalid;
  if (Code code = settle_session(c, tx, *session, body.receipt); code != Code::ok) return code;
  Job job = job_of(c, body.job);
  job.result = body.result;
  put(c, job);
  finish_closing(c, *session);
  c.emit("job.result", {{"session", to_hex(session->id)}});
  return Code::ok;
}

// The instance has the input and gave no result in time.
void miss_job(Context& c, Session& session, bool at_fault) {
  if (at_fault) {
    auto instance = c.instance(*session.instance);
    invariant(instance.has_value(), "a session's instance does not exist");
    slash(c, instance->operator_account, session.user, c.params.slash_user_permille,
          c.params.miss_slash_micro);
    change_reputation(c, instance->operator_account, -int64_t{c.params.reputation_miss_loss});
    instance->epoch_misses += 1;
    c.put(*instance);
    c.emit("job.missed", {{"session", to_hex(session.id)}, {"instance", to_hex(instance->id)}});
  }
  detach(c, session);
  refund(c, session, "no result");
}

void job_ended(Context& c, const SessionId& id) {
  Job job = job_of(c, id);
  job.due_height = c.height + c.params.history_blocks;
  c.store.put(Family::due, due_key(job.due_height, DueKind::job, id), {});
  put(c, job);
}

void job_due(Context& c, const SessionId& id) {
  c.store.erase(Family::due, due_key(c.height, DueKind::job, id));
  c.store.erase(Family::jobs, id);
}

}  // namespace cloister::ledger
