#include "http/tls_testing.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "crypto/x509.h"

namespace cloister::http {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

class ServerStream final : public Stream {
 public:
  ServerStream(asio::ip::tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  asio::awaitable<bool> accept() {
    auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAsTuple);
    co_return !ec;
  }
  asio::any_io_executor executor() override { return stream_.get_executor(); }
  asio::awaitable<std::expected<size_t, Error>> read_some(std::span<uint8_t> out) override {
    auto [ec, size] =
        co_await stream_.async_read_some(asio::buffer(out.data(), out.size()), kAsTuple);
    if (ec) co_return std::unexpected(Error::peer_gone);
    co_return size;
  }
  asio::awaitable<Status> write_all(Bytes bytes) override {
    auto [ec, size] =
        co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), kAsTuple);
    if (ec) co_return std::unexpected(Error::peer_gone);
    co_return Status{};
  }
  void close_write() override {
    boost::system::error_code gone_already;
    stream_.lowest_layer().shutdown(asio::ip::tcp::socket::shutdown_send, gone_already);
  }
  void close() override {
    boost::system::error_code gone_already;
    stream_.lowest_layer().close(gone_already);
  }

 private:
  std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<asio::ip::tcp::socket> stream_;
};

// SEQUENCE of [2] dNSName (RFC 5280, 4.2.1.6); all short.
crypto::IssueExtension alternative_names(const std::vector<std::string>& names) {
  ByteWriter inner;
  for (const std::string& name : names) {
    inner.u8(0x82).u8(static_cast<uint8_t>(name.size())).text(name);
  }
  ByteWriter out;
  out.u8(0x30).u8(0x81).u8(static_cast<uint8_t>(inner.size())).bytes(inner.view());
  return {"2.5.29.17", false, out.take()};
}

crypto::IssueRequest request_for(const std::string& name, const TlsServerIdentity& identity) {
  crypto::IssueRequest out;
  out.subject_cn = name;
  out.serial = {1};
  out.not_before = identity.not_before;
  out.not_after = identity.not_after;
  return out;
}

}  // namespace

TlsTestServer::TlsTestServer(asio::any_io_executor executor, Handler handler,
                             TlsServerIdentity identity) {
  const auto authority_key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  auto authority_request = request_for("test authority", {});
  authority_request.ca = true;
  const auto authority =
      crypto::issue_certificate(authority_request, authority_key, nullptr, authority_key);
  authority_pem_ = crypto::to_pem(authority);

  const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  auto leaf_request = request_for("test server", identity);
  leaf_request.extensions.push_back(alternative_names(identity.names));
  const auto leaf = crypto::issue_certificate(leaf_request, key, &authority, authority_key);

  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  context->use_certificate(asio::buffer(crypto::to_pem(leaf)), asio::ssl::context::pem);
  const SecretBuffer key_pem = key.to_pem();
  context->use_private_key(asio::buffer(key_pem.data(), key_pem.size()), asio::ssl::context::pem);

  const auto upgrade =
      [context](asio::ip::tcp::socket socket) -> asio::awaitable<std::unique_ptr<Stream>> {
    auto stream = std::make_unique<ServerStream>(std::move(socket), context);
    if (!co_await stream->accept()) co_return nullptr;
    co_return std::unique_ptr<Stream>(std::move(stream));
  };
  server_ = std::make_unique<Server>(executor, ServerLimits{}, std::move(handler), upgrade);
  port_ = server_->listen("127.0.0.1", 0).value();
}

}  // namespace cloister::http
