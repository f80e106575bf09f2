// Clients that do not keep to the protocol, against our server.
#include <gtest/gtest.h>

#include "channel/atls/atls_testing.h"

namespace cloister::atls {
namespace {

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
}  // namespace
}  // namespace cloister::atls
