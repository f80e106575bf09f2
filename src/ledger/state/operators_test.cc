#include <gtest/gtest.h>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

Genesis genesis() {
  Genesis g = TestNetwork::funded({"op", "alice", "bob"}, kFunds);
  g.params.unbond_blocks = g.params.voting_blocks = 5;
  return g;
}

TxResult bond(TestNetwork& n, uint64_t amount) {
  OperatorBond body;
  body.amount_micro = amount;
  return n.send("op", body);
}

TxResult unbond(TestNetwork& n, uint64_t amount) {
  OperatorUnbond body;
  body.amount_micro = amount;
  return n.send("op", body);
}

TEST(Operators, AnUnbondedStakeComesBackAfterItsTimeAndNotBefore) {
  TestNetwork n(genesis());
  ASSERT_EQ(bond(n, 3'000'000).code, Code::ok);
  ASSERT_EQ(unbond(n, 1'000'000).code, Code::ok);
  n.block();
  ASSERT_EQ(unbond(n, 500'000).code, Code::ok);
  EXPECT_EQ(n.op("op").stake_micro, 1'500'000u);
  n.block();
  n.block();
  // Five blocks after the first part, three after the second.
  ASSERT_EQ(n.send("op", OperatorWithdraw()).code, Code::ok);
  EXPECT_EQ(n.balance("op"), kFunds - 2'000'000);
  EXPECT_EQ(n.op("op").unbonding.size(), 1u);
  EXPECT_EQ(n.send("op", OperatorWithdraw()).code, Code::nothing_to_withdraw);
  ASSERT_EQ(n.send("op", OperatorWithdraw()).code, Code::ok);
  EXPECT_EQ(n.balance("op"), kFunds - 1'500'000);
  EXPECT_TRUE(n.op("op").unbonding.empty());
}

TEST(Operators, WhatUnbondsStillAnswersForAFault) {
  TestNetwork n(genesis());
  n.bring_up("op", "node", 1);
  ASSERT_EQ(bond(n, 300'000).code, Code::ok);
  ASSERT_EQ(unbond(n, 300'000).code, Code::ok);
  RetireInstance retire;
  retire.instance = TestNetwork::id_of("node");
  const SessionId session = n.open_confirmed("alice");
  ASSERT_EQ(n.send("op", retire).code, Code::ok);
  ASSERT_EQ(unbond(n, 900'000).code, Code::ok);  // nothing live needs it now
  // 100,000 of stake, 900,000 and 300,000 unbonding: the fault takes the stake, then the latest.
  RevokeInstance revoke;
  revoke.instance = retire.instance;
  for (uint64_t units : {uint64_t{1}, uint64_t{2}}) {
    revoke.receipts.push_back(n.settle_body(session, "node", units).receipt);
  }
  ASSERT_EQ(n.send("bob", revoke).code, Code::ok);
  const Operator op = n.op("op");
  EXPECT_EQ(op.stake_micro, 0u);
  ASSERT_EQ(op.unbonding.size(), 2u);
  EXPECT_EQ(op.unbonding[0].amount_micro, 300'000u);
  EXPECT_EQ(op.unbonding[1].amount_micro, 500'000u);
  EXPECT_EQ(op.slashed_micro, 500'000u);
  EXPECT_EQ(n.balance("bob"), kFunds + 50'000);  // the finder's share
  EXPECT_EQ(n.session(session).state, SessionState::closed);
  EXPECT_EQ(n.balance("alice"), kFunds);
  EXPECT_EQ(total_money(n.state.store()), 3 * kFunds);
}

TEST(Operators, TheStakeIsFreeOnceNoInstanceIsLive) {
  TestNetwork n(genesis());
  n.bring_up("op", "node", 1);
  EXPECT_EQ(n.op("op").live_instances, 1u);
  EXPECT_EQ(unbond(n, 1).code, Code::stake_in_use);
  RetireInstance retire;
  retire.instance = TestNetwork::id_of("node");
  ASSERT_EQ(n.send("node", retire).code, Code::ok);
  EXPECT_EQ(n.op("op").live_instances, 0u);
  EXPECT_EQ(unbond(n, 1'000'000).code, Code::ok);
}

}  // namespace
}  // namespace cloister::ledger
