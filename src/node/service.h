// Answers sealed requests inside an attested connection: opens them, reads the session from the
// ledger with a proof, asks the gate, and streams the sealed answer.
#pragma once

#include "base/log.h"
#include "channel/sealed/request.h"
#include "http/server.h"
#include "node/generation.h"

namespace cloister::node {

// A session as the ledger proves it; nothing inside when it proves that there is none. The outer
// optional is empty when the ledger could not be read.
using SessionReader =
    std::function<boost::asio::awaitable<std::optional<std::optional<ledger::Session>>>(
        ledger::SessionId)>;

struct ServiceParts {
  GenerationParts generation;
  sealed::KeyEpochs& keys;
  SessionReader read_session;
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
  boost::asio::awaitable<void> serve(const http::Request& request, http::Exchange& exchange,
                                     Hash32 evidence_digest);
  boost::asio::awaitable<void> answer(sealed::OpenedRequest opened, http::Exchange& exchange,
                                      Hash32 evidence_digest);
  boost::asio::awaitable<std::expected<Admitted, wire::Refusal>> admit_request(
      const sealed::OpenedRequest& opened);
  boost::asio::awaitable<std::expected<Grant, wire::Refusal>> allow(const sealed::Profile& profile);

  const ServiceParts parts_;
  Sessions sessions_;
  bool draining_ = false;
};

}  // namespace cloister::node
