// The node as a running program: keys, registration, attested connections, answers, settlement.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include "inference/engine.h"
#include "ledger/types/genesis.h"
#include "node/config.h"

namespace cloister::node {

struct DaemonParts {
  NodeConfig config;
  ledger::Genesis genesis;
  crypto::Ed25519Key operator_key;
  std::unique_ptr<inference::Engine> engine;
  std::unique_ptr<Tee> tee;
  Measured measured;
};

// Runs on `context`, which has one thread; the engine's calls and quotes run on threads of the
// daemon.
class Daemon {
 public:
  Daemon(boost::asio::io_context& context, DaemonParts parts, const Clock& clock, Random& random,
         const Log& log);
  ~Daemon();

  // Listens, registers and serves. Returns once the instance is proven to be on the ledger; the
  // error is a sentence for the operator.
  boost::asio::awaitable<std::expected<uint16_t, std::string>> start();
  // Takes no new work, ends what runs, settles what is owed.
  boost::asio::awaitable<void> stop();

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace cloister::node
