#include "channel/atls/tls_link.h"

#include <openssl/sslerr.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace cloister::atls {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

bool is_ssl_reason(const boost::system::error_code& ec, int reason) {
  return ec.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == reason;
}

}  // namespace

TlsLink::TlsLink(asio::ip::tcp::socket socket, std::shared_ptr<SslContext> context)
    : context_(std::move(context)),
      stream_(std::move(socket), *context_),
      timer_(stream_.get_executor()) {
  attach(ssl(), watch_);
  boost::system::error_code ignored;  // only speed depends on it
  stream_.lowest_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
}

void TlsLink::arm(Millis timeout) {
  armed_ = true;
  timer_.expires_after(timeout);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
    auto self = weak.lock();
    if (ec || !self || !self->armed_) return;
    self->late_ = true;
    self->close();
  });
}

void TlsLink::disarm() {
  armed_ = false;
  timer_.cancel();
}

void TlsLink::close() {
  boost::system::error_code gone_already;
  stream_.lowest_layer().close(gone_already);
}

AtlsError TlsLink::cause(const boost::system::error_code& ec) const {
  if (late_) return AtlsError::deadline;
  if (watch_.leaf_fault) return *watch_.leaf_fault;
  if (watch_.ticket_seen) return AtlsError::ticket_pushed;
  if (is_ssl_reason(ec, SSL_R_EXCESSIVE_MESSAGE_SIZE)) return AtlsError::leaf_too_large;
  if (is_ssl_reason(ec, SSL_R_NO_APPLICATION_PROTOCOL) ||
      is_ssl_reason(ec, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) ||
      is_ssl_reason(ec, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) ||
      is_ssl_reason(ec, SSL_R_UNSUPPORTED_PROTOCOL)) {
    return AtlsError::wrong_protocol;
  }
  return ec.category() == asio::error::get_ssl_category() ? AtlsError::tls_failed
                                                          : AtlsError::peer_gone;
}

asio::awaitable<Result<void>> TlsLink::handshake(bool as_client) {
  watch_.client = as_client;
  const auto role = as_client ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  auto [ec] = co_await stream_.async_handshake(role, kAsTuple);
  if (ec) co_return std::unexpected(cause(ec));
  // Without a leaf the callback did not run: nothing of this may be trusted.
  if (as_client && !watch_.leaf) co_return std::unexpected(AtlsError::leaf_malformed);
  co_return Result<void>{};
}

asio::awaitable<Result<void>> TlsLink::read_exactly(std::span<uint8_t> out) {
  auto [ec, size] =
      co_await asio::async_read(stream_, asio::buffer(out.data(), out.size()), kAsTuple);
  if (ec) co_return std::unexpected(cause(ec));
  if (watch_.ticket_seen) co_return std::unexpected(AtlsError::ticket_pushed);
  co_return Result<void>{};
}

asio::awaitable<Result<Frame>> TlsLink::read_frame() {
  Fixed<kFrameHeaderBytes> head{};
  Result<void> got = co_await read_exactly(head);
  if (!got) co_return std::unexpected(got.error());
  auto header = read_frame_header(head);
  if (!header) co_return std::unexpected(header.error());
  Frame frame{header->type, Buffer(header->body_bytes)};
  if (header->body_bytes > 0) got = co_await read_exactly(frame.body);
  if (!got) co_return std::unexpected(got.error());
  co_return frame;
}

asio::awaitable<Result<Buffer>> TlsLink::expect_frame(FrameType type) {
  auto frame = co_await read_frame();
  if (!frame) co_return std::unexpected(frame.error());
  if (frame->type == type) co_return std::move(frame->body);
  if (frame->type != FrameType::error) co_return std::unexpected(AtlsError::unexpected_frame);
  auto code = decode_error(frame->body);
  co_return std::unexpected(code ? peer_said(*code) : code.error());
}

asio::awaitable<Result<void>> TlsLink::write_frame(FrameType type, Bytes body) {
  const Buffer bytes = encode_frame(type, body);
  auto [ec, size] =
      co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), kAsTuple);
  if (ec) co_return std::unexpected(cause(ec));
  co_return Result<void>{};
}

}  // namespace cloister::atls
