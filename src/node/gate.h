// Decides whether the node may compute a request. Pure: the ledger's record, the node's own facts,
// what the session has used so far and the time are arguments. A node computes only for a session
// that the ledger has, by a proof, confirmed for this very instance.
#pragma once

#include <expected>
#include <optional>

#include "base/seams.h"
#include "channel/sealed/profile.h"
#include "ledger/types/session.h"
#include "wire/messages.h"

namespace cloister::node {

struct NodeFacts {
  std::string chain_id;
  ledger::InstanceId instance{};
  ledger::ModelRoot model_root{};
};

// What this boot has done for one session.
struct Progress {
  uint64_t last_sequence = 0;
  uint64_t used_units = 0;
};

// What may be spent on the request.
struct Grant {
  uint64_t max_units = 0;  // prompt and completion together
};

// `session`: nothing when the ledger proved that there is none. `payer`: what pays for requests
// that come this way; a job is not paid over a connection, nor a session through the ledger.
std::expected<Grant, wire::Refusal> admit(const sealed::Profile& request, sealed::Payer payer,
                                          const NodeFacts& facts,
                                          const std::optional<ledger::Session>& session,
                                          const Progress& progress, UnixMillis now_ms);

}  // namespace cloister::node
