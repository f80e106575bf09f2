// Whole connections over loopback, honest and hostile.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <set>

#include "channel/atls/atls_testing.h"
#include "channel/atls/quote_gate.h"
#include "http/client.h"
#include "http/server.h"

namespace cloister::atls {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

std::optional<AtlsError> error_of(const Connected& c) {
  return c ? std::nullopt : std::optional(c.error());
}

// --- honest peers
// ------------------------------------------------------------------------------------

TEST(Atls, CarriesHttpOnceBothSidesAgree) {
  World world;
  auto acceptor = std::make_shared<Acceptor>(world.acceptor());
  auto facts = std::make_shared<ConnectionFacts>();
  http::Upgrade upgrade =
      [acceptor, facts](tcp::socket socket) -> asio::awaitable<std::unique_ptr<http::Stream>> {
    auto made = co_await acceptor->accept(std::move(socket));
    if (!made) co_return nullptr;
    *facts = (*made)->facts();
    co_return std::move(*made);
  };
  http::Handler handler = [](const http::Request& request,
                             http::Exchange& exchange) -> asio::awaitable<void> {
    http::Response response = http::make_response(200, "text/plain", request.text());
    co_await exchange.send(std::move(response));
  };
  http::Server server(world.context.executor(), {}, handler, upgrade);
  const uint16_t port = server.listen("127.0.0.1", 0).value();

  auto connection = world.connect(world.options(port));
  ASSERT_TRUE(connection) << name(connection.error());
  const ConnectionFacts mine = (*connection)->facts();
  EXPECT_EQ(mine.verdict_id, scripted_verdict());
  EXPECT_EQ(mine.attestation.claims, world.source->claims_bytes);
  http::Client client(std::move(*connection), "instance");
  const std::string large(200'000, 'a');
  for (const std::string& body : {std::string("private"), std::string(), large}) {
    auto response = world.context.await(client.request(http::make_request("POST", "/", body)));
    ASSERT_TRUE(response) << http::describe(response.error());
    EXPECT_EQ(response->text(), body);
  }
  EXPECT_EQ(facts->report_data, mine.report_data);
  EXPECT_EQ(facts->bind, mine.bind);
  EXPECT_EQ(facts->request_sha256, mine.request_sha256);
  EXPECT_EQ(facts->verdict_id, mine.verdict_id);
}

TEST(Atls, EveryConnectionHasABindingOfItsOwn) {
  World world;
  std::set<Fixed<64>> seen;
  for (int i = 0; i < 3; ++i) {
    HonestServer server(world);
    auto connection = world.connect(world.options(server.listener.port()));
    ASSERT_TRUE(connection) << name(connection.error());
    EXPECT_EQ(server.outcome(), std::nullopt);
    seen.insert((*connection)->facts().report_data);
  }
  EXPECT_EQ(seen.size(), 3u);
}

TEST(Atls, ARenewedCertificateServesTheSameRegistration) {
  World world;
  HonestServer server(world);
  const SecretBuffer pem = world.leaf.key.to_pem();
  server.acceptor->renew(
      {crypto::PrivateKey::from_pem(as_text(pem)).value(),
       make_leaf_certificate(world.leaf.key, world.random, world.clock.now() + 60)});
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))), std::nullopt);
}

// --- a server that is not what it should be
// ----------------------------------------------------------

TEST(Atls, RefusesALeafThatIsNotTheRegisteredOne) {
  World world, stranger;
  HonestServer server(stranger);
  ConnectOptions options = world.options(server.listener.port());
  EXPECT_EQ(error_of(world.connect(options)), AtlsError::leaf_not_as_registered);
  EXPECT_NE(server.outcome(), std::nullopt);
  EXPECT_EQ(stranger.source->quotes, 0);
}

TEST(Atls, RefusesALeafOver100KiB) {
  World world;
  world.leaf = Leaf{crypto::PrivateKey::from_pem(as_text(world.leaf.key.to_pem())).value(),
                    make_leaf_certificate(world.leaf.key, world.random, world.clock.now(),
                                          Buffer(101 * 1024, 1))};
  HonestServer server(world);
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
            AtlsError::leaf_too_large);
}

TEST(Atls, RefusesAnExpiredLeaf) {
  World world;
  world.leaf = make_leaf(world.random, world.clock.now() - 2 * kMaxLeafLifeSeconds);
  HonestServer server(world);
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
            AtlsError::leaf_not_valid_now);
}

TEST(Atls, TheWrongInstanceIsRefusedByTheServer) {
  World world;
  HonestServer server(world);
  ConnectOptions options = world.options(server.listener.port());
  options.peer.instance_id[0] ^= 1;
  EXPECT_EQ(error_of(world.connect(options)), AtlsError::peer_said_binding);
  EXPECT_EQ(server.outcome(), AtlsError::wrong_instance);
  EXPECT_EQ(world.source->quotes, 0);
}

// A thief of the leaf's key outside the TEE has no evidence for his own connection.
TEST(Atls, AStolenLeafKeyIsOfNoUseWithoutEvidenceForThisConnection) {
  World world;
  const Fixed<64> of_another_connection{1, 2, 3};
  world.source->tamper = [&](Fixed<64>) { return of_another_connection; };
  HonestServer server(world);
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
            AtlsError::binding_refused);
  EXPECT_EQ(server.outcome(), AtlsError::verdict_rejected);
}

TEST(Atls, EachRefusalOfTheVerifierHasItsOwnError) {
  const std::pair<Refusal, AtlsError> cases[] = {
      {Refusal::binding, AtlsError::binding_refused},
      {Refusal::evidence, AtlsError::evidence_refused},
      {Refusal::policy, AtlsError::policy_refused},
      {Refusal::stale, AtlsError::stale_refused},
  };
  for (const auto& [refusal, want] : cases) {
    World world;
    HonestServer server(world);
    PeerVerifier verifier = [r = refusal](const PeerEvidence&) -> std::expected<Hash32, Refusal> {
      return std::unexpected(r);
    };
    EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()), verifier)), want);
    EXPECT_EQ(server.outcome(), AtlsError::verdict_rejected);
  }
}

TEST(Atls, AFormatThatWasNotAskedForIsNotSent) {
  World world;
  HonestServer server(world);
  ConnectOptions options = world.options(server.listener.port());
  options.formats = {evidence::Format::snp_report};
  EXPECT_EQ(error_of(world.connect(options)), AtlsError::peer_said_evidence);
  EXPECT_EQ(server.outcome(), AtlsError::evidence_not_asked_for);
}

TEST(Atls, AFailedQuoteIsToldAsSuch) {
  World world;
  world.source->fails = true;
  HonestServer server(world);
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
            AtlsError::peer_said_evidence);
  EXPECT_EQ(server.outcome(), AtlsError::quote_failed);
}

// --- servers that speak by hand
// ----------------------------------------------------------------------

// What a scripted server may do once TLS stands and the request has come.
struct Scene {
  std::shared_ptr<TlsLink> link;
  Buffer request_bytes;
  AttestationRequest request;
  Exported exported;
  Buffer good_authenticator;
};
using Script = std::function<asio::awaitable<void>(Scene&)>;

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

// What an honest server with the leaf's key would send, but with evidence for `inputs`.
Buffer authenticator_for(World& world, const Scene& scene, const BindingInputs& inputs) {
  Attestation attestation;
  attestation.claims = world.source->claims_bytes;
  attestation.evidence.push_back({evidence::Format::tdx_quote, to_buffer(report_data(inputs))});
  return make_authenticator(scene.exported, scene.request_bytes, scene.request.context,
                            world.leaf.certificate, world.leaf.key,
                            encode_cmw(attestation).value());
}

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

struct ScriptedServer {
  ScriptedServer(World& world, Script script, Flaw flaw = Flaw::none)
      : context(flawed_server_context(world.leaf, flaw)),
        listener(world.context, [&world, c = context, s = std::move(script)](tcp::socket socket) {
          return play(world, c, s, std::move(socket));
        }) {}
  std::shared_ptr<SslContext> context;
  Listener listener;
};

asio::awaitable<void> say(TlsLink& link, std::string_view raw) {
  co_await asio::async_write(link.stream(), asio::buffer(raw.data(), raw.size()), kAsTuple);
}

// Reads until the client closes, and says how many bytes came.
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

TEST(AtlsScript, TheHonestScriptSucceeds) {
  World world;
  ScriptedServer server(world, full_handshake);
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))), std::nullopt);
}

TEST(AtlsScript, WhateverComesOutOfTurnEndsTheConnection) {
  struct Case {
    const char* name;
    std::string after_request;  // instead of the authenticator
    std::string after_verdict;  // instead of DONE
    AtlsError want;
  };
  using namespace std::string_literals;
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const Case cases[] = {
      {"HTTP instead of the authenticator", answer, "", AtlsError::data_before_done},
      {"HTTP instead of DONE", "", answer, AtlsError::data_before_done},
      {"DONE instead of the authenticator", "\5\0\0\0"s, "", AtlsError::unexpected_frame},
      {"a verdict from the server", "\4\0\0\x21"s + std::string(33, '\1'), "",
       AtlsError::unexpected_frame},
      {"GPU evidence", "\2\0\0\1x"s, "", AtlsError::unexpected_frame},
      {"re-attestation", "", "\7\0\0\0"s, AtlsError::unexpected_frame},
      {"a request from the server", "", "\1\0\0\1x"s, AtlsError::unexpected_frame},
      {"DONE with a body", "", "\5\0\0\1x"s, AtlsError::frame_too_large},
      {"a frame of 16 MiB", "\3\xff\xff\xff"s, "", AtlsError::frame_too_large},
      {"a frame that is cut", "\3\0\1\0abc"s, "", AtlsError::peer_gone},
      {"busy", "\6\0\0\2\0\5"s, "", AtlsError::peer_said_busy},
      {"stale", "", "\6\0\0\2\0\4"s, AtlsError::peer_said_stale},
      {"an error with an unknown code", "\6\0\0\2\0\x9"s, "", AtlsError::frame_malformed},
      {"an empty authenticator", "\3\0\0\0"s, "", AtlsError::authenticator_malformed},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    World world;
    Script script = [&c](Scene& scene) -> asio::awaitable<void> {
      if (!c.after_request.empty()) {
        co_await say(*scene.link, c.after_request);
        co_return;
      }
      co_await scene.link->write_frame(FrameType::authenticator, scene.good_authenticator);
      co_await scene.link->expect_frame(FrameType::verdict);
      co_await say(*scene.link, c.after_verdict);
      co_await drain(*scene.link);
    };
    ScriptedServer server(world, script);
    EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))), c.want);
  }
}

TEST(AtlsScript, EvidenceBoundToAnythingElseIsRefused) {
  struct Case {
    const char* name;
    void (*spoil)(BindingInputs&);
    std::optional<AtlsError> want;
  };
  const Case cases[] = {
      {"as it should be", [](BindingInputs&) {}, std::nullopt},
      {"the client's role", [](BindingInputs& i) { i.role = Role::client; },
       AtlsError::binding_refused},
      {"another connection", [](BindingInputs& i) { i.bind[0] ^= 1; }, AtlsError::binding_refused},
      {"no binder", [](BindingInputs& i) { i.bind.clear(); }, AtlsError::binding_refused},
      {"another leaf", [](BindingInputs& i) { i.spki_sha256[0] ^= 1; }, AtlsError::binding_refused},
      {"another instance", [](BindingInputs& i) { i.instance_id[0] ^= 1; },
       AtlsError::binding_refused},
      {"another request", [](BindingInputs& i) { i.request_sha256[0] ^= 1; },
       AtlsError::binding_refused},
      {"other claims", [](BindingInputs& i) { i.claims_sha256[0] ^= 1; },
       AtlsError::binding_refused},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    World world;
    Script script = [&world, &c](Scene& scene) -> asio::awaitable<void> {
      BindingInputs inputs = inputs_of(world, scene);
      c.spoil(inputs);
      scene.good_authenticator = authenticator_for(world, scene, inputs);
      co_await full_handshake(scene);
    };
    ScriptedServer server(world, script);
    EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))), c.want);
  }
}

TEST(AtlsScript, AnAuthenticatorCutAnywhereIsRefused) {
  for (size_t keep : {size_t{1}, size_t{3}, size_t{4}, size_t{40}, size_t{500}}) {
    SCOPED_TRACE(keep);
    World world;
    Script script = [keep](Scene& scene) -> asio::awaitable<void> {
      const Buffer cut = to_buffer(Bytes(scene.good_authenticator).first(keep));
      co_await scene.link->write_frame(FrameType::authenticator, cut);
      co_await drain(*scene.link);
    };
    ScriptedServer server(world, script);
    EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
              AtlsError::authenticator_malformed);
  }
}

TEST(AtlsScript, EvidenceThatIsAbsentIsRefused) {
  for (bool empty_wrapper : {false, true}) {
    World world;
    Script script = [&world, empty_wrapper](Scene& scene) -> asio::awaitable<void> {
      Buffer cmw;
      if (empty_wrapper) {
        // {0: [claims media type, h'01']}
        cmw = ByteWriter()
                  .u8(0xa1)
                  .u8(0)
                  .u8(0x82)
                  .u8(0x78)
                  .u8(36)
                  .text(kClaimsMediaType)
                  .u8(0x41)
                  .u8(1)
                  .take();
      }
      const Buffer bytes =
          make_authenticator(scene.exported, scene.request_bytes, scene.request.context,
                             world.leaf.certificate, world.leaf.key, cmw);
      co_await scene.link->write_frame(FrameType::authenticator, bytes);
      co_await drain(*scene.link);
    };
    ScriptedServer server(world, script);
    EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
              AtlsError::evidence_absent);
  }
}

// The server records every byte between its authenticator and the end: one verdict and nothing
// else.
TEST(AtlsScript, NoByteOfARequestLeavesBeforeDone) {
  World world;
  auto seen = std::make_shared<std::promise<std::pair<bool, size_t>>>();
  Script script = [seen](Scene& scene) -> asio::awaitable<void> {
    co_await scene.link->write_frame(FrameType::authenticator, scene.good_authenticator);
    auto verdict = co_await scene.link->expect_frame(FrameType::verdict);
    const bool accepted = verdict && decode_verdict(*verdict)->accepted;
    const size_t more = co_await drain(*scene.link);
    seen->set_value({accepted, more});
  };
  ScriptedServer server(world, script);
  ConnectOptions options = world.options(server.listener.port());
  options.timeout = std::chrono::milliseconds(500);
  EXPECT_EQ(error_of(world.connect(options)), AtlsError::deadline);
  auto result = seen->get_future();
  ASSERT_EQ(result.wait_for(http::kTestPatience), std::future_status::ready);
  const auto [accepted, more] = result.get();
  EXPECT_TRUE(accepted);
  EXPECT_EQ(more, 0u);
}

TEST(AtlsScript, ARejectedServerHearsARejectionAndNothingElse) {
  World world;
  auto seen = std::make_shared<std::promise<std::pair<bool, size_t>>>();
  Script script = [seen](Scene& scene) -> asio::awaitable<void> {
    scene.good_authenticator.back() ^= 1;
    co_await scene.link->write_frame(FrameType::authenticator, scene.good_authenticator);
    auto verdict = co_await scene.link->expect_frame(FrameType::verdict);
    const bool accepted = verdict && decode_verdict(*verdict)->accepted;
    const size_t more = co_await drain(*scene.link);
    seen->set_value({accepted, more});
  };
  ScriptedServer server(world, script);
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
            AtlsError::bad_finished);
  const auto [accepted, more] = seen->get_future().get();
  EXPECT_FALSE(accepted);
  EXPECT_EQ(more, 0u);
}

// --- a man in the middle who has the leaf's key
// ------------------------------------------------------

// His client side of a connection to the real instance.
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

TEST(AtlsRelay, FramesOfAnotherConnectionAreRefused) {
  for (bool sign_again : {false, true}) {
    SCOPED_TRACE(sign_again ? "signed again with the stolen key" : "forwarded as they are");
    World world;
    HonestServer instance(world);
    Script script = [&world, &instance, sign_again](Scene& scene) -> asio::awaitable<void> {
      auto inner = co_await reach_instance(world, instance.listener.port());
      if (!inner) co_return;
      co_await (*inner)->write_frame(FrameType::att_request, scene.request_bytes);
      auto frame = co_await (*inner)->expect_frame(FrameType::authenticator);
      if (!frame) co_return;
      Buffer forwarded = *frame;
      if (sign_again) {
        auto keys = export_authenticator_keys((*inner)->ssl(), crypto::HashKind::sha384).value();
        auto cmw = verify_authenticator(keys, scene.request_bytes, scene.request.context,
                                        world.leaf.certificate, *frame);
        forwarded = make_authenticator(scene.exported, scene.request_bytes, scene.request.context,
                                       world.leaf.certificate, world.leaf.key, cmw.value());
      }
      co_await scene.link->write_frame(FrameType::authenticator, forwarded);
      co_await drain(*scene.link);
    };
    ScriptedServer middle(world, script);
    auto made = world.connect(world.options(middle.listener.port()));
    EXPECT_EQ(error_of(made), sign_again ? AtlsError::binding_refused : AtlsError::bad_finished);
    EXPECT_EQ(world.source->quotes, 1) << "the real instance did answer him";
  }
}

// --- TLS that is not ours
// ----------------------------------------------------------------------------

TEST(AtlsTls, ATicketEndsTheConnection) {
  World world;
  ScriptedServer server(world, full_handshake, Flaw::tickets);
  EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
            AtlsError::ticket_pushed);
}

TEST(AtlsTls, OtherProtocolsAreRefused) {
  for (Flaw flaw : {Flaw::no_alpn, Flaw::tls_1_2}) {
    World world;
    ScriptedServer server(world, full_handshake, flaw);
    EXPECT_EQ(error_of(world.connect(world.options(server.listener.port()))),
              AtlsError::wrong_protocol);
  }
}

TEST(AtlsTls, AServerThatIsNoTlsIsRefused) {
  World world;
  http::RawServer plain("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(error_of(world.connect(world.options(plain.port()))), AtlsError::tls_failed);
}

// A client that kept a session of a ticketing server with the same key.
asio::awaitable<Result<SSL_SESSION*>> obtain_session(World& world, uint16_t port) {
  auto link = co_await reach_instance(world, port);
  if (!link) co_return std::unexpected(link.error());
  AttestationRequest request;
  request.formats = {evidence::Format::tdx_quote};
  const Buffer bytes = encode_request(request);
  co_await (*link)->write_frame(FrameType::att_request, bytes);
  co_await (*link)->read_frame();  // on the way, the ticket arrives
  // Without a goodbye OpenSSL would mark the session as not resumable.
  SSL_set_shutdown((*link)->ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  co_return SSL_get1_session((*link)->ssl());
}

asio::awaitable<Result<int>> try_session(World& world, uint16_t port, SSL_SESSION* session) {
  auto socket = co_await http::connect_tcp(world.context.executor(), "127.0.0.1", port,
                                           std::chrono::seconds(5));
  if (!socket) co_return std::unexpected(AtlsError::connect_failed);
  auto link = std::make_shared<TlsLink>(std::move(*socket), make_client_context());
  link->watch().spki_sha256 = world.leaf.certificate.spki_sha256();
  link->watch().now = world.clock.now();
  SSL_set_session(link->ssl(), session);
  co_await link->handshake(true);
  const bool reused = SSL_session_reused(link->ssl()) == 1;
  const auto checked = check_session(link->ssl());
  if (!checked && checked.error() == AtlsError::resumed_session) co_return reused ? 2 : 0;
  co_return reused ? 1 : 0;
}

TEST(AtlsTls, SessionsAreNeverResumed) {
  World world;
  ScriptedServer ticketing(world, full_handshake, Flaw::tickets);
  auto session = world.context.await(obtain_session(world, ticketing.listener.port()));
  ASSERT_TRUE(session);
  ASSERT_EQ(SSL_SESSION_is_resumable(*session), 1);
  // Where the server agrees, our check sees it.
  auto agreed = world.context.await(try_session(world, ticketing.listener.port(), *session));
  EXPECT_EQ(agreed.value_or(-1), 2);
  // Our server does not agree.
  HonestServer ours(world);
  auto refused = world.context.await(try_session(world, ours.listener.port(), *session));
  EXPECT_EQ(refused.value_or(-1), 0);
  SSL_SESSION_free(*session);
}

// --- clients that misbehave
// --------------------------------------------------------------------------

using ClientScript = std::function<asio::awaitable<void>(TlsLink&, const Buffer& request)>;

std::optional<AtlsError> server_outcome(World& world, ClientScript script,
                                        AttestationRequest request = {}) {
  HonestServer server(world);
  request.instance_id = world.instance_id;
  if (request.formats.empty()) request.formats = {evidence::Format::tdx_quote};
  const Buffer bytes = encode_request(request);
  auto run = [](World& w, uint16_t port, ClientScript act,
                const Buffer& r) -> asio::awaitable<bool> {
    auto link = co_await reach_instance(w, port);
    if (!link) co_return false;
    co_await act(**link, r);
    (*link)->close();
    co_return true;
  };
  EXPECT_TRUE(world.context.await(run(world, server.listener.port(), script, bytes)));
  return server.outcome();
}

TEST(AtlsServer, RefusesClientsThatBreakTheProtocol) {
  struct Case {
    const char* name;
    ClientScript script;
    AtlsError want;
  };
  const Case cases[] = {
      {"HTTP at once",
       [](TlsLink& link, const Buffer&) -> asio::awaitable<void> {
         co_await say(link, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
         co_await drain(link);
       },
       AtlsError::data_before_done},
      {"a verdict first",
       [](TlsLink& link, const Buffer&) -> asio::awaitable<void> {
         const Buffer verdict = encode_verdict(Verdict{true, {}});
         co_await link.write_frame(FrameType::verdict, verdict);
         co_await drain(link);
       },
       AtlsError::unexpected_frame},
      {"the same request twice",
       [](TlsLink& link, const Buffer& request) -> asio::awaitable<void> {
         co_await link.write_frame(FrameType::att_request, request);
         co_await link.expect_frame(FrameType::authenticator);
         co_await link.write_frame(FrameType::att_request, request);
         co_await drain(link);
       },
       AtlsError::context_reused},
      {"another request in place of the verdict",
       [](TlsLink& link, const Buffer& request) -> asio::awaitable<void> {
         co_await link.write_frame(FrameType::att_request, request);
         co_await link.expect_frame(FrameType::authenticator);
         Buffer other = request;
         other[10] ^= 1;  // within the context
         co_await link.write_frame(FrameType::att_request, other);
         co_await drain(link);
       },
       AtlsError::unexpected_frame},
      {"a request ahead of DONE",
       [](TlsLink& link, const Buffer& request) -> asio::awaitable<void> {
         co_await link.write_frame(FrameType::att_request, request);
         co_await link.expect_frame(FrameType::authenticator);
         const Buffer verdict = encode_frame(FrameType::verdict, encode_verdict({true, {}}));
         const std::string both = std::string(as_text(verdict)) + "GET / HTTP/1.1\r\n";
         co_await say(link, both);
         co_await drain(link);
       },
       AtlsError::data_before_done},
      {"a broken verdict",
       [](TlsLink& link, const Buffer& request) -> asio::awaitable<void> {
         co_await link.write_frame(FrameType::att_request, request);
         co_await link.expect_frame(FrameType::authenticator);
         co_await link.write_frame(FrameType::verdict, {});
         co_await drain(link);
       },
       AtlsError::frame_malformed},
      {"a broken request",
       [](TlsLink& link, const Buffer& request) -> asio::awaitable<void> {
         Buffer cut = request;
         cut.pop_back();
         co_await link.write_frame(FrameType::att_request, cut);
         co_await drain(link);
       },
       AtlsError::request_malformed},
      {"leaving", [](TlsLink&, const Buffer&) -> asio::awaitable<void> { co_return; },
       AtlsError::peer_gone},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    World world;
    const auto outcome = server_outcome(world, c.script);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(name(*outcome), name(c.want));
  }
}

TEST(AtlsServer, DoesNotOfferProofOfTheKeyAlone) {
  World world;
  AttestationRequest request;
  request.mode = Mode::key_proof_only;
  auto said = std::make_shared<std::optional<AtlsError>>();
  ClientScript script = [said](TlsLink& link, const Buffer& bytes) -> asio::awaitable<void> {
    co_await link.write_frame(FrameType::att_request, bytes);
    auto answer = co_await link.expect_frame(FrameType::authenticator);
    if (!answer) *said = answer.error();
  };
  EXPECT_EQ(server_outcome(world, script, request), AtlsError::mode_unsupported);
  EXPECT_EQ(*said, AtlsError::peer_said_policy);
  EXPECT_EQ(world.source->quotes, 0);
}

// --- silence
// -----------------------------------------------------------------------------------------

TEST(AtlsDeadline, ASilentPeerIsGivenUp) {
  World world;
  const tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
  tcp::acceptor silent(world.context.executor(), loopback);  // the kernel accepts, nobody reads
  ConnectOptions options = world.options(silent.local_endpoint().port());
  options.timeout = std::chrono::milliseconds(50);
  EXPECT_EQ(error_of(world.connect(options)), AtlsError::deadline) << "silent in TLS";

  Script nothing = [](Scene& scene) -> asio::awaitable<void> { co_await drain(*scene.link); };
  ScriptedServer mute(world, nothing);
  options.port = mute.listener.port();
  options.timeout = std::chrono::milliseconds(500);
  EXPECT_EQ(error_of(world.connect(options)), AtlsError::deadline) << "silent after TLS";

  HonestServer server(world, world.acceptor(std::chrono::milliseconds(50)));
  http::RawClient client(server.listener.port());
  EXPECT_EQ(server.outcome(), AtlsError::deadline) << "a silent client";
}

TEST(AtlsDeadline, ARefusedPortIsNamed) {
  World world;
  uint16_t free_port = 0;
  {
    free_port = http::RawServer("").port();
  }
  EXPECT_EQ(error_of(world.connect(world.options(free_port))), AtlsError::connect_failed);
}

// --- the gate before the device
// ----------------------------------------------------------------------

asio::awaitable<int> enter_many(QuoteGate& gate, std::atomic<int>& entered) {
  std::vector<Result<QuoteGate::Permit>> held;
  held.push_back(co_await gate.enter("a"));
  held.push_back(co_await gate.enter("b"));
  auto executor = co_await asio::this_coro::executor;
  auto wait = [](QuoteGate& g, std::string peer, std::atomic<int>& n) -> asio::awaitable<void> {
    auto permit = co_await g.enter(std::move(peer));
    if (permit) ++n;
  };
  for (size_t i = 0; i < kMaxWaitingOfPeer; ++i) {
    asio::co_spawn(executor, wait(gate, "a", entered), asio::use_future);
  }
  // Each of these is refused or queued before it first waits; let them get there.
  asio::steady_timer turn(executor);
  for (int i = 0; i < 10; ++i) {
    turn.expires_after(std::chrono::seconds(0));
    co_await turn.async_wait(kAsTuple);
  }
  auto over = co_await gate.enter("a");
  co_return over ? -1 : static_cast<int>(over.error());
}

TEST(QuoteGateTest, QueuesAFewOfEachPeerAndRefusesTheRest) {
  http::TestContext context;
  QuoteGate gate;
  std::atomic<int> entered = 0;
  EXPECT_EQ(context.await(enter_many(gate, entered)), static_cast<int>(AtlsError::busy));
  // The permits are gone with the coroutine, so those who waited get their turn.
  auto all_in = [](std::atomic<int>& n) -> asio::awaitable<bool> {
    asio::steady_timer turn(co_await asio::this_coro::executor);
    for (int i = 0; i < 10'000 && n < static_cast<int>(kMaxWaitingOfPeer); ++i) {
      turn.expires_after(std::chrono::milliseconds(1));
      co_await turn.async_wait(kAsTuple);
    }
    co_return n == static_cast<int>(kMaxWaitingOfPeer);
  };
  EXPECT_TRUE(context.await(all_in(entered)));
}

}  // namespace
}  // namespace cloister::atls
