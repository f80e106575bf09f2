// The embedded ledger end to end: real state machine, real sockets, real light client.
#include "chain/daemon.h"

#include <gtest/gtest.h>

#include "chain/chain_testing.h"
#include "chain/ledger_application.h"
#include "http/http_testing.h"
#include "ledger/state/network_testing.h"
#include "ledger/types/keys.h"
#include "light/client.h"

namespace cloister::chain {
namespace {

using ledger::Family;
using light::LightError;

ledger::Genesis test_genesis() {
  return ledger::TestNetwork::funded({"alice", "bob", "operator"}, 10'000'000'000);
}

LedgerConfig ledger_config(const std::string& dir) {
  LedgerConfig config;
  config.dir = dir;
  config.genesis = test_genesis();
  config.verifier = std::make_shared<ledger::ScriptedVerifier>();
  config.validator = crypto::Ed25519Key::from_seed(ledger::sample_network(1).keys[0].seed());
  config.beacon = std::move(ledger::sample_network(1).secrets[0]);
  config.block_interval_ms = 20;
  config.heartbeat_ms = 200;
  return config;
}

Buffer transfer(std::string_view from, uint64_t nonce, std::string_view to, uint64_t amount) {
  ledger::Transfer body;
  body.to = ledger::key_of(to).public_key();
  body.amount_micro = amount;
  const ledger::Genesis genesis = test_genesis();
  return ledger::make_tx(genesis.chain_id, nonce, body, ledger::key_of(from),
                         genesis.params.min_fee_micro);
}

class EmbeddedLedger : public testing::Test {
 protected:
  EmbeddedLedger() { start(); }
  void start() {
    auto started = LedgerDaemon::start(context_->executor(), clock_, ledger_config(dir()));
    ASSERT_TRUE(started) << describe(started.error());
    ledger_.emplace(std::move(*started));
  }
  // Ends the context too, so that the database is closed for certain.
  void restart() {
    ledger_->stop();
    ledger_.reset();
    context_.emplace(2);
    start();
  }
  std::string dir() const {
    std::string path = folder_.file("");
    path.pop_back();
    return path;
  }
  std::unique_ptr<light::Client> client() {
    return std::make_unique<light::Client>(
        context_->executor(), std::make_unique<light::HttpRpc>("127.0.0.1", ledger_->port()),
        clock_, light::trust_of(test_genesis()));
  }
  uint64_t balance(light::Client& c, std::string_view who, int64_t min_height = 0) {
    const Buffer key = ledger::id_key(ledger::key_of(who).public_key());
    const auto read = context_->await(c.read(Family::accounts, key, min_height));
    EXPECT_TRUE(read) << describe(read.error());
    if (!read || !read->value) return 0;
    return ledger::Account::decode(*read->value)->balance_micro;
  }
  light::TxOutcomeProof send(light::Client& c, const Buffer& tx) {
    const auto sent = context_->await(c.broadcast(tx));
    EXPECT_TRUE(sent && sent->code == 0) << (sent ? sent->log : describe(sent.error()));
    const auto proof = context_->await(c.wait_tx(light::tx_id(tx), light::Millis(15'000)));
    EXPECT_TRUE(proof) << describe(proof.error());
    return proof.value_or(light::TxOutcomeProof());
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  std::optional<http::TestContext> context_{std::in_place, 2};
  std::optional<LedgerDaemon> ledger_;
};

TEST_F(EmbeddedLedger, ATransferIsSeenWithItsProof) {
  const auto c = client();
  EXPECT_EQ(balance(*c, "alice"), 10'000'000'000U);
  const auto outcome = send(*c, transfer("alice", 0, "carol", 5'000));
  EXPECT_EQ(outcome.code, 0U);
  EXPECT_EQ(balance(*c, "carol", outcome.height), 5'000U);
  const Buffer nobody = ledger::id_key(ledger::key_of("nobody").public_key());
  const auto absent = context_->await(c->read(Family::accounts, nobody));
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->value);
}

TEST_F(EmbeddedLedger, RestartContinues) {
  int64_t height = 0;
  {
    const auto c = client();
    height = send(*c, transfer("alice", 0, "carol", 5'000)).height;
  }
  restart();
  const auto c = client();
  EXPECT_EQ(balance(*c, "carol", height), 5'000U);
  const auto outcome = send(*c, transfer("alice", 1, "carol", 1'000));
  EXPECT_EQ(balance(*c, "carol", outcome.height), 6'000U);
}

// Who knows nothing but the genesis begins at the first block, which is never pruned.
TEST_F(EmbeddedLedger, APrunedLedgerServesNewClients) {
  const int64_t height = send(*client(), transfer("alice", 0, "carol", 5'000)).height;
  ledger_->stop();
  ledger_.reset();
  context_.emplace(2);
  LedgerConfig config = ledger_config(dir());
  config.keep_blocks = 3;
  auto started = LedgerDaemon::start(context_->executor(), clock_, std::move(config));
  ASSERT_TRUE(started) << describe(started.error());
  ledger_.emplace(std::move(*started));
  {
    const auto c = client();
    ASSERT_TRUE(context_->await(c->watch(height + 10, light::Millis(15'000))));
  }
  const auto c = client();
  EXPECT_EQ(balance(*c, "carol"), 5'000U);
  EXPECT_EQ(context_->await(c->watch(2, light::Millis(15'000))).error(), LightError::pruned);
  EXPECT_EQ(context_->await(c->light_block(2)).error(), LightError::pruned);
  EXPECT_TRUE(context_->await(c->light_block(1)));
  const auto outcome = send(*c, transfer("alice", 1, "carol", 1'000));
  EXPECT_EQ(balance(*c, "carol", outcome.height), 6'000U);
}

TEST_F(EmbeddedLedger, LongPollsEndWithTheBlock) {
  const auto c = client();
  const auto newest = context_->await(c->latest());
  ASSERT_TRUE(newest);
  const auto hint = context_->await(c->watch(newest->height + 2, light::Millis(15'000)));
  ASSERT_TRUE(hint);
  EXPECT_EQ(hint->height, newest->height + 2);
}

TEST_F(EmbeddedLedger, ManyClientsAtOnce) {
  constexpr int kClients = 8;
  std::vector<std::unique_ptr<light::Client>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(client());
  std::vector<std::thread> threads;
  std::atomic<int> seen = 0;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        if (balance(*clients[static_cast<size_t>(i)], "bob") == 10'000'000'000U) ++seen;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(seen, kClients * 5);
}

TEST_F(EmbeddedLedger, ADeadEndpointHasItsError) {
  light::Client lost(context_->executor(), std::make_unique<light::HttpRpc>("127.0.0.1", 1), clock_,
                     light::trust_of(test_genesis()));
  EXPECT_EQ(context_->await(lost.latest()).error(), LightError::unreachable);
}

TEST_F(EmbeddedLedger, RawRequests) {
  const auto answer = [&](std::string_view request) {
    http::RawClient raw(ledger_->port());
    raw.send(request);
    raw.shutdown_write();
    return raw.read_to_end();
  };
  const auto starts = [](const std::string& text, std::string_view with) {
    return text.starts_with(with) ? "" : text;
  };
  EXPECT_EQ(starts(answer("GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                   "HTTP/1.1 200"),
            "");
  EXPECT_EQ(starts(answer("GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "HTTP/1.1 403"),
            "");
  EXPECT_EQ(starts(answer("GET /status HTTP/1.1\r\nHost: localhost\r\n"
                          "Origin: https://evil.example\r\n\r\n"),
                   "HTTP/1.1 403"),
            "");
  EXPECT_EQ(starts(answer("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 404"), "");
  EXPECT_EQ(
      starts(answer("GET /commit?height=x HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 400"),
      "");
  EXPECT_EQ(starts(answer("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n"),
                   "HTTP/1.1 413"),
            "");
}

TEST(LedgerDaemonStart, RefusesWhatIsNotItsOwn) {
  TemporaryFolder folder;
  SystemClock clock;
  http::TestContext context;
  std::string dir = folder.file("");
  const auto error_with = [&](auto spoil) {
    LedgerConfig config = ledger_config(dir);
    spoil(config);
    return LedgerDaemon::start(context.executor(), clock, std::move(config)).error();
  };
  using C = LedgerConfig&;
  EXPECT_EQ(error_with([](C c) {
              c.genesis.embedded = false;
              c.genesis.validators[0].operator_account = ledger::key_of("operator").public_key();
            }),
            ChainError::bad_genesis);
  EXPECT_EQ(error_with([](C c) { c.genesis.chain_id = ""; }), ChainError::bad_genesis);
  EXPECT_EQ(error_with([](C c) { c.validator.reset(); }), ChainError::wrong_validator);
  EXPECT_EQ(error_with([](C c) { c.validator = test_key(5); }), ChainError::wrong_validator);
  EXPECT_EQ(error_with([](C c) { c.beacon.scalar.reveal_mutable()[0] ^= 1; }),
            ChainError::wrong_validator);
  EXPECT_EQ(error_with([](C c) { c.host = "203.0.113.7"; }), ChainError::cannot_listen);
  EXPECT_EQ(error_with([](C c) { c.dir = "no/such/folder"; }), ChainError::io);
}

TEST(ServiceFailure, AFullDiskIsReportedOnceAndRefusesTransactions) {
  TemporaryFolder folder;
  SystemClock clock;
  auto chain = open_toy(folder.file("ledger.db"));
  ASSERT_TRUE(chain);
  ASSERT_TRUE(chain->store_for_testing().limit_pages_for_testing(1));
  for (uint64_t i = 0; i < 8; ++i) {
    chain->submit(toy_tx(toy_sender(1), i, "big", std::string(100'000, 'x')));
  }
  std::promise<ChainError> failed;
  ServiceConfig config;
  config.on_failure = [&](ChainError error) { failed.set_value(error); };
  http::TestContext context;
  auto service = Service::start(context.executor(), clock, std::move(*chain), std::move(config));
  ASSERT_TRUE(service);
  auto failure = failed.get_future();
  ASSERT_EQ(failure.wait_for(http::kTestPatience), std::future_status::ready);
  EXPECT_EQ(failure.get(), ChainError::disk_full);
  light::TrustStart start{"toy-1", {}, std::nullopt, false};
  light::Client client(context.executor(),
                       std::make_unique<light::HttpRpc>("127.0.0.1", service->port()), clock,
                       start);
  EXPECT_EQ(context.await(client.broadcast(toy_tx(toy_sender(2), 0, "a", "b"))).error(),
            LightError::remote_refused);
}

// The real state machine under the driver, block by block.
class LedgerDriver : public testing::Test {
 protected:
  LedgerDriver() {
    LedgerConfig config = ledger_config("");
    LocalConfig local;
    local.path = folder_.file("ledger.db");
    local.chain_id = config.genesis.chain_id;
    local.validator = config.validator->public_key();
    local.power = 10;
    local.genesis_time_ms = now_ms_ = static_cast<UnixMillis>(config.genesis.time_ms);
    auto app = LedgerApplication::create(config.genesis, config.verifier, std::move(config.beacon));
    chain_.emplace(*LocalChain::open(local, std::move(*app), std::move(*config.validator)));
    produce();
  }
  void produce() { ASSERT_TRUE(chain_->produce(now_ms_ += 1000)); }
  template <typename Body>
  void send(const std::string& who, const Body& body) {
    const Buffer tx = ledger::make_tx(genesis_.chain_id, nonces_[who]++, body, ledger::key_of(who),
                                      genesis_.params.min_fee_micro);
    const auto verdict = chain_->submit(tx);
    ASSERT_EQ(verdict.admission, Admission::accepted) << verdict.log;
    produce();
    ASSERT_EQ(last_code(), 0U) << chain_->last()->results.back().log;
  }
  uint32_t last_code() const { return chain_->last()->results.back().outcome.code; }

  // What a node sends whose evidence names the last block of this chain.
  ledger::RegisterInstance registration() const {
    const ledger::TestNetwork twin(genesis_);
    ledger::Registration r = twin.registration("operator", "node", 1);
    r.block_height = static_cast<uint64_t>(chain_->height());
    r.block_hash = *to_fixed<32>(chain_->last()->signed_header.commit.block_id.hash);
    const auto binding = ledger::registration_binding(
        genesis_.chain_id, ledger::key_of("operator").public_key(), r.block_hash, r.block_height,
        *ledger::Claims::decode(r.claims));
    std::copy(binding.begin(), binding.end(), r.evidence[0].bytes.begin());
    return ledger::sign_registration(r, genesis_.chain_id, ledger::key_of("operator").public_key(),
                                     ledger::key_of("node"));
  }

  TemporaryFolder folder_;
  ledger::Genesis genesis_ = test_genesis();
  std::optional<LocalChain> chain_;
  std::map<std::string, uint64_t> nonces_;
  UnixMillis now_ms_ = 0;
};

// A request of block h: the share of h + 1 comes with block h + 1, the draw with block h + 2.
TEST_F(LedgerDriver, TheBeaconComesWhenADrawWaitsForIt) {
  ledger::OperatorBond bond;
  bond.amount_micro = genesis_.params.min_stake_micro;
  send("operator", bond);
  send("operator", registration());
  send("alice", ledger::TestNetwork::open_body());
  const auto session = chain_->last()->results.back().outcome.data;
  const auto h = static_cast<uint64_t>(chain_->height());
  EXPECT_EQ(chain_->next_block_ms(), now_ms_ + 10);
  produce();
  ASSERT_EQ(chain_->last()->txs.size(), 1U);
  EXPECT_EQ(last_code(), 0U) << chain_->last()->results[0].log;
  const auto beacon = chain_->view_at(chain_->height())->read("beacon", ledger::number_key(h + 1));
  ASSERT_TRUE(beacon && beacon->value);
  EXPECT_TRUE(ledger::Beacon::decode(*beacon->value)->value);
  produce();
  EXPECT_EQ(chain_->last()->txs.size(), 0U);
  const auto read = chain_->view_at(chain_->height())->read("sessions", session);
  ASSERT_TRUE(read && read->value);
  EXPECT_EQ(ledger::Session::decode(*read->value)->state, ledger::SessionState::assigned);
}

}  // namespace
}  // namespace cloister::chain
