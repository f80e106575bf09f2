#include <gtest/gtest.h>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 10'000'000;

TestNetwork network() {
  return TestNetwork(TestNetwork::funded({"op", "op2", "alice", "bob"}, kFunds));
}

TEST(Sessions, OneAnswerIsPaidAndTheRestGoesBack) {
  TestNetwork n = network();
  const InstanceId instance = n.bring_up("op", "node", 1);
  const uint64_t op_before = n.balance("op");
  const SessionId id = n.open_confirmed("alice");
  EXPECT_EQ(n.session(id).instance, instance);
  EXPECT_EQ(n.session(id).price_micro, 250'000u);
  EXPECT_EQ(n.balance("alice"), kFunds - 300'000);
  EXPECT_EQ(n.instance(instance).open_sessions, 1u);
  ASSERT_EQ(n.send("node", n.settle_body(id, "node", 400'000)).code, Code::ok);
  EXPECT_EQ(n.balance("op"), op_before + 95'000);  // 100,000 less the network's 5 %
  EXPECT_EQ(n.op("op").reputation, 501u);
  CloseSession close;
  close.session = id;
  ASSERT_EQ(n.send("alice", close).code, Code::ok);
  ASSERT_EQ(n.send("node", n.settle_body(id, "node", 400'001)).code, Code::ok);
  EXPECT_EQ(n.session(id).paid_micro, 100'001u);  // rounded up once over everything
  for (uint64_t i = 0; i < n.state.genesis().params.settle_window_blocks; ++i) n.block();
  EXPECT_EQ(n.session(id).state, SessionState::closed);
  EXPECT_EQ(n.balance("alice"), kFunds - 100'001);
  EXPECT_EQ(n.instance(instance).open_sessions, 0u);
  EXPECT_EQ(total_money(n.state.store()), 4 * kFunds);
}

TEST(Sessions, AnInstanceThatNeverSettlesIsPaidNothing) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  const uint64_t op_before = n.balance("op");
  const SessionId id = n.open_confirmed("alice");
  const Params& p = n.state.genesis().params;
  for (uint64_t i = 0; i < 100 + p.settle_window_blocks; ++i) n.block();
  EXPECT_EQ(n.session(id).state, SessionState::closed);
  EXPECT_EQ(n.balance("alice"), kFunds);
  EXPECT_EQ(n.balance("op"), op_before);
}

}  // namespace
}  // namespace cloister::ledger
