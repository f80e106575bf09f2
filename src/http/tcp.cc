#include "http/tcp.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace cloister::http {
namespace {

using asio::ip::tcp;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

Error error_of(const boost::system::error_code& ec) {
  return ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor
             ? Error::closed
             : Error::peer_gone;
}

class TcpStream final : public Stream {
 public:
  explicit TcpStream(tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;  // only speed depends on it
    socket_.set_option(tcp::no_delay(true), ignored);
  }

  asio::any_io_executor executor() override { return socket_.get_executor(); }

  asio::awaitable<std::expected<size_t, Error>> read_some(std::span<uint8_t> out) override {
    auto [ec, size] =
        co_await socket_.async_read_some(asio::buffer(out.data(), out.size()), kAsTuple);
    if (ec) co_return std::unexpected(error_of(ec));
    co_return size;
  }

  asio::awaitable<Status> write_all(Bytes bytes) override {
    auto [ec, size] =
        co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), kAsTuple);
    if (ec) co_return std::unexpected(error_of(ec));
    co_return Status{};
  }

  void close_write() override {
    boost::system::error_code gone_already;
    socket_.shutdown(tcp::socket::shutdown_send, gone_already);
  }

  void close() override {
    boost::system::error_code gone_already;
    socket_.close(gone_already);
  }

 private:
  tcp::socket socket_;
};

// What a connection attempt and its timer share.
struct Attempt {
  explicit Attempt(const asio::any_io_executor& strand)
      : resolver(strand), socket(strand), timer(strand) {}
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer timer;
  bool late = false;
};

asio::awaitable<std::expected<tcp::socket, Error>> attempt(std::shared_ptr<Attempt> a,
                                                           std::string host, uint16_t port) {
  auto [unresolved, found] =
      co_await a->resolver.async_resolve(host, std::to_string(port), kAsTuple);
  if (a->late) co_return std::unexpected(Error::deadline);
  if (unresolved) co_return std::unexpected(Error::unknown_host);
  auto [failed, endpoint] = co_await asio::async_connect(a->socket, found, kAsTuple);
  a->timer.cancel();
  if (a->late) co_return std::unexpected(Error::deadline);
  if (failed) co_return std::unexpected(Error::connect_failed);
  co_return std::move(a->socket);
}

}  // namespace

std::unique_ptr<Stream> tcp_stream(tcp::socket socket) {
  return std::make_unique<TcpStream>(std::move(socket));
}

asio::awaitable<std::expected<tcp::socket, Error>> connect_tcp(asio::any_io_executor executor,
                                                               std::string host, uint16_t port,
                                                               Millis timeout) {
  asio::any_io_executor strand = asio::make_strand(executor);
  auto shared = std::make_shared<Attempt>(strand);
  shared->timer.expires_after(timeout);
  shared->timer.async_wait([shared](const boost::system::error_code& ec) {
    if (ec) return;
    shared->late = true;
    shared->resolver.cancel();
    boost::system::error_code not_open;
    shared->socket.close(not_open);
  });
  // socket has no default value, so the result travels in an optional.
  auto result = std::make_shared<std::optional<std::expected<tcp::socket, Error>>>();
  auto run = [](std::shared_ptr<Attempt> a, std::string h, uint16_t p,
                auto out) -> asio::awaitable<void> {
    out->emplace(co_await attempt(a, std::move(h), p));
  };
  co_await asio::co_spawn(strand, run(shared, std::move(host), port, result), asio::use_awaitable);
  shared->timer.cancel();
  co_return std::move(**result);
}

}  // namespace cloister::http
