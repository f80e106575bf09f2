// What the API asks of the network behind it. `Network` (network.h) answers for real; tests of the
// API bring a scripted one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "gateway/openai.h"
#include "light/endpoint.h"

namespace cloister::gateway {

// Takes a piece of the answer; false when the user has left.
using OnPiece = std::function<boost::asio::awaitable<bool>(const UserText&)>;

struct Health {
  std::string chain_id;
  uint64_t height = 0;
  bool ledger_fresh = false;
  bool development = false;
  uint64_t ready_sessions = 0;
  uint64_t verified_nodes = 0;
  std::vector<light::EndpointReport> ledger;  // of each endpoint
};

// A node that was not trusted, and why; nothing was sent to it.
struct RefusedNode {
  std::string instance;  // hex
  std::string reason;
  int64_t at = 0;  // Unix seconds
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Answers, or says why not. Until the first piece another node is tried without anybody noticing;
  // afterwards a lost node is `node_lost`. Nothing of the request leaves before a node is verified.
  // `receipt_id`: under which the receipt is kept.
  virtual boost::asio::awaitable<std::expected<inference::GenerateResult, ApiError>> ask(
      ChatRequest request, std::string receipt_id, OnPiece on_piece) = 0;
  virtual std::vector<ModelEntry> models() const = 0;
  virtual Health health() const = 0;
  virtual std::vector<RefusedNode> refused_nodes() const = 0;
  // JSON of the receipt with its trust report; of a fresh report of the next session's node.
  virtual std::expected<std::string, ApiError> receipt(std::string_view id) const = 0;
  virtual std::expected<std::string, ApiError> attestation_report() const = 0;
};

}  // namespace cloister::gateway
