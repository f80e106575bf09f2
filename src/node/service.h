// Answers requests inside an attested connection: reads the session from the ledger with a proof,
// asks the gate, runs the model, streams frames, and ends with a signed receipt.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>

#include "base/log.h"
#include "base/seams.h"
#include "http/server.h"
#include "node/identity.h"
#include "node/sessions.h"

namespace cloister::node {

// A session as the ledger proves it; nothing inside when it proves that there is none. The outer
// optional is empty when the ledger could not be read.
using SessionReader =
    std::function<boost::asio::awaitable<std::optional<std::optional<ledger::Session>>>(
        ledger::SessionId)>;

struct ServiceParts {
  NodeFacts facts;
  Hash32 engine_digest{};  // of the measured program that runs the model
  const Identity& identity;
  inference::Engine& engine;
  boost::asio::thread_pool& workers;  // engine calls block, so they run here
  SessionReader read_session;
  std::function<void()> receipt_made;  // tells the settler that there is something to do
  const Clock& clock;
  Random& random;
  const Log& log;
};

class Service {
 public:
  explicit Service(ServiceParts parts) : parts_(std::move(parts)) {}

  // For one connection, whose channel proved `evidence_digest` (of the evidence sent on it).
  http::Handler handler(Hash32 evidence_digest);
  Sessions& sessions() { return sessions_; }
  void drain() { draining_ = true; }  // refuses new work from now on

 private:
  friend class Answer;
  boost::asio::awaitable<void> generate(const http::Request& http_request, http::Exchange& exchange,
                                        Hash32 evidence_digest);
  boost::asio::awaitable<std::expected<Grant, wire::Refusal>> allow(const wire::Request& request);

  const ServiceParts parts_;
  Sessions sessions_;
  bool draining_ = false;
};

}  // namespace cloister::node
