// What becomes of admitted instances when vendors change their mind: in the block that brings the
// vendor's word, and nobody is slashed but whose machine's own key was taken back.
#include <gmock/gmock.h>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;
constexpr uint8_t kMachine = 1;  // rests on TCB info 1
constexpr uint8_t kOther = 2;    // on TCB info 2

struct Scene {
  Scene() : n(TestNetwork::funded({"op", "op2", "alice", "bob"}, kFunds)) {
    n.block();
    put(kMachine, 10);
    put(kOther, 10);
    node = n.bring_up("op", "node", kMachine);
    other = n.bring_up("op2", "other", kOther);
  }
  BlockResult put(uint8_t id, uint64_t number) {
    const BlockResult result = n.block({n.tx("bob", n.tcb_info_body(id, number))});
    EXPECT_EQ(result.txs.back().code, Code::ok);
    return result;
  }
  InstanceState state(const InstanceId& id) const { return n.instance(id).state; }
  RevokeInstance accusation() const {
    RevokeInstance out;
    out.instance = node;
    out.evidence = n.evidence_of("node", kMachine);
    return out;
  }
  bool keeps_standing(const InstanceId& id) const {
    return n.state.store().get(Family::standings, id).has_value();
  }
  TestNetwork n;
  InstanceId node{}, other{};
};

bool has_event(const std::vector<Event>& events, std::string_view type) {
  return std::any_of(events.begin(), events.end(), [&](const Event& e) { return e.type == type; });
}

TEST(Review, AVendorsNewWordTakesAnInstanceOutInTheSameBlock) {
  const std::pair<uint64_t, Code> bad[] = {{19, Code::evidence_no_tcb_level},
                                           {18, Code::evidence_tcb_status}};
  for (const auto& [number, code] : bad) {
    SCOPED_TRACE(number);
    Scene s;
    const SessionId session = s.n.open_assigned("alice");
    const bool on_node = s.n.session(session).instance == s.node;
    const BlockResult result = s.put(kMachine, number);
    EXPECT_TRUE(has_event(result.events, "instance.unverified"));
    EXPECT_EQ(s.state(s.node), InstanceState::unverified);
    EXPECT_EQ(s.state(s.other), InstanceState::active);
    EXPECT_EQ(s.n.op("op").slashed_micro, 0u);
    EXPECT_EQ(s.n.session(session).state,
              on_node ? SessionState::requested : SessionState::assigned);
    s.n.block();
    s.n.block();
    EXPECT_EQ(s.n.session(session).instance, s.other);
    // Back with evidence that passes, and no sooner.
    EXPECT_EQ(s.n.send("op", s.n.renew_body("node", kMachine)).code, code);
    s.put(kMachine, 20);
    EXPECT_EQ(s.state(s.node), InstanceState::unverified);
    EXPECT_EQ(s.n.send("op", s.n.renew_body("node", kMachine)).code, Code::ok);
    EXPECT_EQ(s.state(s.node), InstanceState::active);
  }
}

TEST(Review, WhatIsStillGoodIsBroughtUpToDate) {
  Scene s;
  const BlockResult result = s.put(kMachine, 11);
  EXPECT_TRUE(has_event(result.events, "instance.reassessed"));
  EXPECT_EQ(s.n.instance(s.node).platforms[0].tcb_evaluation_number, 11u);
  EXPECT_EQ(s.n.instance(s.other).platforms[0].tcb_evaluation_number, 10u);
  EXPECT_EQ(s.state(s.node), InstanceState::active);
}

TEST(Review, TheSameWordAgainCostsNothing) {
  Scene s;
  const size_t before = s.n.verifier->reviews;
  s.put(kMachine, 10);
  EXPECT_EQ(s.n.verifier->reviews, before);
  s.put(3, 10);  // what nobody can rest on yet
  EXPECT_EQ(s.n.verifier->reviews, before);
  s.put(kMachine, 11);
  EXPECT_EQ(s.n.verifier->reviews, before + 1);
}

// Putting a vendor's new word and accusing everybody of it in one block must not pay.
TEST(Review, NobodyIsSlashedForWhatAVendorSaysLater) {
  for (uint64_t bad : {uint64_t{19}, uint64_t{18}}) {
    SCOPED_TRACE(bad);
    Scene s;
    const uint64_t before = s.n.balance("alice");
    const BlockResult result = s.n.block(
        {s.n.tx("bob", s.n.tcb_info_body(kMachine, bad)), s.n.tx("alice", s.accusation())});
    EXPECT_EQ(s.state(s.node), InstanceState::unverified);
    EXPECT_EQ(s.n.op("op").slashed_micro, 0u);
    EXPECT_LE(s.n.balance("alice"), before);
    EXPECT_EQ(s.n.send("alice", s.accusation()).code, Code::collateral_cannot_judge);
    EXPECT_EQ(s.n.op("op").slashed_micro, 0u);
  }
}

TEST(Review, AMachineWhoseKeyWasTakenBackCostsItsStake) {
  for (bool accused : {false, true}) {
    SCOPED_TRACE(accused);
    Scene s;
    const SessionId session = s.n.open_assigned("alice");
    s.n.verifier->refused[kMachine] = Code::evidence_revoked;
    const uint64_t before = s.n.balance("alice");
    std::vector<Buffer> txs = {s.n.tx("bob", s.n.tcb_info_body(kMachine, 11))};
    if (accused) txs.push_back(s.n.tx("alice", s.accusation()));
    s.n.block(txs);
    EXPECT_EQ(s.state(s.node), InstanceState::revoked);
    EXPECT_EQ(s.state(s.other), InstanceState::active);
    EXPECT_EQ(s.n.op("op").slashed_micro, 500'000u);
    EXPECT_EQ(s.n.balance("alice"), before + (accused ? 50'000u : 0u));  // the finder's share
    EXPECT_FALSE(s.keeps_standing(s.node));
    s.n.block();
    s.n.block();
    EXPECT_EQ(s.n.session(session).instance, s.other);
    EXPECT_EQ(total_money(s.n.state.store()), 4 * kFunds);
  }
}

TEST(Review, OneOfTwoMachinesIsEnough) {
  for (const Code why : {Code::evidence_tcb_status, Code::evidence_revoked}) {
    SCOPED_TRACE(name(why));
    Scene s;
    Registration both = s.n.registration("op", "both", 9);
    EvidenceItem second = both.evidence[0];
    second.bytes.back() = 10;
    both.evidence.push_back(second);
    ASSERT_EQ(s.n.send("op", sign_registration(both, s.n.state.genesis().chain_id,
                                               key_of("op").public_key(), key_of("both")))
                  .code,
              Code::ok);
    s.n.verifier->refused[9] = Code::evidence_tcb_status;
    s.n.verifier->refused[10] = why;
    s.put(kOther, 11);
    EXPECT_EQ(s.state(TestNetwork::id_of("both")),
              why == Code::evidence_revoked ? InstanceState::revoked : InstanceState::unverified);
    EXPECT_EQ(s.state(s.node), InstanceState::active);
  }
}

// Only live instances can be judged again, so nothing is kept of others.
TEST(Review, StandingsAreKeptWhileAnInstanceLives) {
  Scene s;
  EXPECT_TRUE(s.keeps_standing(s.node));
  RetireInstance retire;
  retire.instance = s.node;
  ASSERT_EQ(s.n.send("op", retire).code, Code::ok);
  EXPECT_FALSE(s.keeps_standing(s.node));
  s.put(kMachine, 19);
  EXPECT_EQ(s.state(s.node), InstanceState::retired);
}

}  // namespace
}  // namespace cloister::ledger
