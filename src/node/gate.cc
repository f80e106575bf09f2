#include "node/gate.h"

#include <algorithm>

namespace cloister::node {

using wire::Refusal;

std::expected<Grant, Refusal> admit(const sealed::Profile& request, sealed::Payer payer,
                                    const NodeFacts& facts,
                                    const std::optional<ledger::Session>& session,
                                    const Progress& progress, UnixMillis now_ms) {
  auto refuse = [](Refusal refusal) { return std::unexpected(refusal); };
  if (request.chain_id != facts.chain_id) return refuse(Refusal::wrong_chain);
  if (request.instance != facts.instance) return refuse(Refusal::wrong_instance);
  const bool for_it = session && session->id == request.id && request.payer == payer &&
                      session->on_ledger == (payer == sealed::Payer::job);
  if (!for_it) return refuse(Refusal::session_unknown);
  if (session->state != ledger::SessionState::confirmed || session->instance != facts.instance) {
    return refuse(Refusal::session_not_confirmed);
  }
  if (session->model_root != facts.model_root || request.model_root != facts.model_root) {
    return refuse(Refusal::wrong_model);
  }
  if (request.deadline_ms <= now_ms) return refuse(Refusal::deadline_passed);
  // A replayed request is refused and costs nothing: sequences only rise.
  if (request.sequence <= progress.last_sequence) return refuse(Refusal::sequence_not_rising);
  uint64_t used = std::max(progress.used_units, session->cumulative_units);
  if (used >= session->max_units) return refuse(Refusal::budget_exhausted);
  Grant grant{std::min(request.max_units, session->max_units - used)};
  if (grant.max_units == 0) return refuse(Refusal::budget_exhausted);
  return grant;
}

}  // namespace cloister::node
