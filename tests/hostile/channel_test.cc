// Nodes that cannot prove, on this very connection, what the ledger says they are: each is refused
// with its own error, and none hears a byte of a request.
#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/cbor.h"
#include "gateway/network.h"
#include "hostile_testing.h"
#include "ledger/types/samples_testing.h"
#include "policy/policy.h"

namespace cloister::hostile {
namespace {

using gateway::ApiCode;

class HostileChannel : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new World;
    node_ = &world_->keep(std::make_unique<HostileNode>(*world_));
  }
  static void TearDownTestSuite() { delete world_; }
  void SetUp() override {
    node().bends = {};
    node().heard();
    node().connections();
  }

  static World& world() { return *world_; }
  static HostileNode& node() { return *node_; }
  static Gateway& gateway() { return world().keep(std::make_unique<Gateway>(world())); }

  // Nothing of the prompt was heard, and the reason begins with `why`.
  static void expect_refused(std::string_view why) { expect_refused(gateway(), why); }
  static void expect_refused(Gateway& asking, std::string_view why) {
    const Asked asked = asking.ask();
    ASSERT_TRUE(asked.error) << why;
    EXPECT_EQ(asked.error->code, ApiCode::attestation_failed) << asked.error->message;
    EXPECT_TRUE(asked.error->message.starts_with(untrusted(why))) << asked.error->message;
    ASSERT_EQ(asking.refused.size(), 1U);
    EXPECT_EQ(asking.refused[0], asked.error->message);
    EXPECT_EQ(node().heard(), "") << why;
    EXPECT_EQ(node().connections(), 1U) << why;
    EXPECT_EQ(asking.session, nullptr);
  }
  static void expect_refused(evidence::Error error) { expect_refused(evidence::name(error)); }
  static void expect_refused(atls::AtlsError error) { expect_refused(atls::name(error)); }

 private:
  static World* world_;
  static HostileNode* node_;
};
World* HostileChannel::world_ = nullptr;
HostileNode* HostileChannel::node_ = nullptr;

// The control: with nothing bent the same node hears the prompt, so silence means something.
TEST_F(HostileChannel, UnbentItHearsThePrompt) {
  Gateway& asking = gateway();
  const Asked asked = asking.ask();
  ASSERT_TRUE(asked.error);
  EXPECT_EQ(asked.error->code, ApiCode::node_lost) << asked.error->message;
  EXPECT_TRUE(asking.refused.empty());
  EXPECT_NE(node().heard().find(kCanary), std::string::npos);
}

TEST_F(HostileChannel, EvidenceWithAFlippedByte) {
  constexpr size_t kReportData = 48 + 520, kMrtd = 48 + 136, kSignature = 48 + 584 + 4;
  struct Case {
    size_t at;
    evidence::Error error;
  };
  const Case cases[] = {{0, evidence::Error::unsupported},
                        {kMrtd, evidence::Error::bad_signature},
                        {kReportData, evidence::Error::bad_signature},
                        {kSignature, evidence::Error::bad_signature}};
  for (const auto& one : cases) {
    node().bends.evidence = [at = one.at](Items& items) { items[0].bytes[at] ^= 1; };
    expect_refused(one.error);
  }
}

TEST_F(HostileChannel, NoEvidence) {
  node().bends.authenticator = [](Meeting& meeting) -> asio::awaitable<Buffer> {
    CborWriter cmw;
    const Buffer claims = node().claims.encode();
    cmw.map(1).u64(0).array(2).text(atls::kClaimsMediaType).bytes(claims);
    const auto& leaf = node().identity.leaf;
    co_return atls::make_authenticator(meeting.exported, meeting.request_bytes,
                                       meeting.request.context, leaf.certificate, leaf.key,
                                       cmw.take());
  };
  expect_refused(atls::AtlsError::evidence_absent);
}

TEST_F(HostileChannel, EvidenceForSomethingElse) {
  using Inputs = atls::BindingInputs&;
  const std::function<void(Inputs)> others[] = {
      [](Inputs in) { in.spki_sha256[0] ^= 1; },  // another key
      [](Inputs in) { in.instance_id[0] ^= 1; },    [](Inputs in) { in.role = atls::Role::client; },
      [](Inputs in) { in.request_sha256[0] ^= 1; }, [](Inputs in) { in.claims_sha256[0] ^= 1; },
      [](Inputs in) { in.bind[0] ^= 1; },
  };
  for (const auto& other : others) {
    node().bends.binding = other;
    expect_refused(evidence::Error::report_data_mismatch);
  }
}

TEST_F(HostileChannel, ReplayedEvidence) {
  Items recorded;
  node().bends.quote = [&recorded](const Fixed<64>& report_data) {
    recorded = node().quote(report_data);
    return recorded;
  };
  const Asked first = gateway().ask();
  ASSERT_EQ(first.error->code, ApiCode::node_lost);  // it was trusted: the evidence was good then
  node().heard();
  node().connections();
  node().bends.quote = [&recorded](const Fixed<64>&) { return recorded; };
  expect_refused(evidence::Error::report_data_mismatch);
}

TEST_F(HostileChannel, RegistrationEvidence) {
  const auto& id = node().identity;
  const auto binding = ledger::registration_binding(world().genesis.chain_id, id.instance_id(),
                                                    Hash32{}, 1, node().claims);
  node().bends.quote = [binding](const Fixed<64>&) { return node().quote(binding); };
  expect_refused(evidence::Error::report_data_mismatch);
}

TEST_F(HostileChannel, DebugTd) {
  node().bends.quote = [](const Fixed<64>& report_data) {
    evidence::sim::TdxParameters td;
    const auto measured_now = measured(node().config);
    td.mrtd = measured_now.image;
    std::ranges::copy(measured_now.config, td.mrconfigid.begin());
    td.td_attributes |= 1;
    Items items(1);
    items[0].format = static_cast<uint8_t>(evidence::Format::tdx_quote);
    items[0].bytes = intel().quote(td, report_data);
    return items;
  };
  expect_refused(evidence::Error::debug_enabled);
}

// Genuine TDs that are not the one that was registered.
TEST_F(HostileChannel, AnotherTd) {
  struct Case {
    uint8_t image;
    uint32_t platform;
    bool configured;
    std::string why;
  };
  const Case cases[] = {
      {8, 0, true, std::string(policy::name(policy::Reason::measurement))},
      {7, 0, false, "configuration: "},
      {7, 1, true, "ledger_record: "},
  };
  for (const auto& one : cases) {
    node().bends.quote = [one](const Fixed<64>& report_data) {
      evidence::sim::TdxParameters td;
      td.mrtd.fill(one.image);
      td.platform = one.platform;
      const auto config = node().config.digest();
      if (one.configured) std::ranges::copy(config, td.mrconfigid.begin());
      Items items(1);
      items[0].format = static_cast<uint8_t>(evidence::Format::tdx_quote);
      items[0].bytes = intel().quote(td, report_data);
      return items;
    };
    Gateway& asking = gateway();
    expect_refused(asking, one.why);
    // What was confirmed before its report failed is closed, so that the deposit comes back.
    EXPECT_NE(asking.first_session().state, ledger::SessionState::confirmed) << one.why;
  }
}

// Whoever listens at the endpoint of a record without its key belongs to no record.
TEST_F(HostileChannel, AnotherLeaf) {
  const auto other = atls::make_leaf(world().random, world().clock.now());
  node().bends.leaf = &other;
  expect_refused(atls::AtlsError::leaf_not_as_registered);
}

TEST_F(HostileChannel, TicketsOffered) {
  node().bends.flaw = atls::Flaw::tickets;
  expect_refused(atls::AtlsError::ticket_pushed);
}

TEST_F(HostileChannel, OtherTls) {
  node().bends.flaw = atls::Flaw::no_alpn;
  expect_refused(atls::AtlsError::wrong_protocol);
  node().bends.flaw = atls::Flaw::tls_1_2;
  expect_refused(atls::AtlsError::wrong_protocol);
}

TEST_F(HostileChannel, HttpBeforeDone) {
  const std::string http = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
  node().bends.instead_of_authenticator = http;
  expect_refused(atls::AtlsError::data_before_done);
  node().bends = {};
  node().bends.instead_of_done = http;
  expect_refused(atls::AtlsError::data_before_done);
}

// Everything that the gateway's program puts around the opener.
struct Around {
  Around(World& world, const std::filesystem::path& folder)
      : receipts(*gateway::ReceiptStore::open(folder)),
        client(world.client()),
        account(*client, ledger::make_key("rival"), world.genesis.chain_id,
                world.context.get_executor()),
        connector(world.context.get_executor(), world.clock, world.random),
        draws(gateway::DrawParts{*client, world.genesis, std::nullopt, world.clock,
                                 [](uint64_t) { return true; }}),
        opener(gateway::OpenerParts{
            *client, account, connector, world.genesis, draws, std::nullopt,
            sealed::Padding::standard, world.clock, world.log,
            [this](gateway::RefusedNode node) { network->note_refused(std::move(node)); }}),
        jobs(gateway::JobParts{
            *client, account, world.genesis, draws, std::nullopt, sealed::Padding::standard,
            std::nullopt, world.clock, world.random, world.log,
            [this](gateway::RefusedNode node) { network->note_refused(std::move(node)); }}) {
    network.emplace(gateway::NetworkParts{world.context, *client, opener, jobs, receipts, config,
                                          world.genesis, world.clock, world.random, world.log});
  }
  asio::awaitable<std::expected<inference::GenerateResult, gateway::ApiError>> ask() {
    network->start();
    auto chat = canary_chat();
    gateway::OnPiece nobody = [](const UserText&) -> asio::awaitable<bool> { co_return true; };
    auto answer = co_await network->ask(std::move(chat), "rcpt-none", std::move(nobody));
    co_await network->stop();
    co_return answer;
  }

  gateway::GatewayConfig config;
  gateway::ReceiptStore receipts;
  std::unique_ptr<light::Client> client;
  light::Account account;
  atls::Connector connector;
  gateway::Draws draws;
  gateway::SessionOpener opener;
  gateway::JobAsker jobs;
  std::optional<gateway::Network> network;
};

// A question that waits for a session ends with the reason, not with the half minute's patience.
TEST(HostileNetwork, SaysWhyNobodyAnswers) {
  World world;
  HostileNode& node = world.keep(std::make_unique<HostileNode>(world));
  node.bends.binding = [](atls::BindingInputs& inputs) { inputs.bind[0] ^= 1; };
  auto& around = world.keep(std::make_unique<Around>(world, world.folder() / "receipts"));
  const auto answer = world.await(around.ask());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ApiCode::attestation_failed) << answer.error().message;
  ASSERT_FALSE(around.network->refused_nodes().empty());
  EXPECT_EQ(around.network->refused_nodes()[0].reason,
            untrusted(evidence::name(evidence::Error::report_data_mismatch)));
  EXPECT_EQ(node.heard(), "");
}

// --- in the middle -------------------------------------------------------------------------------

// The true instance on a port of its own: what a man in the middle can reach.
class TrueInstance final : public atls::EvidenceSource {
 public:
  TrueInstance(World& world, HostileNode& node) : world_(world), node_(node) {}

  asio::awaitable<atls::Result<std::vector<evidence::Evidence>>> quote(
      Fixed<64> report_data) override {
    std::vector<evidence::Evidence> out;
    for (auto& item : node_.quote(report_data)) {
      out.push_back({static_cast<evidence::Format>(item.format), std::move(item.bytes)});
    }
    co_return out;
  }
  Buffer claims() override { return node_.claims.encode(); }

  // What it answers to `request` on a connection to it, with that connection.
  struct Relayed {
    std::shared_ptr<atls::TlsLink> link;
    Buffer authenticator;
  };
  static asio::awaitable<Relayed> ask(std::shared_ptr<TrueInstance> self, Buffer request) {
    tcp::acceptor listener(self->world_.context,
                           tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = listener.local_endpoint().port();
    asio::co_spawn(self->world_.context, serve(self, std::move(listener)), asio::detached);
    auto socket = co_await http::connect_tcp(self->world_.context.get_executor(), "127.0.0.1", port,
                                             std::chrono::seconds(10));
    Relayed out;
    out.link = std::make_shared<atls::TlsLink>(std::move(*socket), atls::make_client_context());
    out.link->watch().spki_sha256 = self->node_.identity.spki_sha256;
    out.link->watch().now = self->world_.clock.now();
    co_await out.link->handshake(true);
    co_await out.link->write_frame(atls::FrameType::att_request, request);
    auto frame = co_await out.link->expect_frame(atls::FrameType::authenticator);
    if (frame) out.authenticator = std::move(*frame);
    co_return out;
  }

 private:
  static asio::awaitable<void> serve(std::shared_ptr<TrueInstance> self, tcp::acceptor listener) {
    auto socket = co_await listener.async_accept(asio::make_strand(self->world_.context),
                                                 asio::use_awaitable);
    atls::AcceptOptions options;
    options.instance_id = self->node_.identity.instance_id();
    atls::Acceptor acceptor(self->node_.identity.leaf, self, options);
    co_await acceptor.accept(std::move(socket));
  }

  World& world_;
  HostileNode& node_;
};

Items evidence_in(TrueInstance::Relayed& relayed, const Meeting& meeting) {
  const auto hash = *atls::check_session(relayed.link->ssl());
  const auto exported = *atls::export_authenticator_keys(relayed.link->ssl(), hash);
  const auto cmw =
      atls::verify_authenticator(exported, meeting.request_bytes, meeting.request.context,
                                 *relayed.link->watch().leaf, relayed.authenticator);
  Items out;
  if (!cmw) return out;
  auto attestation = atls::decode_cmw(*cmw);
  if (!attestation) return out;
  for (auto& one : attestation->evidence) {
    ledger::EvidenceItem item;
    item.format = static_cast<uint8_t>(one.format);
    item.bytes = std::move(one.bytes);
    out.push_back(std::move(item));
  }
  return out;
}

// With the instance's stolen TLS key: the frames pass through as they are.
TEST_F(HostileChannel, RelayedFrames) {
  auto instance = std::make_shared<TrueInstance>(world(), node());
  node().bends.authenticator = [instance](Meeting& meeting) -> asio::awaitable<Buffer> {
    auto relayed = co_await TrueInstance::ask(instance, meeting.request_bytes);
    EXPECT_FALSE(relayed.authenticator.empty());
    co_return std::move(relayed.authenticator);
  };
  expect_refused(atls::AtlsError::bad_finished);
}

// With the stolen key, and an authenticator made anew around the relayed evidence.
TEST_F(HostileChannel, RelayedEvidence) {
  auto instance = std::make_shared<TrueInstance>(world(), node());
  node().bends.authenticator = [instance](Meeting& meeting) -> asio::awaitable<Buffer> {
    auto relayed = co_await TrueInstance::ask(instance, meeting.request_bytes);
    const auto items = evidence_in(relayed, meeting);
    EXPECT_EQ(items.size(), 1U);
    co_return node().authenticator(meeting, items);
  };
  expect_refused(evidence::Error::report_data_mismatch);
}

// Without the key it does not get so far.
TEST_F(HostileChannel, RelayedWithoutTheKey) {
  const auto own = atls::make_leaf(world().random, world().clock.now());
  auto instance = std::make_shared<TrueInstance>(world(), node());
  node().bends.leaf = &own;
  node().bends.authenticator = [instance](Meeting& meeting) -> asio::awaitable<Buffer> {
    auto relayed = co_await TrueInstance::ask(instance, meeting.request_bytes);
    co_return std::move(relayed.authenticator);
  };
  expect_refused(atls::AtlsError::leaf_not_as_registered);
}

}  // namespace
}  // namespace cloister::hostile
