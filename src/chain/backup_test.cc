#include "chain/backup.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "chain/chain_testing.h"
#include "crypto/hash.h"

namespace cloister::chain {
namespace {

namespace fs = std::filesystem;

const Hash32 kAlice = toy_sender(1);

class Backup : public testing::Test {
 protected:
  Backup() {
    auto chain = open("ledger.db");
    produce(*chain, 12);
  }
  LocalConfig config(const std::string& file) const { return toy_config(folder_.file(file)); }
  Result<LocalChain> open(const std::string& file) const {
    return LocalChain::open(config(file), std::make_unique<ToyApplication>(), test_key(1));
  }
  Result<BackupFacts> back_up(const std::string& file, const std::string& to) const {
    return write_backup(config(file), std::make_unique<ToyApplication>(), test_key(1),
                        folder_.file(to));
  }
  Result<BackupFacts> restore(const LocalConfig& to, const std::string& from) const {
    return restore_backup(to, std::make_unique<ToyApplication>(), test_key(1), folder_.file(from));
  }
  static void produce(LocalChain& chain, int count) {
    for (int i = 0; i < count; ++i) {
      const auto nonce = static_cast<uint64_t>(chain.height());
      chain.submit(toy_tx(kAlice, nonce, "k" + std::to_string(nonce % 5), std::to_string(nonce)));
      ASSERT_TRUE(chain.produce(kTestGenesisMs + 1000 * chain.height()));
    }
  }
  TemporaryFolder folder_;
};

TEST_F(Backup, WhatIsRestoredGoesOnToTheSameBlocks) {
  const auto written = back_up("ledger.db", "backup");
  ASSERT_TRUE(written) << describe(written.error());
  EXPECT_EQ(written->height, 12);
  EXPECT_EQ(written->chunks, 1u);
  const auto restored = restore(config("again.db"), "backup");
  ASSERT_TRUE(restored) << describe(restored.error());
  auto original = open("ledger.db"), again = open("again.db");
  ASSERT_TRUE(original && again);
  EXPECT_EQ(again->height(), 12);
  EXPECT_EQ(again->earliest(), 12);
  EXPECT_EQ(encode_block(*again->block(1)), encode_block(*original->block(1)));
  EXPECT_EQ(again->block(5).error(), ChainError::missing_block);
  produce(*original, 5);
  produce(*again, 5);
  EXPECT_EQ(encode_block(*again->last()), encode_block(*original->last()));
}

TEST_F(Backup, OneBlockIsEnough) {
  {
    auto chain = open("young.db");
    produce(*chain, 1);
  }
  ASSERT_TRUE(back_up("young.db", "backup"));
  ASSERT_TRUE(restore(config("again.db"), "backup"));
  auto again = open("again.db");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->height(), 1);
  EXPECT_EQ(again->earliest(), 1);
  produce(*again, 2);
}

TEST_F(Backup, NothingIsOverwrittenAndNothingLeftHalf) {
  ASSERT_TRUE(back_up("ledger.db", "backup"));
  EXPECT_EQ(back_up("ledger.db", "backup").error(), ChainError::exists);
  EXPECT_EQ(restore(config("ledger.db"), "backup").error(), ChainError::exists);
  EXPECT_EQ(back_up("nothing.db", "of nothing").error(), ChainError::io);
  EXPECT_FALSE(fs::exists(folder_.file("nothing.db")));
  const auto running = open("ledger.db");
  EXPECT_EQ(back_up("ledger.db", "of a running one").error(), ChainError::in_use);
  EXPECT_FALSE(fs::exists(folder_.file("of a running one")));
}

TEST_F(Backup, EveryChangedOrMissingFileIsFound) {
  ASSERT_TRUE(back_up("ledger.db", "backup"));
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder_.file("backup"))) {
    SCOPED_TRACE(entry.path().filename());
    ++files;
    const Buffer good = read_file(entry.path(), 1 << 20).value();
    for (const size_t at : {size_t{0}, good.size() / 2, good.size() - 1}) {
      Buffer spoiled = good;
      spoiled[at] ^= 1;
      ASSERT_TRUE(write_file(entry.path(), spoiled, FileMode::shared));
      EXPECT_FALSE(restore(config("again.db"), "backup")) << at;
    }
    ASSERT_TRUE(write_file(entry.path(), Bytes(good).first(good.size() - 1), FileMode::shared));
    EXPECT_FALSE(restore(config("again.db"), "backup"));
    fs::remove(entry.path());
    EXPECT_FALSE(restore(config("again.db"), "backup"));
    EXPECT_FALSE(fs::exists(folder_.file("again.db")));
    ASSERT_TRUE(write_file(entry.path(), good, FileMode::shared));
  }
  EXPECT_EQ(files, 5u);
  EXPECT_TRUE(restore(config("again.db"), "backup"));
}

TEST_F(Backup, AnotherChainOrValidatorIsRefused) {
  ASSERT_TRUE(back_up("ledger.db", "backup"));
  LocalConfig other = config("again.db");
  other.chain_id = "another-chain";
  EXPECT_EQ(restore(other, "backup").error(), ChainError::wrong_chain);
  other = config("again.db");
  other.validator = test_key(2).public_key();
  EXPECT_EQ(
      restore_backup(other, std::make_unique<ToyApplication>(), test_key(2), folder_.file("backup"))
          .error(),
      ChainError::bad_signature);
  EXPECT_EQ(restore(other, "backup").error(), ChainError::wrong_validator);
  other = config("again.db");
  other.app_version += 1;
  EXPECT_EQ(restore(other, "backup").error(), ChainError::broken_link);
}

// As the validator would sign them, whatever they are.
void sign_again(const fs::path& folder) {
  const auto hash_of_file = [&](const char* name) {
    return crypto::sha256(read_file(folder / name, 1 << 20).value());
  };
  ByteWriter message;
  message.text("cloister backup v1").u8(0);
  for (const char* name : {"manifest", "first_block", "last_block"}) {
    message.bytes(hash_of_file(name));
  }
  const auto signature = test_key(1).sign(message.view());
  ASSERT_TRUE(write_file(folder / "signature", signature, FileMode::shared));
}

// Parts of two ledgers of one validator, all of it signed.
TEST_F(Backup, AStateThatTheBlocksDoNotLeadToIsRefused) {
  ASSERT_TRUE(back_up("ledger.db", "backup"));
  {
    auto chain = open("other.db");
    produce(*chain, 11);
    chain->submit(toy_tx(kAlice, 11, "other", "1"));
    ASSERT_TRUE(chain->produce(kTestGenesisMs + 11'000));
  }
  {
    auto chain = open("longer.db");
    produce(*chain, 13);
  }
  ASSERT_TRUE(back_up("other.db", "other"));
  ASSERT_TRUE(back_up("longer.db", "longer"));
  const fs::path mixed = folder_.file("mixed");
  const auto mix = [&](const char* with, std::initializer_list<const char*> names) {
    fs::remove_all(mixed);
    fs::copy(folder_.file("backup"), mixed);
    for (const char* name : names) {
      fs::copy_file(fs::path(folder_.file(with)) / name, mixed / name,
                    fs::copy_options::overwrite_existing);
    }
    sign_again(mixed);
    return restore(config("again.db"), "mixed");
  };
  for (const char* with : {"other", "longer"}) {
    SCOPED_TRACE(with);
    EXPECT_EQ(mix(with, {"last_block"}).error(), ChainError::bad_snapshot);
    EXPECT_EQ(mix(with, {"manifest", "0"}).error(), ChainError::bad_snapshot);
    EXPECT_EQ(mix(with, {"0"}).error(), ChainError::bad_snapshot);
    EXPECT_FALSE(fs::exists(folder_.file("again.db")));
    ASSERT_TRUE(mix(with, {"last_block", "manifest", "0"}));  // then it is the other, whole
    fs::remove(folder_.file("again.db"));
  }
  EXPECT_EQ(mix("other", {}).value().height, 12);
}

TEST_F(Backup, ALastBlockThatNobodySignedIsRefused) {
  ASSERT_TRUE(back_up("ledger.db", "backup"));
  const fs::path folder = folder_.file("backup");
  auto block = decode_block(read_file(folder / "last_block", 1 << 20).value());
  ASSERT_TRUE(block);
  block->signed_header.commit.signatures.at(0).signature.at(0) ^= 1;
  ASSERT_TRUE(write_file(folder / "last_block", encode_block(*block), FileMode::shared));
  sign_again(folder);
  EXPECT_EQ(restore(config("again.db"), "backup").error(), ChainError::bad_signature);
}

}  // namespace
}  // namespace cloister::chain
