// One connection of the server. Private to this folder.
#pragma once

#include <atomic>

#include "http/server.h"
#include "http/wire.h"

namespace cloister::http {

class Connection {
 public:
  Connection(std::shared_ptr<Wire> wire, const ServerLimits& limits, const Handler& handler,
             std::string peer, const std::atomic<bool>* draining)
      : wire_(std::move(wire)),
        limits_(limits),
        handler_(handler),
        peer_(std::move(peer)),
        draining_(draining) {}

  asio::awaitable<void> run();

 private:
  friend class Exchange;
  struct Incoming {
    Request request;
    RequestRules rules;
  };

  asio::awaitable<std::expected<Incoming, Error>> read_request();
  asio::awaitable<bool> answer(Incoming incoming);  // true: the connection may carry on
  asio::awaitable<void> call_handler(const Request& request, Exchange& exchange);
  asio::awaitable<void> refuse(Error error);
  asio::awaitable<Status> write(Bytes bytes);
  bool draining() const { return draining_ && *draining_; }

  std::shared_ptr<Wire> wire_;
  const ServerLimits& limits_;
  const Handler& handler_;
  std::string peer_;
  const std::atomic<bool>* draining_;
};

asio::awaitable<void> serve_wire(std::shared_ptr<Wire> wire, ServerLimits limits, Handler handler,
                                 std::string peer, const std::atomic<bool>* draining);

}  // namespace cloister::http
