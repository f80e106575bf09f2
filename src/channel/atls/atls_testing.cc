#include "channel/atls/atls_testing.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "crypto/openssl.h"

namespace cloister::atls {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

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
  return [](const PeerEvidence& peer) -> asio::awaitable<std::expected<Hash32, Refusal>> {
    if (peer.evidence.size() != 1 || !equal(peer.evidence[0].bytes, peer.expected_report_data)) {
      co_return std::unexpected(Refusal::binding);
    }
    co_return scripted_verdict();
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

BindingInputs inputs_of(World& world, const Scene& scene) {
  BindingInputs inputs;
  const auto exported = export_attestation(scene.link->ssl(), scene.request.context).value();
  inputs.bind = bind_of(crypto::HashKind::sha384, world.leaf.certificate.spki_der(), exported);
  inputs.spki_sha256 = world.leaf.certificate.spki_sha256();
  inputs.instance_id = scene.request.instance_id;
  inputs.request_sha256 = crypto::sha256(scene.request_bytes);
  inputs.claims_sha256 = crypto::sha256(world.source->claims_bytes);
  return inputs;
}

Buffer authenticator_for(World& world, const Scene& scene, const BindingInputs& inputs) {
  Attestation attestation;
  attestation.claims = world.source->claims_bytes;
  attestation.evidence.push_back({evidence::Format::tdx_quote, to_buffer(report_data(inputs))});
  return make_authenticator(scene.exported, scene.request_bytes, scene.request.context,
                            world.leaf.certificate, world.leaf.key,
                            encode_cmw(attestation).value());
}

namespace {

asio::awaitable<void> play(World& world, std::shared_ptr<SslContext> context, Script script,
                           tcp::socket socket) {
  Scene scene;
  scene.link = std::make_shared<TlsLink>(std::move(socket), context);
  scene.link->arm(std::chrono::seconds(10));
  Result<void> held = co_await scene.link->handshake(false);
  if (!held) co_return;
  auto bytes = co_await scene.link->expect_frame(FrameType::att_request);
  if (!bytes) co_return;
  scene.request_bytes = *bytes;
  scene.request = decode_request(*bytes).value();
  scene.exported = export_authenticator_keys(scene.link->ssl(), crypto::HashKind::sha384).value();
  scene.good_authenticator = authenticator_for(world, scene, inputs_of(world, scene));
  co_await script(scene);
  scene.link->disarm();
  scene.link->close();
}

}  // namespace

ScriptedServer::ScriptedServer(World& world, Script script, Flaw flaw)
    : context(flawed_server_context(world.leaf, flaw)),
      listener(world.context, [&world, c = context, s = std::move(script)](tcp::socket socket) {
        return play(world, c, s, std::move(socket));
      }) {}

asio::awaitable<void> say(TlsLink& link, std::string_view raw) {
  co_await asio::async_write(link.stream(), asio::buffer(raw.data(), raw.size()), kAsTuple);
}

asio::awaitable<size_t> drain(TlsLink& link) {
  size_t total = 0;
  Buffer piece(4096);
  while (true) {
    auto [ec, size] =
        co_await link.stream().async_read_some(asio::buffer(piece.data(), piece.size()), kAsTuple);
    total += size;
    if (ec) co_return total;
  }
}

asio::awaitable<void> full_handshake(Scene& scene) {
  co_await scene.link->write_frame(FrameType::authenticator, scene.good_authenticator);
  auto verdict = co_await scene.link->expect_frame(FrameType::verdict);
  if (verdict) co_await scene.link->write_frame(FrameType::done, {});
  co_await drain(*scene.link);
}
asio::awaitable<Result<std::shared_ptr<TlsLink>>> reach_instance(World& world, uint16_t port) {
  auto socket = co_await http::connect_tcp(world.context.executor(), "127.0.0.1", port,
                                           std::chrono::seconds(5));
  if (!socket) co_return std::unexpected(AtlsError::connect_failed);
  auto link = std::make_shared<TlsLink>(std::move(*socket), make_client_context());
  link->watch().spki_sha256 = world.leaf.certificate.spki_sha256();
  link->watch().now = world.clock.now();
  Result<void> held = co_await link->handshake(true);
  if (!held) co_return std::unexpected(held.error());
  co_return link;
}

std::optional<AtlsError> error_of(const Connected& connected) {
  return connected ? std::nullopt : std::optional(connected.error());
}

}  // namespace cloister::atls
