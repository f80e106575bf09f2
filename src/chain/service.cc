#include "chain/service.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "chain/rpc_methods.h"
#include "http/server.h"

namespace cloister::chain {
namespace {

namespace asio = boost::asio;
using Millis = std::chrono::milliseconds;

constexpr int64_t kLongestWaitMs = 30'000;
constexpr size_t kMaxWaiters = 256;

http::ServerLimits server_limits() {
  http::ServerLimits limits;
  limits.max_body_bytes = kMaxRequestBytes;
  limits.max_connections = 512;
  return limits;
}

http::Response json_response(unsigned status, const std::string& body) {
  return http::make_response(status, "application/json", body);
}

}  // namespace

class Service::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::any_io_executor executor, const Clock& clock, LocalChain chain, ServiceConfig config)
      : strand_(asio::make_strand(executor)),
        clock_(clock),
        chain_(std::move(chain)),
        methods_(chain_, std::move(config.genesis)),
        config_(std::move(config)),
        next_block_(strand_) {}

  // Handlers hold the service weakly: an open connection must not keep the database open.
  Result<uint16_t> listen(asio::any_io_executor executor) {
    auto handler = [weak = weak_from_this()](const http::Request& request,
                                             http::Exchange& exchange) {
      return handle(weak, request, exchange);
    };
    server_.emplace(executor, server_limits(), handler);
    const auto port = server_->listen(config_.host, config_.port);
    if (!port) return std::unexpected(ChainError::cannot_listen);
    port_ = *port;
    return *port;
  }

  void run() { asio::co_spawn(strand_, make_blocks(shared_from_this()), asio::detached); }

  void stop() {
    if (server_) server_->stop();
    asio::post(strand_, [self = shared_from_this()] {
      self->stopping_ = true;
      self->next_block_.cancel();
      self->wake_waiters();
    });
  }

  uint16_t port() const { return port_; }

 private:
  static asio::awaitable<void> make_blocks(std::shared_ptr<Impl> self) {
    while (!self->stopping_) {
      const int64_t early_ms = self->chain_.next_block_ms() - self->clock_.now_ms();
      if (early_ms > 0) {
        // Never longer than a heartbeat: the clock may have been set back.
        self->next_block_.expires_after(Millis(std::min(early_ms, self->heartbeat_ms_)));
        boost::system::error_code woken;
        co_await self->next_block_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (woken) continue;
      }
      const Status made = self->chain_.produce(self->clock_.now_ms());
      self->wake_waiters();
      if (!made) {
        if (self->config_.on_failure) self->config_.on_failure(made.error());
        co_return;
      }
    }
  }

  static asio::awaitable<void> handle(std::weak_ptr<Impl> weak, const http::Request& request,
                                      http::Exchange& exchange) {
    http::Response response = json_response(503, fault_json(-1, {RpcCode::internal, "stopping"}));
    if (const auto self = weak.lock()) {
      if (!from_allowed_site(request, self->config_.public_hosts, self->config_.web_origins)) {
        RpcFault fault{RpcCode::invalid_request, "requests of other sites are refused"};
        response = json_response(403, fault_json(-1, fault));
      } else if (request.method == "OPTIONS") {
        response = answer_preflight(request);
      } else {
        auto answered = answer(self, request);
        response = co_await asio::co_spawn(self->strand_, std::move(answered), asio::use_awaitable);
        allow_reading(request, response);
      }
    }
    // A peer that has left needs no answer.
    [[maybe_unused]] const auto sent = co_await exchange.send(std::move(response));
  }

  static asio::awaitable<http::Response> answer(std::shared_ptr<Impl> self,
                                                const http::Request& request) {
    auto call = read_call(request);
    if (call) co_return co_await answer_call(self, std::move(*call));
    co_return json_response(call.error().code == RpcCode::method_not_found ? 404 : 400,
                            fault_json(-1, call.error()));
  }

  static asio::awaitable<http::Response> answer_call(std::shared_ptr<Impl> self, RpcCall call) {
    if (call.method == RpcMethod::block_results) {
      const int64_t height = call.get<int64_t>("height").value_or(0);
      const int64_t wait_ms = call.get<int64_t>("wait").value_or(0);
      co_await wait_for(self, height, std::min(wait_ms, kLongestWaitMs));
    }
    RpcAnswer result = self->methods_.answer(call);
    if (call.method == RpcMethod::broadcast_tx_sync) self->next_block_.cancel();
    std::string body =
        result ? answer_json(call.id, std::move(*result)) : fault_json(call.id, result.error());
    co_return json_response(200, body);
  }

  // Until block `height` is there, the time is over, or the chain ends.
  static asio::awaitable<void> wait_for(std::shared_ptr<Impl> self, int64_t height,
                                        int64_t wait_ms) {
    asio::steady_timer timer(self->strand_, Millis(std::max<int64_t>(wait_ms, 0)));
    const auto deadline = timer.expiry();
    while (self->chain_.height() < height && !self->stopping_ && !self->chain_.stopped() &&
           std::chrono::steady_clock::now() < deadline && self->waiters_.size() < kMaxWaiters) {
      timer.expires_at(deadline);
      self->waiters_.insert(&timer);
      boost::system::error_code woken;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      self->waiters_.erase(&timer);
    }
  }

  void wake_waiters() {
    for (asio::steady_timer* timer : waiters_) timer->cancel();
  }

  asio::strand<asio::any_io_executor> strand_;
  const Clock& clock_;
  LocalChain chain_;
  RpcMethods methods_;
  ServiceConfig config_;
  int64_t heartbeat_ms_ = chain_.heartbeat_ms();
  asio::steady_timer next_block_;
  std::set<asio::steady_timer*> waiters_;
  std::optional<http::Server> server_;
  uint16_t port_ = 0;
  bool stopping_ = false;
};

Service::Service(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::Service(Service&&) noexcept = default;

Service& Service::operator=(Service&& other) noexcept {
  if (this != &other) {
    stop();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Service::~Service() {
  stop();
}

Result<Service> Service::start(asio::any_io_executor executor, const Clock& clock, LocalChain chain,
                               ServiceConfig config) {
  auto impl = std::make_shared<Impl>(executor, clock, std::move(chain), std::move(config));
  const auto port = impl->listen(executor);
  if (!port) return std::unexpected(port.error());
  impl->run();
  return Service(std::move(impl));
}

uint16_t Service::port() const {
  return impl_->port();
}

void Service::stop() {
  if (impl_) impl_->stop();
}

}  // namespace cloister::chain
