// The application's side of ABCI, request by request: what is refused, and what hostile or broken
// engines and peers cannot do.
#include "chain/abci/host.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "chain/abci/convert.h"
#include "chain/abci/instance_testing.h"
#include "chain/chain_testing.h"
#include "crypto/hash.h"
#include "ledger/state/network_testing.h"

namespace cloister::chain::abci {
namespace {

class HostTest : public testing::Test {
 protected:
  HostTest() { open(0); }

  void open(size_t index) {
    host_.reset();
    const std::string dir = folder_.file("ledger");
    std::filesystem::create_directories(dir);
    auto opened = open_driven(dir, index);
    ASSERT_TRUE(opened) << chain::describe(opened.error());
    host_ = std::move(*opened);
  }
  void make_block(int64_t height, const std::vector<Buffer>& txs = {}) {
    ASSERT_TRUE(host_->handle(block_request(height, txs)).has_finalize_block());
    ASSERT_TRUE(host_->handle(commit_request()).has_commit());
  }
  Response check(const Buffer& tx) {
    Request r;
    r.mutable_check_tx()->set_tx(string_of(tx));
    return host_->handle(r);
  }
  static Buffer transfer(uint64_t nonce) {
    ledger::Transfer body;
    body.to = ledger::key_of("bob").public_key();
    body.amount_micro = 1;
    return ledger::make_tx(driven_genesis().chain_id, nonce, body, ledger::key_of("alice"));
  }
  Response info() {
    Request r;
    r.mutable_info();
    return host_->handle(r);
  }

  const TemporaryFolder folder_;
  std::unique_ptr<Host> host_;
};

TEST_F(HostTest, AnotherGenesisThanItsOwnIsRefused) {
  ASSERT_TRUE(host_->handle(init_request()).has_init_chain());
  ASSERT_TRUE(host_->handle(init_request()).has_init_chain());  // again, before the first commit
  struct Case {
    const char* name;
    void (*spoil)(RequestInitChain&);
  };
  const Case cases[] = {
      {"chain", [](RequestInitChain& r) { r.set_chain_id("another"); }},
      {"height", [](RequestInitChain& r) { r.set_initial_height(2); }},
      {"genesis", [](RequestInitChain& r) { r.set_app_state_bytes(app_state(Hash32{}).dump()); }},
      {"no genesis", [](RequestInitChain& r) { r.set_app_state_bytes("{}"); }},
      {"no JSON", [](RequestInitChain& r) { r.set_app_state_bytes("\xff"); }},
      {"one validator less", [](RequestInitChain& r) { r.mutable_validators()->RemoveLast(); }},
      {"another power", [](RequestInitChain& r) { r.mutable_validators(0)->set_power(11); }},
      {"another key",
       [](RequestInitChain& r) {
         (*r.mutable_validators(0)->mutable_pub_key()->mutable_ed25519())[0] ^= 1;
       }},
      {"another kind of key",
       [](RequestInitChain& r) { r.mutable_validators(0)->mutable_pub_key()->set_secp256k1("x"); }},
  };
  for (const Case& c : cases) {
    Request spoilt = init_request();
    c.spoil(*spoilt.mutable_init_chain());
    EXPECT_TRUE(host_->handle(spoilt).has_exception()) << c.name;
  }
  make_block(1);
  EXPECT_TRUE(host_->handle(init_request()).has_exception());
}

TEST_F(HostTest, BlocksOutOfOrderAreRefused) {
  EXPECT_TRUE(host_->handle(commit_request()).has_exception());
  EXPECT_TRUE(host_->handle(block_request(2)).has_exception());
  EXPECT_TRUE(host_->handle(block_request(0)).has_exception());
  Request no_hash = block_request(1);
  no_hash.mutable_finalize_block()->set_hash("short");
  EXPECT_TRUE(host_->handle(no_hash).has_exception());
  make_block(1);
  EXPECT_TRUE(host_->handle(block_request(1)).has_exception());
  make_block(2);
}

TEST_F(HostTest, WhatWasFinalisedIsNothingUntilItIsCommitted) {
  make_block(1);
  const std::string root = info().info().last_block_app_hash();
  const Response first = host_->handle(block_request(2, {transfer(0)}));
  EXPECT_EQ(info().info().last_block_app_hash(), root);
  // The same block again: the same answer. Another one: that one's.
  EXPECT_EQ(host_->handle(block_request(2, {transfer(0)})).SerializeAsString(),
            first.SerializeAsString());
  const Response other = host_->handle(block_request(2, {}, "another"));
  EXPECT_NE(other.finalize_block().app_hash(), first.finalize_block().app_hash());
  EXPECT_EQ(host_->handle(block_request(2, {transfer(0)})).SerializeAsString(),
            first.SerializeAsString());
  ASSERT_TRUE(host_->handle(commit_request()).has_commit());
  EXPECT_EQ(info().info().last_block_app_hash(), first.finalize_block().app_hash());
  open(0);
  EXPECT_EQ(info().info().last_block_app_hash(), first.finalize_block().app_hash());
  EXPECT_EQ(info().info().last_block_height(), 2);
}

TEST_F(HostTest, ASendersTransactionsWaitInTheOrderOfTheirNonces) {
  make_block(1);
  const auto wrong = static_cast<uint32_t>(ledger::Code::wrong_nonce);
  EXPECT_EQ(check(transfer(0)).check_tx().code(), 0u);
  EXPECT_EQ(check(transfer(2)).check_tx().code(), wrong);
  EXPECT_EQ(check(transfer(1)).check_tx().code(), 0u);
  for (uint64_t nonce = 2; nonce < 64; ++nonce) {
    ASSERT_EQ(check(transfer(nonce)).check_tx().code(), 0u);
  }
  EXPECT_NE(check(transfer(64)).check_tx().code(), 0u);  // as many as one sender may
  make_block(2, {transfer(0)});
  EXPECT_EQ(check(transfer(0)).check_tx().code(), wrong);
  EXPECT_EQ(check(transfer(1)).check_tx().code(), 0u);  // asked about again after the block
  EXPECT_NE(check(Buffer()).check_tx().code(), 0u);
  EXPECT_NE(check(Buffer(ledger::kMaxTxBytes + 1, 1)).check_tx().code(), 0u);
  EXPECT_NE(check(Buffer(100, 1)).check_tx().code(), 0u);
}

TEST_F(HostTest, QueriesSayWhatTheyCannotAnswer) {
  make_block(1);
  const auto query = [&](const std::string& path, int64_t height, const std::string& key) {
    Request r;
    r.mutable_query()->set_path(path);
    r.mutable_query()->set_height(height);
    r.mutable_query()->set_data(key);
    return host_->handle(r).query();
  };
  const std::string alice = string_of(ledger::key_of("alice").public_key());
  EXPECT_EQ(query("/store/accounts", 0, alice).code(), 0u);
  EXPECT_EQ(query("/store/accounts", 1, alice).height(), 1);
  EXPECT_EQ(query("/store/accounts", 0, "absent").value(), "");
  EXPECT_NE(query("/store/nothing", 0, alice).code(), 0u);
  EXPECT_NE(query("/p2p/filter/addr/x", 0, "").code(), 0u);
  EXPECT_NE(query("/store/accounts", 2, alice).code(), 0u);
  EXPECT_NE(query("/store/accounts", -1, alice).code(), 0u);
  EXPECT_NE(query("/store/accounts", 0, std::string(2000, 'k')).code(), 0u);
  for (int64_t h = 2; h <= 140; ++h) make_block(h);
  EXPECT_NE(query("/store/accounts", 12, alice).code(), 0u);  // 128 states are kept
  EXPECT_EQ(query("/store/accounts", 13, alice).code(), 0u);
}

TEST_F(HostTest, AFullDiskIsSaidAndLosesNothing) {
  make_block(1);
  const std::string root = info().info().last_block_app_hash();
  ASSERT_TRUE(host_->limit_pages_for_testing(1));
  std::vector<Buffer> txs;
  for (uint64_t nonce = 0; nonce < 300; ++nonce) {
    ledger::Transfer body;
    body.to = ledger::hash_of(std::to_string(nonce));
    body.amount_micro = 1;
    txs.push_back(ledger::make_tx(driven_genesis().chain_id, nonce, body, ledger::key_of("alice")));
  }
  ASSERT_TRUE(host_->handle(block_request(2, txs)).has_finalize_block());
  EXPECT_TRUE(host_->handle(commit_request()).has_exception());
  open(0);
  EXPECT_EQ(info().info().last_block_height(), 1);
  EXPECT_EQ(info().info().last_block_app_hash(), root);
  make_block(2, txs);
}

// --- state sync ---------------------------------------------------------------------------------

class StateSyncTest : public HostTest {
 protected:
  StateSyncTest() {
    make_block(1);
    make_block(2, {transfer(0)});  // every second block
    host_->wait_snapshots_for_testing();
    Request r;
    r.mutable_list_snapshots();
    const Response list = host_->handle(r);
    EXPECT_EQ(list.list_snapshots().snapshots_size(), 1);
    snapshot_ = list.list_snapshots().snapshots(0);
    root_ = info().info().last_block_app_hash();
    Request load;
    load.mutable_load_snapshot_chunk()->set_height(2);
    load.mutable_load_snapshot_chunk()->set_format(snapshot_.format());
    chunk_ = host_->handle(load).load_snapshot_chunk().chunk();
    const std::string dir = folder_.file("joining");
    std::filesystem::create_directories(dir);
    joining_ = std::move(*open_driven(dir, 1));
  }
  ResponseOfferSnapshot::Result offer(const Snapshot& snapshot, const std::string& root) {
    Request r;
    *r.mutable_offer_snapshot()->mutable_snapshot() = snapshot;
    r.mutable_offer_snapshot()->set_app_hash(root);
    return joining_->handle(r).offer_snapshot().result();
  }
  ResponseApplySnapshotChunk apply(uint32_t index, const std::string& chunk) {
    Request r;
    r.mutable_apply_snapshot_chunk()->set_index(index);
    r.mutable_apply_snapshot_chunk()->set_chunk(chunk);
    r.mutable_apply_snapshot_chunk()->set_sender("somebody");
    return joining_->handle(r).apply_snapshot_chunk();
  }

  Snapshot snapshot_;
  std::string root_, chunk_;
  std::unique_ptr<Host> joining_;
};

TEST_F(StateSyncTest, TheStateIsTheSameAndGoesOn) {
  ASSERT_EQ(offer(snapshot_, root_), ResponseOfferSnapshot::ACCEPT);
  ASSERT_EQ(apply(0, chunk_).result(), ResponseApplySnapshotChunk::ACCEPT);
  Request r;
  r.mutable_info();
  EXPECT_EQ(joining_->handle(r).info().last_block_height(), 2);
  EXPECT_EQ(joining_->handle(r).info().last_block_app_hash(), root_);
  const Response mine = host_->handle(block_request(3, {transfer(1)}));
  EXPECT_EQ(joining_->handle(block_request(3, {transfer(1)})).SerializeAsString(),
            mine.SerializeAsString());
  EXPECT_EQ(offer(snapshot_, root_), ResponseOfferSnapshot::ABORT);  // it has a state
}

TEST_F(StateSyncTest, WhatDoesNotLeadToTheVerifiedRootIsRefused) {
  std::string other_root = root_;
  other_root[0] ^= 1;
  EXPECT_EQ(offer(snapshot_, other_root), ResponseOfferSnapshot::REJECT);
  Snapshot bad = snapshot_;
  bad.set_format(2);
  EXPECT_EQ(offer(bad, root_), ResponseOfferSnapshot::REJECT_FORMAT);
  bad = snapshot_;
  bad.set_height(3);
  EXPECT_EQ(offer(bad, root_), ResponseOfferSnapshot::REJECT);
  bad = snapshot_;
  bad.set_chunks(2);
  EXPECT_EQ(offer(bad, root_), ResponseOfferSnapshot::REJECT);
  for (size_t i = 0; i < snapshot_.metadata().size(); i += 7) {
    bad = snapshot_;
    (*bad.mutable_metadata())[i] ^= 1;
    EXPECT_EQ(offer(bad, root_), ResponseOfferSnapshot::REJECT) << i;
  }
  EXPECT_EQ(apply(0, chunk_).result(), ResponseApplySnapshotChunk::ABORT);  // none was accepted
}

TEST_F(StateSyncTest, ABadChunkIsFetchedAgainFromSomebodyElse) {
  ASSERT_EQ(offer(snapshot_, root_), ResponseOfferSnapshot::ACCEPT);
  std::string bad = chunk_;
  bad[bad.size() / 2] ^= 1;
  const auto refused = apply(0, bad);
  EXPECT_EQ(refused.result(), ResponseApplySnapshotChunk::RETRY);
  EXPECT_EQ(refused.refetch_chunks(0), 0u);
  EXPECT_EQ(refused.reject_senders(0), "somebody");
  EXPECT_EQ(apply(1, chunk_).result(), ResponseApplySnapshotChunk::RETRY);
  EXPECT_EQ(apply(0, chunk_).result(), ResponseApplySnapshotChunk::ACCEPT);
}

// Rows that are consistent in themselves, under a manifest of the attacker's, whose root is claimed
// to be the verified one.
TEST_F(StateSyncTest, AnotherStateUnderTheVerifiedRootIsRefused) {
  std::string bad = chunk_;
  const std::string alice = string_of(ledger::key_of("alice").public_key());
  const size_t at = bad.find(alice);
  ASSERT_NE(at, std::string::npos);
  bad[at] ^= 1;
  Buffer manifest = to_buffer(bytes_of(snapshot_.metadata()));
  const auto digest = crypto::sha256(bytes_of(bad));
  std::copy(digest.begin(), digest.end(), manifest.end() - 32);
  Snapshot forged = snapshot_;
  forged.set_metadata(string_of(manifest));
  forged.set_hash(string_of(crypto::sha256(manifest)));
  ASSERT_EQ(offer(forged, root_), ResponseOfferSnapshot::ACCEPT);
  EXPECT_EQ(apply(0, bad).result(), ResponseApplySnapshotChunk::REJECT_SNAPSHOT);
  // And the true one is still welcome.
  ASSERT_EQ(offer(snapshot_, root_), ResponseOfferSnapshot::ACCEPT);
  EXPECT_EQ(apply(0, chunk_).result(), ResponseApplySnapshotChunk::ACCEPT);
}

}  // namespace
}  // namespace cloister::chain::abci
