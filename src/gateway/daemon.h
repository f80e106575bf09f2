// The gateway as a running program: light client, sessions, API and page on loopback.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>

#include "crypto/signature.h"
#include "gateway/config.h"
#include "ledger/types/genesis.h"

namespace cloister::gateway {

struct DaemonParts {
  GatewayConfig config;
  ledger::Genesis genesis;
  crypto::Ed25519Key user_key;
  std::string version;
};

// Runs on `context`, which has one thread.
class Daemon {
 public:
  Daemon(boost::asio::io_context& context, DaemonParts parts, const Clock& clock, Random& random,
         const Log& log);
  ~Daemon();

  // Listens and begins to open sessions. The error is a sentence for the user.
  std::expected<uint16_t, std::string> start();
  // Called once, when the first session is verified and confirmed.
  void on_ready(std::function<void()> callback);
  boost::asio::awaitable<void> stop();

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace cloister::gateway
