// Two instances for one request, of different operators and vendors: what betrays one of them says
// nothing of the other.
#include <gmock/gmock.h>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;
constexpr uint64_t kDeposit = 300'000;

struct Pair {
  SessionId first{}, second{};
};

struct Scene {
  static Genesis genesis() {
    Genesis out = TestNetwork::funded({"op", "op2", "op3", "alice"}, kFunds);
    out.params.instance_lifetime_blocks = 1'000'000;
    out.params.confirm_deadline_blocks = 20;
    return out;
  }
  Pair open() {
    OpenSession body = TestNetwork::open_body();
    body.requirement.diversity = 2;
    const TxResult result = n.send("alice", body);
    EXPECT_EQ(result.code, Code::ok);
    const SessionId id = *to_fixed<32>(result.data);
    EXPECT_EQ(n.session(id).twin, twin_id(id));
    EXPECT_EQ(n.session(twin_id(id)).twin, id);
    return {id, twin_id(id)};
  }
  Pair drawn() {
    const Pair pair = open();
    n.block();
    n.block();
    return pair;
  }
  void expect_apart(const Pair& pair) const {
    const Session one = n.session(pair.first), other = n.session(pair.second);
    ASSERT_TRUE(one.instance && other.instance);
    EXPECT_TRUE(apart(n.instance(*one.instance), n.instance(*other.instance)));
  }
  std::expected<void, DrawError> again(const SessionId& id) const {
    const Session session = n.session(id);
    const Store& store = n.state.store();
    const auto beacon =
        Beacon::decode(*store.get(Family::beacon, number_key(session.request_height + 1)));
    const auto frozen = FrozenPools::decode(
        *store.get(Family::draws, frozen_key(session.request_height, session.model_root)));
    return verify_draw(session, *frozen, *beacon->value,
                       *Drawn::decode(*store.get(Family::draws, id)));
  }
  TestNetwork n{genesis()};
};

TEST(Pairs, AreOfDifferentOperatorsAndVendorsEachTime) {
  Scene s;
  s.n.bring_up("op", "intel", 1);
  s.n.bring_up("op2", "intel2", 2);
  s.n.bring_up("op2", "amd2", kOtherVendor);
  s.n.bring_up("op3", "amd3", kOtherVendor + 1);
  std::map<InstanceId, int> firsts;
  for (int i = 0; i < 40; ++i) {
    const Pair pair = s.drawn();
    // What would have been a pair of one operator is drawn again.
    for (int more = 0; more < 16; ++more) {
      if (s.n.session(pair.first).instance && s.n.session(pair.second).instance) break;
      s.n.block();
    }
    s.expect_apart(pair);
    EXPECT_TRUE(s.again(pair.first));
    EXPECT_TRUE(s.again(pair.second));
    ++firsts[*s.n.session(pair.first).instance];
    for (int wait = 0; wait < 40; ++wait) s.n.block();  // nobody confirms: all ends
  }
  EXPECT_EQ(firsts.size(), 4u);
  EXPECT_EQ(s.n.balance("alice"), kFunds);
}

TEST(Pairs, OneThatIsDrawnAgainStaysApartFromTheOther) {
  Scene s;
  s.n.bring_up("op", "intel", 1);
  s.n.bring_up("op", "intel1", 2);
  s.n.bring_up("op2", "amd", kOtherVendor);
  s.n.bring_up("op2", "amd1", kOtherVendor + 1);
  const Pair pair = s.drawn();
  s.expect_apart(pair);
  for (const SessionId& id : {pair.first, pair.second}) {
    const InstanceId before = *s.n.session(id).instance;
    ReportAttestation report;
    report.session = id;
    ASSERT_EQ(s.n.send("alice", report).code, Code::ok);
    EXPECT_TRUE(s.n.session(id).apart_formats.empty());
    s.n.block();
    s.n.block();
    EXPECT_NE(s.n.session(id).instance, before);
    s.expect_apart(pair);
    EXPECT_TRUE(s.again(id));
  }
}

TEST(Pairs, WithoutASecondVendorOneIsServedAndTheOtherRefunded) {
  Scene s;
  s.n.bring_up("op", "intel", 1);
  s.n.bring_up("op2", "intel2", 2);
  const Pair pair = s.drawn();
  const Session one = s.n.session(pair.first), other = s.n.session(pair.second);
  EXPECT_NE(one.instance.has_value(), other.instance.has_value());
  const Session& left = one.instance ? other : one;
  EXPECT_EQ(left.state, SessionState::refunded);
  EXPECT_EQ(s.n.balance("alice"), kFunds - kDeposit);
}

// Who has machines of both vendors gets one half of the pair only, and the other half ends.
TEST(Pairs, OneOperatorNeverServesBoth) {
  Scene s;
  s.n.bring_up("op", "intel", 1);
  s.n.bring_up("op", "amd", kOtherVendor);
  const Pair pair = s.drawn();
  const bool first = s.n.session(pair.first).instance.has_value();
  const SessionId& served = first ? pair.first : pair.second;
  const SessionId& left = first ? pair.second : pair.first;
  ConfirmAttestation confirm;
  confirm.session = served;
  confirm.instance = *s.n.session(served).instance;
  confirm.policy_version = 1;
  ASSERT_EQ(s.n.send("alice", confirm).code, Code::ok);
  for (int i = 0; i < 50; ++i) s.n.block();
  EXPECT_EQ(s.n.session(left).state, SessionState::refunded);
  EXPECT_EQ(s.n.session(left).misses, kMaxMisses + 1);
  EXPECT_EQ(s.n.op("op").reputation, 500u);  // nobody's fault
  EXPECT_EQ(s.n.session(served).state, SessionState::confirmed);
}

TEST(Pairs, ADepositThatSufficesForOneOpensNone) {
  Scene s;
  s.n.bring_up("op", "intel", 1);
  Transfer away;
  away.to = key_of("op").public_key();
  away.amount_micro = kFunds - 2 * kDeposit + 1;
  ASSERT_EQ(s.n.send("alice", away).code, Code::ok);
  OpenSession body = TestNetwork::open_body();
  body.requirement.diversity = 2;
  const uint64_t before = s.n.balance("alice");
  EXPECT_EQ(s.n.send("alice", body).code, Code::insufficient_balance);
  EXPECT_EQ(s.n.balance("alice"), before);
}

// A ledger that leaves kinds of platforms out of a draw for no reason is found out.
TEST(Pairs, WithoutATwinNothingMayBeLeftOut) {
  Scene s;
  s.n.bring_up("op", "intel", 1);
  const SessionId id = s.n.open_assigned("alice");
  ASSERT_TRUE(s.again(id));
  Session session = s.n.session(id);
  session.apart_formats = {3};
  FrozenPools frozen;
  frozen.height = session.request_height;
  Drawn drawn;
  drawn.height = frozen.height;
  drawn.tries.resize(1);
  EXPECT_EQ(verify_draw(session, frozen, Hash32{}, drawn).error(), DrawError::left_out);
}

TEST(Pairs, VendorsAreToldApartByTheirFormats) {
  const auto made_of = [](uint8_t op, std::vector<uint8_t> formats) {
    Instance out;
    out.operator_account = Hash32{op};
    for (const uint8_t format : formats) out.platforms.emplace_back().format = format;
    return out;
  };
  const Instance tdx = made_of(1, {1}), sgx = made_of(2, {2}), snp = made_of(2, {3});
  EXPECT_TRUE(apart(tdx, snp));
  EXPECT_FALSE(apart(tdx, sgx));                 // both are Intel's
  EXPECT_FALSE(apart(tdx, made_of(1, {3})));     // one operator
  EXPECT_FALSE(apart(tdx, made_of(2, {3, 1})));  // one of its machines is Intel's
  EXPECT_FALSE(apart(made_of(2, {3, 1}), tdx));
  // The same GPU in both takes nothing from it.
  EXPECT_TRUE(apart(made_of(1, {1, 4}), made_of(2, {3, 4})));
}

}  // namespace
}  // namespace cloister::ledger
