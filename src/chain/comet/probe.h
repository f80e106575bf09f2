// Questions to an engine's JSON-RPC, one at a time, by who supervises it.
#pragma once

#include <optional>

#include "light/endpoint.h"

namespace cloister::chain::comet {

// `result` of the answer; null when there is none in time.
JsonValue ask_engine(const light::EndpointAddress& rpc, const std::string& method,
                     JsonValue params = JsonValue::Object(), int timeout_ms = 2'000);

struct EngineStatus {
  int64_t height = 0;
  bool catching_up = false;
  int64_t peers = 0;
  int64_t power = 0;  // of this validator in the set; 0 when it is not in it
};
std::optional<EngineStatus> engine_status(const light::EndpointAddress& rpc);

}  // namespace cloister::chain::comet
