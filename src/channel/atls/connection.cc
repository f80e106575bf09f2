#include "channel/atls/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "channel/atls/tls_link.h"

namespace cloister::atls {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

http::Error error_of(const boost::system::error_code& ec) {
  return ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor
             ? http::Error::closed
             : http::Error::peer_gone;
}

}  // namespace

AtlsConnection::AtlsConnection(std::shared_ptr<TlsLink> link, ConnectionFacts facts)
    : link_(std::move(link)), facts_(std::move(facts)) {}

AtlsConnection::~AtlsConnection() {
  asio::post(link_->stream().get_executor(), [link = link_] { link->close(); });
}

asio::any_io_executor AtlsConnection::executor() {
  return link_->stream().get_executor();
}

asio::awaitable<std::expected<size_t, http::Error>> AtlsConnection::read_some(
    std::span<uint8_t> out) {
  auto [ec, size] =
      co_await link_->stream().async_read_some(asio::buffer(out.data(), out.size()), kAsTuple);
  // Tickets are refused for as long as the connection lives.
  if (link_->watch().ticket_seen) co_return std::unexpected(http::Error::bad_message);
  if (ec) co_return std::unexpected(error_of(ec));
  co_return size;
}

asio::awaitable<http::Status> AtlsConnection::write_all(Bytes bytes) {
  auto [ec, size] = co_await asio::async_write(link_->stream(),
                                               asio::buffer(bytes.data(), bytes.size()), kAsTuple);
  if (ec) co_return std::unexpected(error_of(ec));
  co_return http::Status{};
}

// Ends the TCP direction: every message here has a length of its own, so a missing close_notify
// cannot make a part look whole.
void AtlsConnection::close_write() {
  boost::system::error_code gone_already;
  link_->stream().lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_send, gone_already);
}

void AtlsConnection::close() {
  link_->close();
}

}  // namespace cloister::atls
