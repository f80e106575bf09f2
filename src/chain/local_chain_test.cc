#include "chain/local_chain.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "chain/chain_testing.h"
#include "chain/sqlite.h"
#include "crypto/hash.h"
#include "light/sync.h"

namespace cloister::chain {
namespace {

const Hash32 kAlice = toy_sender(1), kBob = toy_sender(2);

class Driver : public testing::Test {
 protected:
  Driver() { reopen(); }
  void reopen() {
    chain_.reset();
    auto opened = open_toy(folder_.file("ledger.db"));
    ASSERT_TRUE(opened) << describe(opened.error());
    chain_.emplace(std::move(*opened));
  }
  void produce(int count = 1) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(chain_->produce(now_ms_ += 1000));
  }
  std::string value(std::string_view key) {
    const auto read = chain_->view_at(chain_->height())->read("jobs", as_bytes(key));
    return read->value ? std::string(as_text(*read->value)) : "";
  }
  light::LightBlock light_block(int64_t height) const {
    return {chain_->block(height)->signed_header, chain_->parts().validators};
  }

  TemporaryFolder folder_;
  std::optional<LocalChain> chain_;
  UnixMillis now_ms_ = kTestGenesisMs;
};

TEST_F(Driver, HeadersAreGenuine) {
  ASSERT_EQ(chain_->submit(toy_tx(kAlice, 0, "a", "1")).admission, Admission::accepted);
  produce(4);
  const auto trusted = light::verify_genesis("toy-1", chain_->parts().validators, light_block(1));
  ASSERT_TRUE(trusted);
  for (int64_t h = 2; h <= 4; ++h) {
    EXPECT_TRUE(light::verify(*trusted, light_block(h), now_ms_, {}));
  }
  const auto second = light::verify_adjacent(*trusted, light_block(2), now_ms_, {});
  ASSERT_TRUE(second);
  EXPECT_TRUE(light::verify_adjacent(*second, light_block(3), now_ms_, {}));
  EXPECT_EQ(light_block(1).signed_header.header.data_hash,
            to_buffer(light::data_hash(chain_->block(1)->txs)));
}

TEST_F(Driver, StateIsProvenByTheNextHeader) {
  chain_->submit(toy_tx(kAlice, 0, "a", "1"));
  produce(2);
  const auto read = chain_->view_at(1)->read("jobs", as_bytes("a"));
  const Buffer root = chain_->block(2)->header().app_hash;
  EXPECT_TRUE(light::verify_read(read->proof, kToyValues, as_bytes("a"), as_bytes("1"), root));
  const auto before = chain_->view_at(0)->read("jobs", as_bytes("a"));
  EXPECT_TRUE(light::verify_read(before->proof, kToyValues, as_bytes("a"), std::nullopt,
                                 chain_->block(1)->header().app_hash));
}

TEST_F(Driver, TimeRisesEvenWhenTheClockFalls) {
  produce();
  const UnixMillis first = chain_->last()->time_ms();
  ASSERT_TRUE(chain_->produce(first - 5000));
  EXPECT_EQ(chain_->last()->time_ms(), first + 1);
}

TEST_F(Driver, BlocksAreDueForAReason) {
  produce();
  EXPECT_EQ(chain_->next_block_ms(), now_ms_ + 10);  // a first read needs two headers
  produce();
  const UnixMillis at = chain_->last()->time_ms();
  EXPECT_EQ(chain_->next_block_ms(), at + 3000);  // a heartbeat
  chain_->submit(toy_tx(kAlice, 0, "a", "1"));
  EXPECT_EQ(chain_->next_block_ms(), at + 200);
  produce();
  EXPECT_EQ(chain_->next_block_ms(), chain_->last()->time_ms() + 10);  // the proof block
  produce();
  EXPECT_EQ(chain_->next_block_ms(), chain_->last()->time_ms() + 3000);
}

TEST_F(Driver, DueWorkMakesABlock) {
  auto app = std::make_unique<ToyApplication>();
  app->work_due_at = 3;
  auto chain = LocalChain::open(toy_config(folder_.file("due.db")), std::move(app), test_key(1));
  ASSERT_TRUE(chain);
  ASSERT_TRUE(chain->produce(now_ms_));
  ASSERT_TRUE(chain->produce(now_ms_ + 10));
  EXPECT_EQ(chain->next_block_ms(), now_ms_ + 10 + 200);
  ASSERT_TRUE(chain->produce(now_ms_ + 210));
  EXPECT_EQ(chain->next_block_ms(), now_ms_ + 210 + 10);  // the proof of what it did
}

TEST_F(Driver, FailedTransactionsHaveResults) {
  chain_->submit(toy_tx(kAlice, 0, "!", "1"));
  chain_->submit(toy_tx(kAlice, 1, "b", "2"));
  produce(2);
  EXPECT_EQ(chain_->block(1)->results[0].outcome.code, kToyFailure);
  EXPECT_EQ(chain_->block(1)->results[1].outcome.code, 0U);
  EXPECT_EQ(value("b"), "2");
}

// The toy counts a refused nonce as used, the ledger does not: here the same bytes stand in two
// blocks.
TEST_F(Driver, ATransactionIsFoundWhereItSucceeded) {
  const Buffer tx = toy_tx(kAlice, 0, "a", "1");
  const auto block_with = [&](int64_t height, uint32_t code) {
    Block block;
    block.txs = {tx};
    block.results.resize(1);
    block.results[0].outcome.code = code;
    light::Header& header = block.signed_header.header;
    header = next_header(chain_->parts(), nullptr, now_ms_, block.txs);
    header.height = height;
    ASSERT_TRUE(chain_->store_for_testing().append(block, {}));
  };
  const auto found_at = [&] { return (*chain_->find_tx(light::tx_id(tx)))->height; };
  block_with(1, 5);
  EXPECT_EQ(found_at(), 1);
  block_with(2, 5);
  EXPECT_EQ(found_at(), 2);
  block_with(3, 0);
  EXPECT_EQ(found_at(), 3);
  block_with(4, 7);
  EXPECT_EQ(found_at(), 3);
}

TEST_F(Driver, RestartContinuesWhereItStopped) {
  chain_->submit(toy_tx(kAlice, 0, "a", "1"));
  produce(3);
  const Block last = *chain_->last();
  const Hash32 root = chain_->view_at(3)->app_hash();
  reopen();
  EXPECT_EQ(chain_->height(), 3);
  EXPECT_EQ(encode_block(*chain_->last()), encode_block(last));
  EXPECT_EQ(chain_->view_at(3)->app_hash(), root);
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(chain_->submit(toy_tx(kAlice, 0, "a", "1")).admission, Admission::wrong_nonce);
  EXPECT_EQ(chain_->submit(toy_tx(kAlice, 1, "a", "2")).admission, Admission::accepted);
  produce();
  EXPECT_EQ(value("a"), "2");
  const auto place = chain_->find_tx(light::tx_id(toy_tx(kAlice, 0, "a", "1")));
  ASSERT_TRUE(place && *place);
  EXPECT_EQ((*place)->height, 1);
}

TEST_F(Driver, EqualInputsGiveEqualBlocks) {
  auto other = open_toy(folder_.file("other.db"));
  ASSERT_TRUE(other);
  SeededRandom random(7);
  std::map<uint8_t, uint64_t> nonces;
  for (int round = 0; round < 50; ++round) {
    for (uint64_t i = 0; i < random.next() % 5; ++i) {
      const auto sender = static_cast<uint8_t>(random.next() % 3);
      const Buffer tx = toy_tx(toy_sender(sender), nonces[sender]++,
                               std::string(1, static_cast<char>('a' + random.next() % 6)),
                               std::to_string(random.next() % 3 ? random.next() : 0));
      ASSERT_EQ(chain_->submit(tx).admission, Admission::accepted);
      ASSERT_EQ(other->submit(tx).admission, Admission::accepted);
    }
    produce();
    ASSERT_TRUE(other->produce(now_ms_));
    ASSERT_EQ(encode_block(*chain_->last()), encode_block(*other->last()));
  }
}

// --- pruning
// ----------------------------------------------------------------------------------------

class Pruned : public testing::Test {
 protected:
  std::string path() const { return folder_.file("pruned.db"); }
  Result<LocalChain> open(int64_t keep_blocks) const {
    LocalConfig config = toy_config(path());
    config.keep_blocks = keep_blocks;
    return LocalChain::open(config, std::make_unique<ToyApplication>(), test_key(1));
  }
  // Each block holds one transaction of Alice's.
  void produce(LocalChain&& chain, int count) { produce(chain, count); }
  void produce(LocalChain& chain, int count) {
    for (int i = 0; i < count; ++i) {
      const auto nonce = static_cast<uint64_t>(chain.height());
      chain.submit(toy_tx(kAlice, nonce, "a", std::to_string(nonce)));
      ASSERT_TRUE(chain.produce(kTestGenesisMs + 1000 * chain.height()));
    }
  }
  Status execute(const char* sql) const { return Database::open(path(), false)->execute(sql); }
  TemporaryFolder folder_;
};

TEST_F(Pruned, OldBlocksGoAndTheChainIsTheSame) {
  auto whole = open_toy(folder_.file("whole.db"));
  auto chain = open(5);
  ASSERT_TRUE(whole && chain);
  produce(*whole, 30);
  produce(*chain, 30);
  EXPECT_EQ(encode_block(*chain->last()), encode_block(*whole->last()));
  EXPECT_EQ(chain->earliest(), 26);
  for (int64_t h = 1; h <= 30; ++h) {
    SCOPED_TRACE(h);
    const auto tx =
        light::tx_id(toy_tx(kAlice, static_cast<uint64_t>(h - 1), "a", std::to_string(h - 1)));
    const auto block = chain->block(h);
    if (h == 1 || h >= 26) {
      ASSERT_TRUE(block);
      EXPECT_EQ(encode_block(*block), encode_block(*whole->block(h)));
      EXPECT_EQ((*chain->find_tx(tx))->height, h);
    } else {
      EXPECT_EQ(block.error(), ChainError::missing_block);
      EXPECT_FALSE(*chain->find_tx(tx));
    }
  }
}

TEST_F(Pruned, ItOpensAgainAndGoesOnWhateverIsToBeKept) {
  {
    produce(std::move(*open(5)), 30);
  }
  {
    auto chain = open(0);
    ASSERT_TRUE(chain) << describe(chain.error());
    produce(*chain, 10);
    EXPECT_EQ(chain->earliest(), 26);
  }
  auto chain = open(3);
  ASSERT_TRUE(chain);
  produce(*chain, 1);
  EXPECT_EQ(chain->earliest(), 39);
  auto whole = open_toy(folder_.file("whole.db"));
  produce(*whole, 41);
  EXPECT_EQ(encode_block(*chain->last()), encode_block(*whole->last()));
}

TEST_F(Pruned, ALongPastGoesInSteps) {
  {
    produce(std::move(*open(0)), 250);
  }
  auto chain = open(10);
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->earliest(), 1);
  for (const int64_t want : {102, 202, 244, 245}) {
    produce(*chain, 1);
    EXPECT_EQ(chain->earliest(), want);
  }
}

TEST_F(Pruned, WhatIsMissingBesidesIsFound) {
  const char* const damages[] = {
      "DELETE FROM blocks WHERE height=28",
      "DELETE FROM blocks WHERE height=1",
      "DELETE FROM blocks WHERE height=26",
      "DELETE FROM pruned",
      "UPDATE pruned SET earliest=1",
      "UPDATE pruned SET earliest=27",
      "UPDATE pruned SET earliest=31",
      "UPDATE pruned SET earliest=-5",
      "UPDATE pruned SET earliest=9223372036854775807",
      "INSERT INTO blocks SELECT 25, digest, block FROM blocks WHERE height=26",
      "UPDATE blocks SET height=25 WHERE height=26",
      // One block in another's place, with its own good digest.
      "REPLACE INTO blocks SELECT 26, digest, block FROM blocks WHERE height=27",
  };
  for (const char* damage : damages) {
    SCOPED_TRACE(damage);
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    {
      produce(std::move(*open(5)), 30);
    }
    ASSERT_TRUE(open(5));
    ASSERT_TRUE(execute(damage));
    EXPECT_FALSE(open(5));
  }
}

// Its own digest is right, and so is all that the next block says of it; but these are not the
// transactions that its header stands for.
TEST_F(Pruned, TheFirstBlockThatWasKeptIsCheckedAgainstItsHeader) {
  Block block;
  {
    auto chain = open(5);
    produce(*chain, 30);
    block = *chain->block(26);
  }
  ASSERT_TRUE(open(5));
  block.txs.at(0).back() ^= 1;
  const Buffer bytes = encode_block(block);
  const Hash32 digest = crypto::Sha256()
                            .update(std::string_view("cloister stored block v1\0", 25))
                            .update(bytes)
                            .finish();
  {
    auto db = Database::open(path(), false);
    auto replace = db->prepare("UPDATE blocks SET digest=?, block=? WHERE height=26");
    ASSERT_TRUE(replace->bind(1, Bytes(digest)).bind(2, Bytes(bytes)).run());
  }
  EXPECT_EQ(open(5).error(), ChainError::broken_link);
}

// The first block that was kept has nothing before it to be compared with.
TEST_F(Driver, ABlockAloneIsCheckedAsFarAsItCanBe) {
  chain_->submit(toy_tx(kAlice, 0, "a", "1"));
  produce(3);
  const HeaderParts& parts = chain_->parts();
  for (int64_t h = 1; h <= 3; ++h) EXPECT_TRUE(check_alone(parts, *chain_->block(h)));
  const std::pair<const char*, std::function<void(Block&)>> faults[] = {
      {"chain", [](Block& b) { b.signed_header.header.chain_id = "other"; }},
      {"version", [](Block& b) { b.signed_header.header.app_version += 1; }},
      {"validators", [](Block& b) { b.signed_header.header.validators_hash[0] ^= 1; }},
      {"proposer", [](Block& b) { b.signed_header.header.proposer_address[0] ^= 1; }},
      {"transactions", [](Block& b) { b.txs.clear(); }},
      {"results", [](Block& b) { b.results.clear(); }},
      {"commit", [](Block& b) { b.signed_header.commit.height += 1; }},
      {"hash", [](Block& b) { b.signed_header.commit.block_id.hash[0] ^= 1; }},
      {"parts", [](Block& b) { b.signed_header.commit.block_id.parts_hash[0] ^= 1; }},
      {"state", [](Block& b) { b.signed_header.header.app_hash[0] ^= 1; }},
  };
  for (const auto& [name, spoil] : faults) {
    Block block = *chain_->block(1);
    spoil(block);
    EXPECT_FALSE(check_alone(parts, block)) << name;
  }
}

TEST_F(Driver, OnlyRecentStatesAreKept) {
  produce(static_cast<int>(kViewsKept) + 5);
  EXPECT_TRUE(chain_->view_at(chain_->height()));
  EXPECT_TRUE(chain_->view_at(chain_->height() - static_cast<int64_t>(kViewsKept) + 1));
  EXPECT_FALSE(chain_->view_at(chain_->height() - static_cast<int64_t>(kViewsKept)));
  EXPECT_FALSE(chain_->view_at(chain_->height() + 1));
  EXPECT_FALSE(chain_->view_at(-1));
}

TEST_F(Driver, AFullDiskStopsTheChainWithItsError) {
  produce(2);
  ASSERT_TRUE(chain_->store_for_testing().limit_pages_for_testing(1));
  // SQLite never takes a limit below what the file has; one large block must not fit any more.
  for (uint64_t i = 0; i < 8; ++i) {
    chain_->submit(toy_tx(kAlice, i, "big", std::string(100'000, 'x')));
  }
  const Status full = chain_->produce(now_ms_ += 1000);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error(), ChainError::disk_full);
  EXPECT_EQ(chain_->height(), 2);
  EXPECT_EQ(chain_->produce(now_ms_ += 1000).error(), ChainError::stopped);
  EXPECT_EQ(chain_->stopped(), ChainError::disk_full);
  reopen();
  EXPECT_EQ(chain_->height(), 2);
  produce();
}

TEST_F(Driver, WrongOwnersAreRefused) {
  produce();
  chain_.reset();
  const auto error_with = [&](auto spoil) {
    LocalConfig config = toy_config(folder_.file("ledger.db"));
    spoil(config);
    return LocalChain::open(config, std::make_unique<ToyApplication>(), test_key(1)).error();
  };
  EXPECT_EQ(error_with([](LocalConfig& c) { c.chain_id = "toy-2"; }), ChainError::wrong_chain);
  EXPECT_EQ(error_with([](LocalConfig& c) { c.chain_id = ""; }), ChainError::bad_chain_id);
  EXPECT_EQ(error_with([](LocalConfig& c) { c.genesis_hash[0] ^= 1; }), ChainError::wrong_genesis);
  EXPECT_EQ(error_with([](LocalConfig& c) { c.validator[0] ^= 1; }), ChainError::wrong_validator);
  EXPECT_EQ(error_with([](LocalConfig& c) { c.app_version = 2; }), ChainError::broken_link);
  EXPECT_EQ(error_with([](LocalConfig& c) { c.path += "/no/such/folder"; }), ChainError::io);
}

TEST_F(Driver, ASecondProcessIsLockedOut) {
  produce();
  const auto second = open_toy(folder_.file("ledger.db"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), ChainError::in_use);
}

// --- mempool
// ----------------------------------------------------------------------------------------

TEST(MempoolTest, AdmitsInOrderOfNonces) {
  ToyApplication app;
  Mempool pool({});
  EXPECT_EQ(pool.add(toy_tx(kAlice, 1, "a", "1"), *app.view()).admission, Admission::wrong_nonce);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 1, "a", "1"), *app.view()).code, kToyNonce);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 0, "a", "1"), *app.view()).admission, Admission::accepted);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 0, "a", "1"), *app.view()).admission,
            Admission::already_waiting);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 0, "a", "2"), *app.view()).admission, Admission::wrong_nonce);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 1, "a", "2"), *app.view()).admission, Admission::accepted);
  EXPECT_EQ(pool.add(toy_tx(kBob, 0, "a", "2"), *app.view()).admission, Admission::accepted);
  const auto refused = pool.add(Buffer{1, 2, 3}, *app.view());
  EXPECT_EQ(refused.admission, Admission::refused);
  EXPECT_EQ(refused.code, kToyMalformed);
  EXPECT_EQ(pool.size(), 3U);
}

TEST(MempoolTest, IsBounded) {
  ToyApplication app;
  MempoolLimits limits;
  limits.max_txs = 3;
  limits.max_txs_per_sender = 2;
  limits.max_bytes = 10'000;
  Mempool pool(limits);
  EXPECT_EQ(pool.add({}, *app.view()).admission, Admission::too_large);
  EXPECT_EQ(pool.add(Buffer(kMaxTxBytes + 1), *app.view()).admission, Admission::too_large);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 0, "a", std::string(20'000, 'x')), *app.view()).admission,
            Admission::full);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 0, "a", "1"), *app.view()).admission, Admission::accepted);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 1, "a", "1"), *app.view()).admission, Admission::accepted);
  EXPECT_EQ(pool.add(toy_tx(kAlice, 2, "a", "1"), *app.view()).admission, Admission::full);
  EXPECT_EQ(pool.add(toy_tx(kBob, 0, "a", "1"), *app.view()).admission, Admission::accepted);
  EXPECT_EQ(pool.add(toy_tx(toy_sender(3), 0, "a", "1"), *app.view()).admission, Admission::full);
}

TEST(MempoolTest, BlocksTakeFromTheFrontWithinTheirRoom) {
  ToyApplication app;
  Mempool pool({});
  std::vector<Buffer> txs;
  for (uint64_t i = 0; i < 4; ++i) {
    txs.push_back(toy_tx(kAlice, i, "a", std::string(1000, 'x')));
    ASSERT_EQ(pool.add(txs.back(), *app.view()).admission, Admission::accepted);
  }
  EXPECT_EQ(pool.front(2, 1 << 20).size(), 2U);
  EXPECT_EQ(pool.front(9, 3500).size(), 3U);
  EXPECT_EQ(pool.front(0, 1 << 20).size(), 0U);
  // The third and fourth wait on; the first two are in a block.
  BlockInput block;
  block.height = 1;
  block.txs = std::span(txs).first(2);
  app.apply(block);
  pool.after_block(block.txs, *app.view());
  EXPECT_EQ(pool.front(9, 1 << 20), std::vector<Buffer>(txs.begin() + 2, txs.end()));
  // Somebody else's block used nonce 2: the pool's third is void, and with it the fourth.
  const std::vector<Buffer> other = {toy_tx(kAlice, 2, "b", "other"),
                                     toy_tx(kAlice, 3, "b", "other")};
  block.txs = other;
  app.apply(block);
  pool.after_block(other, *app.view());
  EXPECT_TRUE(pool.empty());
}

}  // namespace
}  // namespace cloister::chain
