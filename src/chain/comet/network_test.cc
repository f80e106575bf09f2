// Four validators on real CometBFT, and what happens when some of them are not there. Heights and
// roots are what is compared; no test depends on how long anything takes.
#include <gtest/gtest.h>
#include <signal.h>

#include "chain/comet/network_testing.h"
#include "chain/comet/program.h"
#include "ledger/types/account.h"
#include "ledger/types/keys.h"

namespace cloister::chain::comet {
namespace {

using light::LightError;
const std::vector<size_t> kAll = {0, 1, 2, 3};

ledger::Transfer transfer(const std::string& to, uint64_t amount_micro) {
  ledger::Transfer out;
  out.to = ledger::key_of(to).public_key();
  out.amount_micro = amount_micro;
  return out;
}

uint64_t balance(TestClient& client, const std::string& who) {
  const auto account =
      client.read<ledger::Account>(ledger::Family::accounts, ledger::key_of(who).public_key());
  return account ? account->balance_micro : 0;
}

// Until two of four validators' votes for the next height are all that there is. Its own height.
int64_t wait_half(TestMember& member) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (std::chrono::steady_clock::now() < deadline) {
    const JsonValue state = member.call("consensus_state")["round_state"];
    const auto* rounds = state["height_vote_set"].array();
    const auto votes = rounds && !rounds->empty()
                           ? (*rounds)[0]["prevotes_bit_array"].string().value_or("")
                           : std::string_view();
    const int64_t height = member.height();
    const bool next = state["height/round/step"].string().value_or("").starts_with(
        std::to_string(height + 1) + "/");
    if (next && votes.find(" 20/40 = 0.50") != std::string_view::npos) return height;
  }
  return -1;
}

TEST(CometNetwork, FourValidatorsAgreeAndClientsProveIt) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(3)) << network[0].engine_log();
  TestClient client = network.client(kAll);
  EXPECT_EQ(client.send("alice", transfer("bob", 5)), ledger::Code::ok);
  EXPECT_EQ(balance(client, "bob"), 1'000'000'005u);
  ledger::Transfer too_much = transfer("bob", 2'000'000'000);
  EXPECT_EQ(client.send("alice", too_much), ledger::Code::insufficient_balance);
  bring_up_instance(network, client);
  expect_a_draw(network, client);
  network.expect_agreement(kAll, network[0].height());
}

TEST(CometNetwork, GoesOnWithoutOneHaltsWithoutTwoAndResumesWithoutAFork) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(3));
  network[3].stop_engine(SIGKILL);
  const int64_t without_one = network[0].height();
  network.expect_agreement({0, 1, 2}, without_one + 3);

  network[2].stop_engine(SIGKILL);
  // Both have voted, both see both votes, and half of the power is not enough.
  const int64_t halted = wait_half(network[0]);
  EXPECT_EQ(wait_half(network[1]), halted);
  EXPECT_EQ(network[0].height(), halted);
  EXPECT_EQ(network[1].height(), halted);

  network[2].start_engine();
  network.expect_agreement({0, 1, 2}, halted + 3);
  network[3].start_engine();
  network.expect_agreement(kAll, halted + 5);
  network.expect_agreement(kAll, without_one);
}

TEST(CometNetwork, APausedValidatorCatchesUp) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[3].wait_height(3));
  network[3].pause_engine(true);
  const int64_t paused = network[0].height();
  network.expect_agreement({0, 1, 2}, paused + 10);
  EXPECT_LE(network[3].height(), paused + 2);
  network[3].pause_engine(false);
  network.expect_agreement(kAll, paused + 12);
}

TEST(CometNetwork, ItsApplicationKilledAnEngineEndsAndBothComeBack) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[3].wait_height(3));
  network[3].stop_application();
  ASSERT_TRUE(network[3].wait_engine_end());
  const int64_t gone = network[0].height();
  network.expect_agreement({0, 1, 2}, gone + 2);
  network[3].start_engine();  // in whichever order
  network[3].start_application();
  network.expect_agreement(kAll, gone + 4);
}

// The ten moments of CometBFT's own at which a crash may hurt: six around a commit, four around
// FinalizeBlock and Commit.
TEST(CometNetwork, ACrashAtEachMomentOfACommitIsMended) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[3].wait_height(2));
  for (int index = 0; index < 10; ++index) {
    SCOPED_TRACE("FAIL_TEST_INDEX " + std::to_string(index));
    network[3].stop_engine(SIGTERM);
    network[3].start_engine({"FAIL_TEST_INDEX=" + std::to_string(index)});
    ASSERT_EQ(network[3].wait_engine_end(), 1);
    ASSERT_NE(network[3].engine_log().find("*** fail-test " + std::to_string(index)),
              std::string::npos);
    if (index % 2 == 1) {  // both crash, or the engine alone
      network[3].stop_application();
      network[3].start_application();
    }
    network[3].start_engine();
    network.expect_agreement(kAll, network[0].height() + 2);
  }
}

}  // namespace
}  // namespace cloister::chain::comet
