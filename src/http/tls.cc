#include "http/tls.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace cloister::http {
namespace {

using asio::ip::tcp;
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

std::shared_ptr<asio::ssl::context> client_context() {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(asio::ssl::verify_peer);
  return context;
}

class TlsStream final : public Stream {
 public:
  TlsStream(tcp::socket socket, TlsRoots roots)
      : roots_(std::move(roots)),
        stream_(std::move(socket), *static_cast<asio::ssl::context*>(roots_.context())) {}

  asio::ssl::stream<tcp::socket>& raw() { return stream_; }

  asio::any_io_executor executor() override { return stream_.get_executor(); }

  asio::awaitable<std::expected<size_t, Error>> read_some(std::span<uint8_t> out) override {
    auto [ec, size] =
        co_await stream_.async_read_some(asio::buffer(out.data(), out.size()), kAsTuple);
    if (ec) co_return std::unexpected(error_of(ec));
    co_return size;
  }

  asio::awaitable<Status> write_all(Bytes bytes) override {
    auto [ec, size] =
        co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), kAsTuple);
    if (ec) co_return std::unexpected(error_of(ec));
    co_return Status{};
  }

  void close_write() override {
    boost::system::error_code gone_already;
    stream_.lowest_layer().shutdown(tcp::socket::shutdown_send, gone_already);
  }

  void close() override {
    boost::system::error_code gone_already;
    stream_.lowest_layer().close(gone_already);
  }

 private:
  static Error error_of(const boost::system::error_code& ec) {
    return ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor
               ? Error::closed
               : Error::peer_gone;
  }

  TlsRoots roots_;  // owns the context that stream_ uses
  asio::ssl::stream<tcp::socket> stream_;
};

// What a handshake and its timer share.
struct Handshake {
  Handshake(tcp::socket socket, TlsRoots roots)
      : stream(std::make_unique<TlsStream>(std::move(socket), std::move(roots))),
        timer(stream->executor()) {}
  std::unique_ptr<TlsStream> stream;
  asio::steady_timer timer;
  bool late = false;
};

bool expect_name(SSL* ssl, const std::string& host) {
  boost::system::error_code not_numeric;
  asio::ip::make_address(host, not_numeric);
  if (!not_numeric) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
}

asio::awaitable<Status> shake_hands(std::shared_ptr<Handshake> h, std::string host) {
  SSL* ssl = h->stream->raw().native_handle();
  if (!expect_name(ssl, host)) co_return std::unexpected(Error::unknown_host);
  auto [ec] = co_await h->stream->raw().async_handshake(asio::ssl::stream_base::client, kAsTuple);
  h->timer.cancel();
  if (h->late) co_return std::unexpected(Error::deadline);
  if (SSL_get_verify_result(ssl) != X509_V_OK) {
    co_return std::unexpected(Error::certificate_refused);
  }
  if (ec) co_return std::unexpected(Error::tls_failed);
  co_return Status{};
}

}  // namespace

std::optional<TlsRoots> TlsRoots::of_system() {
  auto context = client_context();
  boost::system::error_code none;
  context->set_default_verify_paths(none);
  if (none) return std::nullopt;
  TlsRoots out;
  out.context_ = std::move(context);
  return out;
}

std::optional<TlsRoots> TlsRoots::from_file(const std::filesystem::path& pem) {
  auto context = client_context();
  boost::system::error_code none;
  context->load_verify_file(pem.string(), none);
  if (none) return std::nullopt;
  TlsRoots out;
  out.context_ = std::move(context);
  return out;
}

asio::awaitable<std::expected<std::unique_ptr<Stream>, Error>> connect_tls(
    asio::any_io_executor executor, TlsTarget target, TlsRoots roots, Millis timeout) {
  const std::string& at = target.via_host.empty() ? target.host : target.via_host;
  const uint16_t port = target.via_host.empty() ? target.port : target.via_port;
  auto socket = co_await connect_tcp(executor, at, port, timeout);
  if (!socket) co_return std::unexpected(socket.error());
  auto shared = std::make_shared<Handshake>(std::move(*socket), std::move(roots));
  shared->timer.expires_after(timeout);
  shared->timer.async_wait([shared](const boost::system::error_code& ec) {
    if (ec) return;
    shared->late = true;
    shared->stream->close();
  });
  const Status done = co_await asio::co_spawn(
      shared->stream->executor(), shake_hands(shared, target.host), asio::use_awaitable);
  if (!done) co_return std::unexpected(done.error());
  co_return std::unique_ptr<Stream>(std::move(shared->stream));
}

}  // namespace cloister::http
