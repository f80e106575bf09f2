// The socket that a consensus engine of the CometBFT kind connects to (ABCI 2.0, 41-consensus 2.1).
//
// The engine opens four connections that nothing tells apart, so all are equal: requests of one are
// answered exactly once and in order; those of different ones run at the same time. Answers are
// written once everything that has arrived is answered, which is what Flush asks for. The engine
// may go away and come back.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "chain/abci/messages.pb.h"

namespace cloister::chain::abci {

// Called from several threads. An answer with `exception` is the last one of its connection.
using Handler = std::function<Response(const Request&)>;

enum class ServerError {
  path_too_long = 1,  // a socket's path has at most 107 bytes
  cannot_listen,
};
std::string_view describe(ServerError error);

class Server {
 public:
  // A socket at `path`, for this user alone; one that a dead process left there is replaced.
  static std::expected<Server, ServerError> start(const std::string& path, Handler handler);
  ~Server();  // as stop()
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;

  size_t connections() const;
  // Cuts all connections; a request that is being handled is finished first.
  void stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::chain::abci
