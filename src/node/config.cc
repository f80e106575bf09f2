#include "node/config.h"

#include <fmt/format.h>

#include "base/json.h"
#include "crypto/hash.h"

namespace cloister::node {

Hash32 NodeConfig::digest() const {
  JsonValue endpoints = JsonValue::Array{};
  for (const auto& endpoint : ledger) endpoints.push(light::to_text(endpoint));
  auto value = JsonValue::object(
      {{"ledger", std::move(endpoints)},
       {"genesis", genesis.string()},
       {"listen_address", listen_address},
       {"listen_port", listen_port},
       {"advertised_host", advertised_host},
       {"operator_key", operator_key.string()},
       {"tee", name(tee)},
       {"tee_hierarchy", tee_hierarchy.string()},
       {"tee_platform", tee_platform},
       {"model_file", model_file.string()},
       {"price_micro", price_micro},
       {"capacity", capacity},
       {"engine_threads", engine_threads},
       {"blobs", blobs ? JsonValue(fmt::format("{}:{}", blobs->host, blobs->port)) : JsonValue{}},
       {"log_level", static_cast<int>(log_level)}});
  return crypto::Sha256{}
      .update(std::string_view("cloister node config v1\0", 24))
      .update(value.dump())
      .finish();
}

}  // namespace cloister::node
