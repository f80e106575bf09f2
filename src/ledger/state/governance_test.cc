#include <gtest/gtest.h>

#include <functional>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

// Three operators with stakes of 50, 30 and 20 per cent; three release keys of which two decide.
struct Scene {
  TestNetwork n{genesis()};
  InstanceId node{};

  static Genesis genesis() {
    Genesis g = TestNetwork::funded({"op", "op2", "op3", "alice", "key1", "key2", "key3"}, kFunds);
    g.params.voting_blocks = 10;
    g.params.timelock_blocks = 5;
    g.params.pause_blocks = 4;
    g.params.quorum_permille = 600;
    for (const char* key : {"key1", "key2", "key3"}) {
      g.release_keys.push_back(key_of(key).public_key());
    }
    std::sort(g.release_keys.begin(), g.release_keys.end());
    g.release_threshold = 2;
    return g;
  }
  Scene() {
    n.block();
    for (const auto& [who, amount] : {std::pair("op", 5'000'000u), std::pair("op2", 3'000'000u),
                                      std::pair("op3", 2'000'000u)}) {
      OperatorBond bond;
      bond.amount_micro = amount;
      EXPECT_EQ(n.send(who, bond).code, Code::ok);
    }
    EXPECT_EQ(n.send("op", n.register_body("op", "node", 1)).code, Code::ok);
    node = TestNetwork::id_of("node");
  }
  template <typename Change>
  Propose body(ProposalKind kind, const Change& change) const {
    Propose out;
    out.kind = kind;
    out.change = change.encode();
    return out;
  }
  template <typename Change>
  ProposalId propose(const std::string& who, ProposalKind kind, const Change& change) {
    const TxResult result = n.send(who, body(kind, change));
    EXPECT_EQ(name(result.code), name(Code::ok));
    return to_fixed<32>(result.data).value_or(ProposalId{});
  }
  Code vote(const std::string& who, const ProposalId& id, bool yes = true) {
    Vote vote;
    vote.proposal = id;
    vote.yes = yes;
    return n.send(who, vote).code;
  }
  Code approve(const std::string& who, const ProposalId& id) {
    ReleaseApprove approval;
    approval.proposal = id;
    return n.send(who, approval).code;
  }
  ProposalState state(const ProposalId& id) const {
    return Proposal::decode(*n.state.store().get(Family::proposals, id))->state;
  }
  NetworkPolicy policy() const {
    return *NetworkPolicy::decode(*n.state.store().get(Family::policy, as_bytes(kPolicyKey)));
  }
  Params params() const {
    return *Params::decode(*n.state.store().get(Family::params, as_bytes(kParamsKey)));
  }
  InstanceState node_state() const { return n.instance(node).state; }
  void blocks(int count) {
    for (int i = 0; i < count; ++i) n.block();
  }
};

Restriction denied(RestrictionKind kind, Buffer value) {
  Restriction out;
  out.kind = kind;
  out.value = std::move(value);
  return out;
}

VendorPolicy strict_vendor() {
  VendorPolicy out;
  out.accepted_statuses = {2};
  return out;
}

Release release(const std::string& name) {
  Release out;
  out.name = name;
  out.format = 1;
  out.measurement = Buffer(48, 9);
  return out;
}

TEST(Governance, AVendorRuleNeedsTheQuorumAndItsTimelock) {
  Scene s;
  const SessionId session = s.n.open_confirmed("alice");
  const ProposalId id = s.propose("op", ProposalKind::vendor_policy, strict_vendor());
  EXPECT_EQ(s.state(id), ProposalState::open);  // half of the stake is not enough
  EXPECT_EQ(s.vote("op3", id), Code::ok);       // 70 per cent
  EXPECT_EQ(s.state(id), ProposalState::passed);
  EXPECT_EQ(s.vote("op2", id), Code::proposal_closed);
  s.blocks(3);
  EXPECT_EQ(s.policy().version, 1u);
  EXPECT_EQ(s.node_state(), InstanceState::active);
  s.n.block();
  EXPECT_EQ(s.policy().version, 2u);
  EXPECT_EQ(s.policy().accepted_statuses, std::vector<uint8_t>{2});
  EXPECT_EQ(s.state(id), ProposalState::executed);
  EXPECT_EQ(s.n.session(session).state, SessionState::closing);
}

// The claims on the ledger are enough: no evidence is brought again.
TEST(Governance, EveryInstanceIsReassessedInTheBlockThatChangesThePolicy) {
  Scene s;
  EXPECT_EQ(s.n.send("op2", s.n.register_body("op2", "other", 2)).code, Code::ok);
  const Hash32 machine = s.n.instance(s.node).platforms[0].id_hash;
  const ProposalId id = s.propose("op2", ProposalKind::restriction,
                                  denied(RestrictionKind::platform, to_buffer(machine)));
  EXPECT_EQ(s.vote("op", id), Code::ok);
  EXPECT_EQ(s.node_state(), InstanceState::active);
  const BlockResult result = s.n.block();
  EXPECT_EQ(s.node_state(), InstanceState::unverified);
  EXPECT_EQ(s.n.instance(TestNetwork::id_of("other")).state, InstanceState::active);
  bool told = false;
  for (const Event& event : result.events) {
    told = told ||
           (event.type == "instance.unverified" && event.attributes[1].second == "policy_platform");
  }
  EXPECT_TRUE(told);
}

TEST(Governance, WhatIsTakenBackComesBackOnlyAfterATimelock) {
  Scene s;
  const Restriction restriction = denied(RestrictionKind::measurement, Buffer(48, 9));
  const ProposalId deny = s.propose("op", ProposalKind::restriction, restriction);
  EXPECT_EQ(s.vote("op2", deny), Code::ok);
  s.n.block();
  EXPECT_EQ(s.policy().denied_measurements, std::vector<Buffer>{Buffer(48, 9)});
  const ProposalId lift = s.propose("op", ProposalKind::lift, restriction);
  EXPECT_EQ(s.vote("op2", lift), Code::ok);
  s.blocks(4);
  EXPECT_FALSE(s.policy().denied_measurements.empty());
  s.n.block();
  EXPECT_TRUE(s.policy().denied_measurements.empty());
  EXPECT_EQ(s.policy().version, 3u);  // it only rises
}

TEST(Governance, AProposalThatTooFewWantEndsAtItsDeadline) {
  Scene s;
  const ProposalId id = s.propose("op", ProposalKind::vendor_policy, strict_vendor());
  EXPECT_EQ(s.vote("op2", id, false), Code::ok);
  s.blocks(8);
  EXPECT_EQ(s.state(id), ProposalState::open);
  s.n.block();
  EXPECT_EQ(s.state(id), ProposalState::rejected);
  EXPECT_EQ(s.vote("op3", id), Code::proposal_closed);
  EXPECT_EQ(s.policy().version, 1u);
}

// dstack, Secret AI: one owner's key governed the measurements.
TEST(Governance, ReleasesNeedTheThresholdOfTheirKeysAndNobodyElse) {
  Scene s;
  EXPECT_EQ(s.n.send("op", s.body(ProposalKind::add_release, release("new"))).code,
            Code::not_release_key);
  const ProposalId id = s.propose("key1", ProposalKind::add_release, release("new"));
  EXPECT_EQ(s.vote("op", id), Code::wrong_ballot);
  EXPECT_EQ(s.approve("op", id), Code::not_release_key);
  EXPECT_EQ(s.approve("key1", id), Code::voted_before);
  EXPECT_EQ(s.state(id), ProposalState::open);
  EXPECT_EQ(s.approve("key2", id), Code::ok);
  s.blocks(4);
  EXPECT_EQ(s.policy().releases.size(), 1u);
  s.n.block();
  EXPECT_EQ(s.policy().releases.size(), 2u);
  Withdrawal withdrawal;
  withdrawal.name = "cloister-node test";
  const ProposalId gone = s.propose("key3", ProposalKind::withdraw_release, withdrawal);
  EXPECT_EQ(s.approve("key2", gone), Code::ok);
  s.blocks(5);
  ASSERT_EQ(s.policy().releases.size(), 1u);
  EXPECT_EQ(s.policy().releases[0].name, "new");
}

TEST(Governance, AReleaseBeginsAndEndsAtItsHeights) {
  Genesis g = Scene::genesis();
  g.policy.releases[0].valid_until_height = 12;
  TestNetwork n(g);
  n.bring_up("op", "node", 1);
  while (n.state.height() < 12) n.block();
  EXPECT_EQ(n.instance(TestNetwork::id_of("node")).state, InstanceState::active);
  EXPECT_TRUE(n.state.work_due(13));
  n.block();
  EXPECT_EQ(n.instance(TestNetwork::id_of("node")).state, InstanceState::unverified);
}

TEST(Governance, AnEmergencyPauseEndsByItselfAndComesOnce) {
  Scene s;
  PauseFormat pause;
  pause.format = 1;
  EXPECT_EQ(s.n.send("alice", pause).code, Code::not_release_key);
  EXPECT_EQ(s.n.send("key1", pause).code, Code::ok);
  s.n.block();
  EXPECT_EQ(s.policy().paused_formats, std::vector<uint8_t>{1});
  EXPECT_EQ(s.node_state(), InstanceState::unverified);
  EXPECT_EQ(s.n.send("key2", pause).code, Code::paused_before);
  s.blocks(3);
  EXPECT_TRUE(s.policy().paused_formats.empty());
  EXPECT_EQ(s.n.send("key2", pause).code, Code::paused_before);
  EXPECT_EQ(s.n.send("node", s.n.renew_body("node", 1)).code, Code::ok);
  EXPECT_EQ(s.node_state(), InstanceState::active);
  // A vote on the kind of platform, either way, gives the keys their pause back.
  const Restriction restriction = denied(RestrictionKind::format, {1});
  ASSERT_EQ(s.vote("op2", s.propose("op", ProposalKind::restriction, restriction)), Code::ok);
  s.n.block();
  ASSERT_EQ(s.vote("op2", s.propose("op", ProposalKind::lift, restriction)), Code::ok);
  s.blocks(5);
  EXPECT_TRUE(s.policy().paused_formats.empty());
  EXPECT_EQ(s.n.send("key2", pause).code, Code::ok);
}

TEST(Governance, ParametersChangeAfterTheirTimelockAndWeightsFollow) {
  Scene s;
  Params params = s.params();
  params.min_stake_micro = 5'000'001;
  const ProposalId id = s.propose("op2", ProposalKind::params, params);
  EXPECT_EQ(s.vote("op", id), Code::ok);
  const auto drawable = [&] {
    size_t count = 0;
    s.n.state.store().for_each(Family::draws, {}, [&](Bytes key, Bytes) {
      count += is_weight_key(key);
      return true;
    });
    return count;
  };
  EXPECT_EQ(drawable(), 1u);
  s.blocks(5);
  EXPECT_EQ(s.params(), params);
  EXPECT_EQ(drawable(), 0u);
  auto again = State::from_store(s.n.state.store(), s.n.verifier);
  ASSERT_TRUE(again);
  TestNetwork reloaded = s.n;
  reloaded.state = std::move(*again);
  EXPECT_EQ(reloaded.block().app_hash, s.n.block().app_hash);
}

TEST(Governance, AnInstanceIsRevokedByVoteAtOnce) {
  Scene s;
  const SessionId session = s.n.open_confirmed("alice");
  Revocation revocation;
  revocation.instance = s.node;
  ASSERT_EQ(s.vote("op", s.propose("op3", ProposalKind::revoke_instance, revocation)), Code::ok);
  s.n.block();
  EXPECT_EQ(s.node_state(), InstanceState::revoked);
  EXPECT_EQ(s.n.session(session).state, SessionState::closed);
  EXPECT_EQ(s.n.balance("alice"), kFunds);
  EXPECT_EQ(s.n.op("op").slashed_micro, 0u);  // a vote is no proof
}

TEST(Governance, AChangeThatBreaksARuleByNowFails) {
  Scene s;
  const Restriction restriction = denied(RestrictionKind::advisory, to_buffer(as_bytes("SA-1")));
  const ProposalId first = s.propose("op", ProposalKind::restriction, restriction);
  const ProposalId second = s.propose("op", ProposalKind::restriction, restriction);
  EXPECT_EQ(s.n.send("op2", Vote()).code, Code::proposal_unknown);
  std::vector<Buffer> votes;
  for (const ProposalId& id : {first, second}) {
    Vote vote;
    vote.proposal = id;
    vote.yes = true;
    votes.push_back(make_tx(s.n.state.genesis().chain_id, s.n.account("op2").nonce + votes.size(),
                            vote, key_of("op2")));
  }
  s.n.block(votes);
  s.n.block();
  EXPECT_NE(s.state(first), s.state(second));
  EXPECT_EQ(s.policy().denied_advisories.size(), 1u);
}

TEST(Governance, TheSumOfStakesIsTheElectorate) {
  Scene s;
  OperatorUnbond unbond;
  unbond.amount_micro = 1'000'000;
  ASSERT_EQ(s.n.send("op2", unbond).code, Code::ok);
  RevokeInstance revoke;
  revoke.instance = s.node;
  revoke.evidence = s.n.evidence_of("node", 1);
  s.n.verifier->refused[1] = Code::evidence_revoked;
  ASSERT_EQ(s.n.send("alice", revoke).code, Code::ok);  // op loses half a million
  const ProposalId id = s.propose("op", ProposalKind::vendor_policy, strict_vendor());
  const auto proposal = Proposal::decode(*s.n.state.store().get(Family::proposals, id));
  EXPECT_EQ(proposal->electorate_micro, 8'500'000u);
  EXPECT_EQ(proposal->yes_micro, 4'500'000u);
}

// A report or a revocation with good evidence that newer rules refuse finds nobody guilty.
TEST(Governance, RulesThatChangedSuspendAndNeverSlash) {
  for (bool by_user : {true, false}) {
    SCOPED_TRACE(by_user);
    Scene s;
    const SessionId session = s.n.open_assigned("alice");
    s.n.verifier->strict_from_version = 2;
    // Nothing that reassessment from claims would see.
    const auto denied_elsewhere = denied(RestrictionKind::advisory, to_buffer(as_bytes("SA-1")));
    ASSERT_EQ(s.vote("op2", s.propose("op", ProposalKind::restriction, denied_elsewhere)),
              Code::ok);
    s.n.block();
    ASSERT_EQ(s.policy().version, 2u);
    ASSERT_EQ(s.node_state(), InstanceState::active);
    ReportAttestation report;
    report.session = session;
    report.evidence = s.n.evidence_of("node", 1);
    RevokeInstance revoke;
    revoke.instance = s.node;
    revoke.evidence = report.evidence;
    const uint64_t before = s.n.balance("op3");
    EXPECT_EQ(by_user ? s.n.send("alice", report).code : s.n.send("op3", revoke).code, Code::ok);
    EXPECT_EQ(s.node_state(), InstanceState::unverified);
    EXPECT_EQ(s.n.op("op").slashed_micro, 0u);
    EXPECT_EQ(s.n.balance("op3"), before);  // neither a reward nor a fee
    EXPECT_EQ(s.n.send("op3", revoke).code, Code::collateral_cannot_judge);
    // What a vendor takes back counts by the rules of the day of admission as well.
    s.n.verifier->refused[1] = Code::evidence_revoked;
    EXPECT_EQ(s.n.send("op3", revoke).code, Code::ok);
    EXPECT_EQ(s.node_state(), InstanceState::revoked);
    EXPECT_EQ(s.n.op("op").slashed_micro, 500'000u);
  }
}

// Layers within their own bounds that would merge into more than a policy holds: a node that wrote
// it could not read it again.
TEST(Governance, AMergedPolicyThatWouldNotDecodeIsRefused) {
  Scene s;
  VendorPolicy vendor = layers_of(Scene::genesis().policy).vendor;
  for (size_t i = 0; i < kMaxPolicyNames; ++i) {
    vendor.distrusted_products.push_back("product " + std::to_string(i));
  }
  ASSERT_EQ(s.vote("op2", s.propose("op", ProposalKind::vendor_policy, vendor)), Code::ok);
  s.blocks(5);
  ASSERT_EQ(s.policy().distrusted_products.size(), kMaxPolicyNames);
  const auto one_more = denied(RestrictionKind::product, to_buffer(as_bytes("one more")));
  EXPECT_EQ(s.n.send("op", s.body(ProposalKind::restriction, one_more)).code, Code::change_invalid);
  EXPECT_TRUE(State::from_store(s.n.state.store(), s.n.verifier));
}

// A stake that is brought for one vote must be the majority of all, not of what was there before.
TEST(Governance, StakeThatComesAfterTheProposalCountsOnBothSides) {
  Scene s;
  const ProposalId id = s.propose("op3", ProposalKind::vendor_policy, strict_vendor());
  OperatorBond bond;
  bond.amount_micro = 7'000'000;
  ASSERT_EQ(s.n.send("alice", bond).code, Code::ok);
  EXPECT_EQ(s.vote("alice", id), Code::ok);  // 9 of 10 of the old stake, 9 of 17 of all
  EXPECT_EQ(s.state(id), ProposalState::open);
  EXPECT_EQ(s.vote("op2", id), Code::ok);  // 12 of 17
  EXPECT_EQ(s.state(id), ProposalState::passed);
}

struct Case {
  const char* name;
  Code want;
  std::function<TxResult(Scene&)> send;
};

TEST(Governance, EachRefusalHasItsCode) {
  const auto proposing = [](const std::string& who, ProposalKind kind, Buffer change) {
    return [=](Scene& s) {
      Propose body;
      body.kind = kind;
      body.change = change;
      return s.n.send(who, body);
    };
  };
  using K = ProposalKind;
  Params broken = Scene::genesis().params;
  broken.settle_window_blocks = 0;
  Params twice = Scene::genesis().params;
  twice.unbond_blocks = twice.voting_blocks - 1;
  Params other_epochs = Scene::genesis().params;
  other_epochs.epoch_blocks += 1;
  VendorPolicy unsorted;
  unsorted.accepted_statuses = {2, 1};
  Release unmeasured = release("unmeasured"), device = release("device");
  unmeasured.measurement.clear();
  device.format = kNvidiaGpuFormat;  // and yet with a measurement
  Release versioned = release("versioned");
  versioned.min_driver = "550";
  Release backwards = release("backwards");
  backwards.valid_from_height = 2;
  backwards.valid_until_height = 1;
  Withdrawal nothing;
  nothing.name = "nothing";
  const Case cases[] = {
      {"without a stake", Code::stake_too_low,
       proposing("alice", K::vendor_policy, strict_vendor().encode())},
      {"a change of another kind", Code::change_malformed,
       proposing("op", K::params, strict_vendor().encode())},
      {"bytes", Code::change_malformed, proposing("op", K::restriction, {1, 2, 3})},
      {"vendor rules unsorted", Code::change_invalid,
       proposing("op", K::vendor_policy, unsorted.encode())},
      {"vendor rules as they are", Code::change_invalid,
       proposing("op", K::vendor_policy, layers_of(Scene::genesis().policy).vendor.encode())},
      {"parameters as they are", Code::change_invalid,
       proposing("op", K::params, Scene::genesis().params.encode())},
      {"parameters out of range", Code::change_invalid,
       proposing("op", K::params, broken.encode())},
      {"parameters that let a stake vote twice", Code::change_invalid,
       proposing("op", K::params, twice.encode())},
      {"epochs of another length", Code::change_invalid,
       proposing("op", K::params, other_epochs.encode())},
      {"a machine by a short name", Code::change_invalid,
       proposing("op", K::restriction, denied(RestrictionKind::platform, Buffer(31)).encode())},
      {"lifting what is not denied", Code::change_invalid,
       proposing("op", K::lift, denied(RestrictionKind::format, {1}).encode())},
      {"an instance that nobody knows", Code::instance_unknown,
       proposing("op", K::revoke_instance, Revocation().encode())},
      {"a release under a taken name", Code::change_invalid,
       proposing("key1", K::add_release, release("cloister-node test").encode())},
      {"a release that ends before it begins", Code::change_invalid,
       proposing("key1", K::add_release, backwards.encode())},
      {"a program without a measurement", Code::change_invalid,
       proposing("key1", K::add_release, unmeasured.encode())},
      {"a device with a measurement", Code::change_invalid,
       proposing("key1", K::add_release, device.encode())},
      {"a program with a driver's version", Code::change_invalid,
       proposing("key1", K::add_release, versioned.encode())},
      {"a release that is not there", Code::change_invalid,
       proposing("key1", K::withdraw_release, nothing.encode())},
      {"an approval of nothing", Code::proposal_unknown,
       [](Scene& s) { return s.n.send("key1", ReleaseApprove()); }},
      {"an approval of what stake decides", Code::wrong_ballot,
       [](Scene& s) {
         ReleaseApprove approval;
         approval.proposal = s.propose("op", K::vendor_policy, strict_vendor());
         return s.n.send("key1", approval);
       }},
      {"a vote without a stake", Code::stake_too_low,
       [](Scene& s) {
         Vote vote;
         vote.proposal = s.propose("op", K::vendor_policy, strict_vendor());
         return s.n.send("alice", vote);
       }},
      {"a second vote", Code::voted_before,
       [](Scene& s) {
         Vote vote;
         vote.proposal = s.propose("op", K::vendor_policy, strict_vendor());
         return s.n.send("op", vote);
       }},
      {"a pause of nothing", Code::change_invalid,
       [](Scene& s) { return s.n.send("key1", PauseFormat()); }},
      {"a proposal without its fee", Code::insufficient_balance,
       [](Scene& s) {
         Transfer all;
         all.to = key_of("alice").public_key();
         all.amount_micro = s.n.balance("op");
         EXPECT_EQ(s.n.send("op", all).code, Code::ok);
         return s.n.send("op", s.body(K::vendor_policy, strict_vendor()));
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Scene s;
    const TxResult result = c.send(s);
    EXPECT_EQ(name(result.code), name(c.want));
    EXPECT_TRUE(result.events.empty());
  }
}

}  // namespace
}  // namespace cloister::ledger
