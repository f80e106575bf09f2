// A chain that runs: makes blocks when they are due and serves the JSON-RPC interface.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>

#include "chain/local_chain.h"

namespace cloister::chain {

struct ServiceConfig {
  std::string host = "127.0.0.1";  // numeric address to listen on
  uint16_t port = 0;               // 0: any free one
  std::vector<std::string>
      public_hosts;  // names besides the loopback ones under which it is reached
  std::vector<std::string> web_origins;  // of pages elsewhere that may ask; rpc_call.h
  JsonValue genesis;                     // shown by the method `genesis`
  // Called once, on the service's strand, when the chain stopped by itself: the disk is full, …
  std::function<void(ChainError)> on_failure;
};

class Service {
 public:
  // `clock` outlives the service. Everything happens on one strand of `executor`.
  static Result<Service> start(boost::asio::any_io_executor executor, const Clock& clock,
                               LocalChain chain, ServiceConfig config);
  ~Service();  // as stop()
  Service(Service&&) noexcept;
  Service& operator=(Service&&) noexcept;

  uint16_t port() const;
  // From any thread. Requests under way are cut; the database is closed as soon as the executor has
  // run what was left to do.
  void stop();

 private:
  class Impl;
  explicit Service(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace cloister::chain
