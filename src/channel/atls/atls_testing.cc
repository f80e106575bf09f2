#include "channel/atls/atls_testing.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "crypto/openssl.h"

namespace cloister::atls {

asio::awaitable<Result<std::vector<evidence::Evidence>>> ScriptedSource::quote(
    Fixed<64> report_data) {
  ++quotes;
  if (fails) co_return std::unexpected(AtlsError::quote_failed);
  std::vector<evidence::Evidence> out;
  out.push_back({evidence::Format::tdx_quote, to_buffer(tamper(report_data))});
  co_return out;
}

Hash32 scripted_verdict() {
  return crypto::sha256(as_bytes("verdict"));
}

PeerVerifier report_data_verifier() {
  return [](const PeerEvidence& peer) -> std::expected<Hash32, Refusal> {
    if (peer.evidence.size() != 1 || !equal(peer.evidence[0].bytes, peer.expected_report_data)) {
      return std::unexpected(Refusal::binding);
    }
    return scripted_verdict();
  };
}

struct Listener::Shared {
  Shared(const asio::any_io_executor& executor, Conversation c)
      : acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        conversation(std::move(c)) {}
  tcp::acceptor acceptor;
  Conversation conversation;

  static asio::awaitable<void> talk(std::shared_ptr<Shared> self, tcp::socket socket) {
    co_await self->conversation(std::move(socket));
  }

  static asio::awaitable<void> run(std::shared_ptr<Shared> self) {
    while (true) {
      asio::any_io_executor strand = asio::make_strand(self->acceptor.get_executor());
      tcp::socket socket(strand);
      auto [ec] = co_await self->acceptor.async_accept(socket, asio::as_tuple(asio::use_awaitable));
      if (ec) co_return;
      asio::co_spawn(strand, talk(self, std::move(socket)), asio::detached);
    }
  }
};

Listener::Listener(http::TestContext& context, Conversation conversation)
    : shared_(
          std::make_shared<Shared>(asio::make_strand(context.executor()), std::move(conversation))),
      port_(shared_->acceptor.local_endpoint().port()) {
  asio::co_spawn(shared_->acceptor.get_executor(), Shared::run(shared_), asio::detached);
}

Listener::~Listener() {
  asio::post(shared_->acceptor.get_executor(), [shared = shared_] {
    boost::system::error_code closed_already;
    shared->acceptor.close(closed_already);
  });
}

Acceptor World::acceptor(std::chrono::milliseconds timeout) {
  AcceptOptions options;
  options.instance_id = instance_id;
  options.timeout = timeout;
  return Acceptor(leaf, source, options);
}

ConnectOptions World::options(uint16_t port) const {
  ConnectOptions out;
  out.host = "127.0.0.1";
  out.port = port;
  out.peer = {instance_id, leaf.certificate.spki_sha256()};
  out.formats = {evidence::Format::tdx_quote, evidence::Format::snp_report};
  out.timeout = std::chrono::seconds(10);
  return out;
}

Connected World::connect(ConnectOptions options, PeerVerifier verifier) {
  Connector connector(context.executor(), clock, random);
  return context.await(connector.connect(std::move(options), std::move(verifier)));
}

namespace {

asio::awaitable<void> serve_once(std::shared_ptr<Acceptor> acceptor,
                                 std::shared_ptr<std::promise<std::optional<AtlsError>>> ended,
                                 tcp::socket socket) {
  auto connection = co_await acceptor->accept(std::move(socket));
  std::optional<AtlsError> outcome;
  if (!connection) outcome = connection.error();
  ended->set_value(outcome);
}

}  // namespace

HonestServer::HonestServer(World& world, Acceptor made)
    : acceptor(std::make_shared<Acceptor>(std::move(made))),
      ended(std::make_shared<std::promise<std::optional<AtlsError>>>()),
      listener(world.context, [a = acceptor, e = ended](tcp::socket socket) {
        return serve_once(a, e, std::move(socket));
      }) {}

std::optional<AtlsError> HonestServer::outcome() {
  auto future = ended->get_future();
  if (future.wait_for(http::kTestPatience) != std::future_status::ready) std::abort();
  return future.get();
}

std::shared_ptr<SslContext> flawed_server_context(const Leaf& leaf, Flaw flaw) {
  auto context = make_server_context(leaf);
  SSL_CTX* raw = context->native_handle();
  if (flaw == Flaw::tickets) {
    SSL_CTX_clear_options(raw, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_SERVER);
    crypto::require(SSL_CTX_set_num_tickets(raw, 1) == 1);
  }
  if (flaw == Flaw::no_alpn) SSL_CTX_set_alpn_select_cb(raw, nullptr, nullptr);
  if (flaw == Flaw::tls_1_2) {
    crypto::require(SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1);
    crypto::require(SSL_CTX_set_max_proto_version(raw, TLS1_2_VERSION) == 1);
  }
  return context;
}

}  // namespace cloister::atls
