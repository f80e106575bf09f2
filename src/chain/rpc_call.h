// Requests of the JSON-RPC interface, read strictly: POST with a JSON-RPC 2.0 object, and GET with
// the method as path and the arguments as query string, as CometBFT spells both.
//
// GET arguments: integers bare or quoted, booleans bare, texts quoted, bytes as 0x followed by hex.
// POST arguments: integers as decimal strings or numbers, `data` as hex, `tx` and `hash` as base64.
// Refused: unknown methods and arguments, repeated arguments, batches, notifications, positional
// arguments, transactions by GET, bodies that are not application/json.
#pragma once

#include <map>
#include <variant>

#include "http/message.h"
#include "light/json_form.h"

namespace cloister::chain {

enum class RpcMethod {
  health,
  status,
  genesis,
  commit,
  validators,
  block,
  block_results,
  abci_query,
  broadcast_tx_sync,
  tx,
};

// Codes of JSON-RPC 2.0, 5.1.
enum class RpcCode {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal = -32603,  // also what is not there yet, as CometBFT has it
};

struct RpcFault {
  RpcCode code = RpcCode::internal;
  std::string detail;  // words of our own, never of the request
};

using RpcArgument = std::variant<int64_t, bool, Buffer, std::string>;

class RpcCall {
 public:
  RpcMethod method = RpcMethod::health;
  JsonValue id = -1;  // what the answer repeats: an integer or a short text
  std::map<std::string, RpcArgument, std::less<>> arguments;

  template <typename T>
  std::optional<T> get(std::string_view name) const {
    const auto found = arguments.find(name);
    if (found == arguments.end()) return std::nullopt;
    return std::get<T>(found->second);  // its kind was checked when it was read
  }
};

constexpr size_t kMaxRequestBytes = 1 << 20;

std::expected<RpcCall, RpcFault> read_call(const http::Request& request);

std::string answer_json(const JsonValue& id, JsonValue result);
std::string fault_json(const JsonValue& id, const RpcFault& fault);

// Whether a browser page of another site could have sent the request: a Host that is none of ours
// (DNS rebinding), a foreign Origin, or a Sec-Fetch-Site that says so. `origins`: sites whose pages
// may ask all the same, "https://HOST[:PORT]" each, or "*" for any.
bool from_allowed_site(const http::Request& request, std::span<const std::string> hosts,
                       std::span<const std::string> origins = {});

// What lets a browser hand an answer to the page of an allowed site, which `request` named.
void allow_reading(const http::Request& request, http::Response& response);
// The answer to a browser that asks whether such a page may ask at all.
http::Response answer_preflight(const http::Request& request);

}  // namespace cloister::chain
