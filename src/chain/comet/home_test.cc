// A validator's folder: what is made, what stays, and what is refused.
#include "chain/comet/home.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/temporary_folder_testing.h"
#include "ledger/state/network_testing.h"

namespace cloister::chain::comet {
namespace {

namespace fs = std::filesystem;

class HomeTest : public testing::Test {
 protected:
  std::expected<HomeKeys, std::string> make() { return make_home(home_, genesis_, random_); }
  static std::string text(const fs::path& path) {
    const auto bytes = read_file(path, 100'000);
    return bytes ? std::string(as_text(*bytes)) : "";
  }
  const TemporaryFolder folder_;
  const fs::path home_ = folder_.file("validator");
  const fs::path votes_ = home_ / "data" / "priv_validator_state.json";
  const ledger::Genesis genesis_ = ledger::sample_network(4).genesis;
  SystemRandom random_;
};

TEST_F(HomeTest, SecretsAreTheOwnersAloneAndStay) {
  const auto first = make();
  ASSERT_TRUE(first) << first.error();
  for (const char* file : {"config/priv_validator_key.json", "config/node_key.json"}) {
    EXPECT_EQ(fs::status(home_ / file).permissions(),
              fs::perms::owner_read | fs::perms::owner_write);
  }
  const auto again = make();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->consensus.public_key(), first->consensus.public_key());
  EXPECT_EQ(again->node.public_key(), first->node.public_key());
  EXPECT_EQ(read_consensus_key(home_)->public_key(), first->consensus.public_key());
}

TEST_F(HomeTest, AVoteIsNeverForgotten) {
  ASSERT_TRUE(make());
  std::ofstream(votes_) << "a later vote";
  ASSERT_TRUE(make());
  EXPECT_EQ(text(votes_), "a later vote");
  fs::create_directories(home_ / "data" / "blockstore.db");
  fs::remove(votes_);
  const auto refused = make();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("what was signed is not known"), std::string::npos);
  EXPECT_FALSE(fs::exists(votes_));
}

TEST_F(HomeTest, ADamagedKeyIsNotReplaced) {
  ASSERT_TRUE(make());
  const std::string good = text(consensus_key_file(home_));
  const std::string long_one = good + std::string(5'000, ' ');
  for (const std::string& bad : {std::string(), std::string("{}"), good.substr(0, 200), long_one}) {
    std::ofstream(consensus_key_file(home_)) << bad;
    EXPECT_FALSE(make());
    EXPECT_FALSE(read_consensus_key(home_));
    EXPECT_EQ(text(consensus_key_file(home_)), bad);
  }
}

}  // namespace
}  // namespace cloister::chain::comet
