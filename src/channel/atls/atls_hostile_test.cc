// Servers, men in the middle and TLS stacks that do not keep to the protocol, against our client.
#include <gtest/gtest.h>

#include "channel/atls/atls_testing.h"

namespace cloister::atls {
namespace {

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
  options.timeout = std::chrono::seconds(2);
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
// A man in the middle who has the leaf's key.
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
}  // namespace
}  // namespace cloister::atls
