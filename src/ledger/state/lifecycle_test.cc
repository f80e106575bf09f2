#include <gtest/gtest.h>

#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

struct Scene {
  TestNetwork n{TestNetwork::funded({"op", "op2", "alice", "bob"}, kFunds)};
  InstanceId node = n.bring_up("op", "node", 1);

  template <typename Body>
  Code end(const std::string& who) {
    Body body;
    body.instance = node;
    return n.send(who, body).code;
  }
  std::optional<KeySet> keys() const {
    const auto value = n.state.store().get(Family::keys, node);
    return value ? KeySet::decode(*value) : std::nullopt;
  }
};

TEST(Lifecycle, TheTwoNewestKeyEpochsStay) {
  Scene s;
  EXPECT_FALSE(s.keys());
  for (uint64_t epoch : {1u, 2u, 7u}) {
    ASSERT_EQ(s.n.send("node", s.n.rotate_body("node", epoch)).code, Code::ok);
    EXPECT_EQ(s.n.instance(s.node).key_epoch, epoch);
  }
  ASSERT_EQ(s.keys()->epochs.size(), 2u);
  EXPECT_EQ(s.keys()->epochs[0].epoch, 2u);
  EXPECT_EQ(s.keys()->epochs[1].epoch, 7u);
  EXPECT_EQ(s.n.send("node", s.n.rotate_body("node", 6)).code, Code::key_epoch_invalid);
}

// Atoma: after a restart the event carried the new key and the state the old one.
TEST(Lifecycle, KeysEndWithTheirInstanceAndEpochsNeverRepeat) {
  Scene s;
  ASSERT_EQ(s.n.send("node", s.n.rotate_body("node", 3)).code, Code::ok);
  ASSERT_EQ(s.end<RetireInstance>("op"), Code::ok);
  EXPECT_FALSE(s.keys());
  EXPECT_EQ(s.n.send("node", s.n.rotate_body("node", 4)).code, Code::instance_not_live);
  ASSERT_EQ(s.n.send("op", s.n.register_body("op", "node", 1)).code, Code::ok);
  EXPECT_FALSE(s.keys());
  EXPECT_EQ(s.n.send("node", s.n.rotate_body("node", 3)).code, Code::key_epoch_invalid);
  EXPECT_EQ(s.n.send("node", s.n.rotate_body("node", 4)).code, Code::ok);
}

TEST(Lifecycle, ADrainingInstanceFinishesItsSessionsAndGetsNoOther) {
  Scene s;
  const SessionId running = s.n.open_confirmed("alice");
  ASSERT_EQ(s.end<DrainInstance>("node"), Code::ok);
  const SessionId late = *to_fixed<32>(s.n.send("bob", TestNetwork::open_body()).data);
  EXPECT_EQ(s.n.session(late).state, SessionState::refunded);
  EXPECT_EQ(s.n.session(running).state, SessionState::confirmed);
  EXPECT_EQ(s.n.send("node", s.n.settle_body(running, "node", 10)).code, Code::ok);
  EXPECT_EQ(s.n.send("node", s.n.renew_body("node", 1)).code, Code::ok);
  EXPECT_TRUE(s.n.instance(s.node).draining);
}

// Registering, draining or re-weighting after the set is frozen must not change the draw.
TEST(Lifecycle, DrainingAfterTheRequestIsAMissNotAnotherDraw) {
  Scene s;
  s.n.bring_up("op2", "node2", 2);
  const SessionId id = *to_fixed<32>(s.n.send("alice", TestNetwork::open_body()).data);
  TestNetwork undisturbed = s.n;
  undisturbed.block();
  undisturbed.block();
  const InstanceId winner = *undisturbed.session(id).instance;
  DrainInstance drain;
  drain.instance = winner;
  ASSERT_EQ(s.n.send(winner == s.node ? "op" : "op2", drain).code, Code::ok);
  s.n.block();
  EXPECT_EQ(s.n.session(id).state, SessionState::requested);
  EXPECT_EQ(s.n.session(id).misses, 1u);
}

TEST(Lifecycle, RetiringClosesWhatWasConfirmedAndDrawsTheRestAgain) {
  Scene s;
  const SessionId confirmed = s.n.open_confirmed("alice");
  const SessionId assigned = s.n.open_assigned("bob");
  s.n.bring_up("op2", "node2", 2);
  ASSERT_EQ(s.end<RetireInstance>("op"), Code::ok);
  EXPECT_EQ(s.n.instance(s.node).state, InstanceState::retired);
  EXPECT_EQ(s.n.session(confirmed).state, SessionState::closing);
  EXPECT_EQ(s.n.session(assigned).state, SessionState::requested);
  EXPECT_EQ(s.n.send("node", s.n.settle_body(confirmed, "node", 10)).code, Code::ok);
  s.n.block();
  EXPECT_EQ(s.n.session(assigned).instance, TestNetwork::id_of("node2"));
}

TEST(Lifecycle, AnybodyMayProveThatAMachinesKeyWasTakenBack) {
  Scene s;
  const SessionId session = s.n.open_confirmed("alice");
  RevokeInstance body;
  body.instance = s.node;
  body.evidence = s.n.evidence_of("node", 1);
  ASSERT_EQ(s.n.send("bob", body).code, Code::ok);
  EXPECT_EQ(s.n.instance(s.node).state, InstanceState::active);
  EXPECT_EQ(s.n.balance("bob"), kFunds - 1'000);  // an unfounded report costs its fee
  s.n.verifier->refused[1] = Code::evidence_revoked;
  ASSERT_EQ(s.n.send("bob", body).code, Code::ok);
  EXPECT_EQ(s.n.instance(s.node).state, InstanceState::revoked);
  EXPECT_EQ(s.n.session(session).state, SessionState::closed);
  EXPECT_EQ(s.n.balance("alice"), kFunds);
  EXPECT_EQ(s.n.balance("bob"), kFunds - 1'000 + 50'000);
  EXPECT_EQ(s.n.op("op").live_instances, 0u);
  s.n.verifier->refused.clear();
  EXPECT_EQ(s.n.send("op", s.n.register_body("op", "node", 1)).code, Code::stake_too_low);
  OperatorBond bond;
  bond.amount_micro = 500'000;
  ASSERT_EQ(s.n.send("op", bond).code, Code::ok);
  EXPECT_EQ(s.n.send("op", s.n.register_body("op", "node", 1)).code, Code::instance_exists);
}

// Atoma: subscribing n times multiplied a node's weight.
TEST(Lifecycle, RegisteringAgainNeverMultipliesAWeight) {
  Scene s;
  for (const char* identity : {"node", "again", "once more"}) {
    const Code code = s.n.send("op", s.n.register_body("op", identity, 1)).code;
    EXPECT_EQ(code, identity == std::string("node") ? Code::instance_exists : Code::ok);
  }
  size_t drawable = 0;
  s.n.state.store().for_each(Family::instances, {}, [&](Bytes, Bytes value) {
    drawable += Instance::decode(value)->state == InstanceState::active;
    return true;
  });
  EXPECT_EQ(drawable, 1u);
  EXPECT_EQ(s.n.op("op").live_instances, 1u);
}

}  // namespace
}  // namespace cloister::ledger
