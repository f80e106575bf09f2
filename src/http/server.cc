#include "http/server.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>

#include "http/connection.h"

namespace cloister::http {
namespace {

using asio::ip::tcp;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr Millis kAcceptPause{100};

}  // namespace

struct Server::Shared : std::enable_shared_from_this<Server::Shared> {
  Shared(asio::any_io_executor e, ServerLimits l, Handler h, Upgrade u)
      : executor(std::move(e)), limits(l), handler(std::move(h)), upgrade(std::move(u)) {}

  // Each acceptor is used on its own strand only; `closing` is how other threads reach it.
  struct Listener {
    explicit Listener(const asio::any_io_executor& strand) : acceptor(strand), pause(strand) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
  };

  asio::any_io_executor executor;
  ServerLimits limits;
  Handler handler;
  Upgrade upgrade;
  std::atomic<bool> draining = false;
  std::atomic<size_t> open = 0;
  std::mutex mutex;  // guards the two lists
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<std::weak_ptr<Wire>> wires;

  void remember(const std::shared_ptr<Wire>& wire) {
    std::lock_guard lock(mutex);
    std::erase_if(wires, [](const auto& w) { return w.expired(); });
    wires.push_back(wire);
  }

  void close_listeners() {
    std::lock_guard lock(mutex);
    for (auto& listener : listeners) {
      asio::post(listener->acceptor.get_executor(), [listener] {
        boost::system::error_code closed_already;
        listener->acceptor.close(closed_already);
        listener->pause.cancel();
      });
    }
    listeners.clear();
  }

  void close_wires() {
    std::lock_guard lock(mutex);
    for (auto& weak : wires) {
      auto wire = weak.lock();
      if (wire) asio::post(wire->executor(), [wire] { wire->close(); });
    }
    wires.clear();
  }
};

namespace {

// Counts a connection for as long as its coroutine lives.
struct OpenCount {
  explicit OpenCount(std::shared_ptr<Server::Shared> s) : shared(std::move(s)) { ++shared->open; }
  OpenCount(const OpenCount&) = delete;
  OpenCount& operator=(const OpenCount&) = delete;
  ~OpenCount() { --shared->open; }
  std::shared_ptr<Server::Shared> shared;
};

asio::awaitable<void> serve_connection(std::shared_ptr<OpenCount> count, tcp::socket socket,
                                       std::string peer) {
  Server::Shared& shared = *count->shared;
  std::unique_ptr<Stream> stream;
  try {
    if (shared.upgrade) {
      stream = co_await shared.upgrade(std::move(socket));
    } else {
      stream = tcp_stream(std::move(socket));
    }
  } catch (const std::exception&) {
    // As good as null: the connection ends here.
  }
  if (!stream || shared.draining) co_return;
  auto wire = std::make_shared<Wire>(std::move(stream));
  shared.remember(wire);
  co_await serve_wire(std::move(wire), shared.limits, shared.handler, std::move(peer),
                      &shared.draining);
}

void begin(const std::shared_ptr<Server::Shared>& shared, tcp::socket socket) {
  boost::system::error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  if (ec || shared->open >= shared->limits.max_connections) return;
  auto count = std::make_shared<OpenCount>(shared);
  auto executor = socket.get_executor();
  auto work = serve_connection(count, std::move(socket), remote.address().to_string());
  asio::co_spawn(executor, std::move(work), asio::detached);
}

asio::awaitable<void> accept_all(std::shared_ptr<Server::Shared> shared,
                                 std::shared_ptr<Server::Shared::Listener> listener) {
  while (!shared->draining) {
    asio::any_io_executor strand = asio::make_strand(shared->executor);
    tcp::socket socket(strand);
    auto [ec] = co_await listener->acceptor.async_accept(socket, kAsTuple);
    if (!listener->acceptor.is_open()) break;
    if (!ec) {
      begin(shared, std::move(socket));
      continue;
    }
    // Out of descriptors, most likely: asking again at once would spin.
    listener->pause.expires_after(kAcceptPause);
    co_await listener->pause.async_wait(kAsTuple);
  }
}

std::optional<Error> open_listener(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  boost::system::error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (!ec) return std::nullopt;
  return ec == asio::error::address_in_use ? Error::address_in_use : Error::address_refused;
}

}  // namespace

std::string describe(const ListenError& error) {
  return fmt::format("cannot listen on {}: {}", error.address, describe(error.error));
}

Server::Server(asio::any_io_executor executor, ServerLimits limits, Handler handler,
               Upgrade upgrade)
    : shared_(std::make_shared<Shared>(std::move(executor), limits, std::move(handler),
                                       std::move(upgrade))) {}

Server::~Server() {
  stop();
}

std::expected<uint16_t, ListenError> Server::listen(const std::string& address, uint16_t port) {
  const std::string shown = fmt::format("{}:{}", address, port);
  boost::system::error_code ec;
  const auto ip = asio::ip::make_address(address, ec);
  if (ec) return std::unexpected(ListenError{Error::address_refused, shown});
  asio::any_io_executor strand = asio::make_strand(shared_->executor);
  auto listener = std::make_shared<Shared::Listener>(strand);
  if (auto failed = open_listener(listener->acceptor, tcp::endpoint(ip, port))) {
    return std::unexpected(ListenError{*failed, shown});
  }
  const uint16_t bound = listener->acceptor.local_endpoint(ec).port();
  {
    std::lock_guard lock(shared_->mutex);
    shared_->listeners.push_back(listener);
  }
  asio::co_spawn(strand, accept_all(shared_, listener), asio::detached);
  return bound;
}

void Server::drain() {
  shared_->draining = true;
  shared_->close_listeners();
}

void Server::stop() {
  drain();
  shared_->close_wires();
}

size_t Server::connections() const {
  return shared_->open;
}

}  // namespace cloister::http
