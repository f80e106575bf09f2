// Whole connections over loopback between peers that keep to the protocol, and silent ones.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "channel/atls/atls_testing.h"
#include "channel/atls/quote_gate.h"
#include "http/client.h"
#include "http/server.h"

namespace cloister::atls {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

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
    PeerVerifier verifier =
        [r = refusal](const PeerEvidence&) -> asio::awaitable<std::expected<Hash32, Refusal>> {
      co_return std::unexpected(r);
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
