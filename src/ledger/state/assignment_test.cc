#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

TestNetwork network() {
  Genesis genesis = TestNetwork::funded({"op", "op2", "op3", "alice", "bob"}, kFunds);
  genesis.params.request_lifetime_blocks = 10;
  genesis.params.confirm_deadline_blocks = 10;
  return TestNetwork(genesis);
}

bool has_event(const std::vector<Event>& events, std::string_view type) {
  return std::any_of(events.begin(), events.end(),
                     [&](const Event& event) { return event.type == type; });
}

SessionId open(TestNetwork& n, const std::string& user) {
  return *to_fixed<32>(n.send(user, TestNetwork::open_body()).data);
}

TEST(Assignment, TheUserCanComputeItsDrawAgainFromProvenReads) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  n.bring_up("op2", "node2", 2);
  n.bring_up("op3", "node3", 3);
  const SessionId id = n.open_assigned("alice");
  const Session session = n.session(id);
  const Snapshot& snapshot = n.state.store().sealed();
  const auto read = [&](Family family, const Buffer& key) {
    const auto value = snapshot.get(family, key);
    EXPECT_TRUE(value &&
                verify_read(snapshot.app_hash(), family, key, *value, snapshot.prove(family, key)));
    return value.value_or(Buffer());
  };
  const uint64_t h = session.request_height;
  const auto beacon = Beacon::decode(read(Family::beacon, number_key(h + 1)));
  const auto frozen = FrozenPools::decode(read(Family::draws, frozen_key(h, session.model_root)));
  const auto drawn = Drawn::decode(read(Family::draws, id_key(id)));
  ASSERT_TRUE(beacon && frozen && drawn);
  ASSERT_EQ(frozen->pools.size(), 1u);
  EXPECT_EQ(frozen->pools[0].total, 3u * 4u * 50u);
  const Genesis& genesis = n.state.genesis();
  EXPECT_TRUE(verify_beacon(genesis.chain_id, genesis.beacon, *beacon));
  EXPECT_TRUE(verify_draw(session, *frozen, *beacon->value, *drawn));
}

TEST(Assignment, WhoAsksForAGpuGetsOne) {
  TestNetwork n = network();
  n.bring_up("op", "cpu", 1);
  const InstanceId with_gpu = n.bring_up("op2", "gpu", kWithGpu + 1);
  n.bring_up("op3", "cpu2", 3);
  OpenSession body = TestNetwork::open_body();
  body.requirement.gpu = true;
  for (int i = 0; i < 4; ++i) {
    const TxResult opened = n.send("alice", body);
    ASSERT_EQ(opened.code, Code::ok);
    n.block();
    n.block();
    EXPECT_EQ(n.session(*to_fixed<32>(opened.data)).instance, with_gpu);
  }
}

// Atoma: the cheapest was taken, whoever it was, and attestation was never looked at.
TEST(Assignment, PricesBelowTheCapDoNotCountAndWhoIsNotVerifiedIsNeverDrawn) {
  TestNetwork n = network();
  const auto enter = [&](const std::string& op, const std::string& node, uint8_t platform,
                         uint64_t price) {
    n.block();
    OperatorBond bond;
    bond.amount_micro = n.state.genesis().params.min_stake_micro;
    ASSERT_EQ(n.send(op, bond).code, Code::ok);
    Registration r = n.registration(op, node, platform);
    r.offers[0].price_micro = price;
    r.capacity = kMaxCapacity;
    const auto body =
        sign_registration(r, n.state.genesis().chain_id, key_of(op).public_key(), key_of(node));
    ASSERT_EQ(n.send(op, body).code, Code::ok);
  };
  enter("op", "dear", 1, 250'000);
  enter("op2", "cheap", 2, 1);
  enter("op3", "unfit", 3, 1);
  n.verifier->refused[3] = Code::evidence_tcb_status;
  EXPECT_EQ(n.send("op3", n.renew_body("unfit", 3)).code, Code::evidence_tcb_status);
  std::map<InstanceId, int> drawn;
  for (int i = 0; i < 300; ++i) ++drawn[*n.session(n.open_assigned("alice")).instance];
  EXPECT_EQ(drawn.size(), 2u);
  // 150 expected of each; the standard deviation is below 9.
  EXPECT_GT(drawn[TestNetwork::id_of("dear")], 110);
  EXPECT_GT(drawn[TestNetwork::id_of("cheap")], 110);
}

TEST(Assignment, TheBeaconComesAfterTheRequestAndTheDrawAfterTheBeacon) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  EXPECT_FALSE(n.state.work_due(n.state.height() + 1));
  const SessionId id = open(n, "alice");
  const uint64_t h = n.session(id).request_height;
  EXPECT_EQ(h, n.state.height());
  EXPECT_TRUE(n.state.beacons_wanted(h).empty());
  EXPECT_EQ(n.state.beacons_wanted(h + 1), std::vector<uint64_t>{h + 1});
  EXPECT_TRUE(n.state.work_due(h + 1));
  n.block();
  EXPECT_EQ(n.session(id).state, SessionState::requested);
  EXPECT_TRUE(n.state.work_due(h + 2));
  n.block();
  EXPECT_EQ(n.session(id).state, SessionState::assigned);
  EXPECT_EQ(n.session(id).assigned_height, h + 2);
}

TEST(Assignment, ALateBeaconDelaysAndAnAbsentOneRefunds) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  TestNetwork late = n;
  const SessionId id = open(late, "alice");
  for (int i = 0; i < 5; ++i) late.block({}, false);
  EXPECT_EQ(late.session(id).state, SessionState::requested);
  late.block();
  late.block();
  EXPECT_EQ(late.session(id).state, SessionState::assigned);
  const uint64_t before = n.balance("alice");
  const SessionId lost = open(n, "alice");
  for (int i = 0; i < 11; ++i) n.block({}, false);
  EXPECT_EQ(n.session(lost).state, SessionState::refunded);
  EXPECT_EQ(n.balance("alice"), before);
  EXPECT_FALSE(n.state.work_due(n.state.height() + 1));
}

TEST(Assignment, AnUnconfirmedSessionIsRefunded) {
  TestNetwork n = network();
  const InstanceId instance = n.bring_up("op", "node", 1);
  const SessionId id = n.open_assigned("alice");
  for (int i = 0; i < 10; ++i) n.block();
  EXPECT_EQ(n.session(id).state, SessionState::refunded);
  EXPECT_EQ(n.balance("alice"), kFunds);
  EXPECT_EQ(n.instance(instance).open_sessions, 0u);
}

TEST(Assignment, NobodySuitableIsARefund) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  struct Case {
    const char* name;
    void (*change)(OpenSession&);
  };
  const Case cases[] = {
      {"price", [](OpenSession& o) { o.price_cap_micro = 249'999; }},
      {"format", [](OpenSession& o) { o.requirement.formats = {3}; }},
      {"status", [](OpenSession& o) { o.requirement.tcb_statuses = {2}; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    OpenSession body = TestNetwork::open_body();
    c.change(body);
    const SessionId id = *to_fixed<32>(n.send("alice", body).data);
    n.block();
    n.block();  // a price above the cap may show at the draw only
    EXPECT_EQ(n.session(id).state, SessionState::refunded);
    EXPECT_EQ(n.balance("alice"), kFunds);
  }
  EXPECT_EQ(n.session(open(n, "alice")).state, SessionState::requested);
}

TEST(Assignment, AnInstanceRegisteredAfterTheRequestIsNotDrawn) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  OperatorBond bond;
  bond.amount_micro = 1'000'000;
  n.send("op2", bond);
  const SessionId id = open(n, "alice");
  n.block({n.tx("op2", n.register_body("op2", "late", 2))});
  n.block();
  EXPECT_EQ(n.session(id).instance, TestNetwork::id_of("node"));
}

TEST(Assignment, ADrawnInstanceThatFellOutIsAMissAndCostsItsReputation) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  const SessionId id = open(n, "alice");
  n.verifier->refused[1] = Code::evidence_tcb_status;
  EXPECT_EQ(n.send("op", n.renew_body("node", 1)).code, Code::evidence_tcb_status);
  EXPECT_EQ(n.instance(TestNetwork::id_of("node")).state, InstanceState::unverified);
  const BlockResult drawn = n.block();
  EXPECT_TRUE(has_event(drawn.events, "session.missed"));
  EXPECT_EQ(n.op("op").reputation, 480u);
  EXPECT_EQ(n.session(id).state, SessionState::refunded);  // nobody else serves
  n.verifier->refused.clear();
  EXPECT_EQ(n.send("node", n.renew_body("node", 1)).code, Code::ok);
  EXPECT_EQ(n.instance(TestNetwork::id_of("node")).state, InstanceState::active);
}

TEST(Assignment, CapacityIsNeverExceeded) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  std::vector<Buffer> txs;
  const uint64_t nonce = n.account("alice").nonce;
  for (uint64_t i = 0; i < 6; ++i) {
    txs.push_back(
        make_tx(n.state.genesis().chain_id, nonce + i, TestNetwork::open_body(), key_of("alice")));
  }
  n.block(txs);
  n.block();
  n.block();
  EXPECT_EQ(n.instance(TestNetwork::id_of("node")).open_sessions, 4u);
  EXPECT_EQ(n.balance("alice"), kFunds - 4 * 300'000);  // two found nobody free
}

}  // namespace
}  // namespace cloister::ledger
