#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

TestNetwork network() {
  Genesis genesis = TestNetwork::funded({"op", "op2", "alice", "bob"}, kFunds);
  genesis.params.instance_lifetime_blocks = 40;
  return TestNetwork(genesis);
}

ReportAttestation with_evidence(const TestNetwork& n, const SessionId& id) {
  ReportAttestation report;
  report.session = id;
  EvidenceItem item;
  item.format = 1;
  const Instance instance = n.instance(*n.session(id).instance);
  item.bytes = ByteWriter().bytes(instance.binding).u8(1).take();
  report.evidence = {item};
  return report;
}

TEST(Reports, WithoutEvidenceAnotherInstanceIsDrawnUntilTheLimit) {
  TestNetwork n = network();
  for (uint8_t i = 1; i <= 5; ++i) n.bring_up("op", "node" + std::to_string(i), i);
  const SessionId id = n.open_assigned("alice");
  ReportAttestation report;
  report.session = id;
  for (int i = 0; i < 3; ++i) {
    const InstanceId before = *n.session(id).instance;
    ASSERT_EQ(n.send("alice", report).code, Code::ok);
    EXPECT_EQ(n.instance(before).open_sessions, 0u);
    n.block();
    n.block();
    ASSERT_EQ(n.session(id).state, SessionState::assigned);
    EXPECT_NE(n.session(id).instance, before);
    EXPECT_EQ(n.op("op").reputation, 500u);  // a word is not a fact
  }
  ASSERT_EQ(n.send("alice", report).code, Code::ok);
  EXPECT_EQ(n.session(id).state, SessionState::refunded);
  EXPECT_EQ(n.balance("alice"), kFunds);
}

TEST(Reports, EvidenceThatStillHoldsCostsTheReporterTheFee) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  const SessionId id = n.open_assigned("alice");
  const uint64_t before = n.balance("alice");
  const TxResult result = n.send("alice", with_evidence(n, id));
  EXPECT_EQ(result.code, Code::ok);
  ASSERT_EQ(result.events.size(), 1u);
  EXPECT_EQ(result.events[0].type, "report.unfounded");
  EXPECT_EQ(n.balance("alice"), before - n.state.genesis().params.report_fee_micro);
  EXPECT_EQ(n.session(id).state, SessionState::assigned);
}

TEST(Reports, AMachineWhoseKeyWasTakenBackIsRevokedAndSlashed) {
  TestNetwork n = network();
  const InstanceId node = n.bring_up("op", "node", 1);
  const SessionId drawn = n.open_assigned("alice");
  const SessionId confirmed = n.open_confirmed("bob");
  n.verifier->refused[1] = Code::evidence_revoked;
  const uint64_t alice = n.balance("alice");
  ASSERT_EQ(n.send("alice", with_evidence(n, drawn)).code, Code::ok);
  EXPECT_EQ(n.instance(node).state, InstanceState::revoked);
  EXPECT_EQ(n.instance(node).open_sessions, 0u);
  EXPECT_EQ(n.op("op").stake_micro, 500'000u);
  EXPECT_EQ(n.op("op").slashed_micro, 500'000u);
  EXPECT_EQ(n.op("op").reputation, 0u);
  EXPECT_EQ(n.session(confirmed).state, SessionState::closed);
  EXPECT_EQ(n.balance("bob"), kFunds);
  EXPECT_EQ(n.session(drawn).state, SessionState::refunded);  // nobody else serves
  EXPECT_EQ(n.balance("alice"), alice + 250'000 + 300'000);
  n.verifier->refused.clear();
  OperatorBond bond;
  bond.amount_micro = 1'000'000;
  n.send("op", bond);
  EXPECT_EQ(n.send("op", n.register_body("op", "node", 1)).code, Code::instance_exists);
}

TEST(Reports, CollateralThatCannotJudgeDecidesNothing) {
  TestNetwork n = network();
  n.bring_up("op", "node", 1);
  const SessionId id = n.open_assigned("alice");
  for (Code code : {Code::evidence_expired, Code::evidence_collateral_missing,
                    Code::evidence_not_yet_valid, Code::evidence_collateral_mismatch}) {
    n.verifier->refused[1] = code;
    EXPECT_EQ(n.send("alice", with_evidence(n, id)).code, Code::collateral_cannot_judge);
  }
}

TEST(Instances, ExpireUnlessRenewedAndThenTheirSessionsEnd) {
  TestNetwork n = network();
  const InstanceId id = n.bring_up("op", "node", 1);
  for (int i = 0; i < 20; ++i) n.block();
  ASSERT_EQ(n.send("node", n.renew_body("node", 1)).code, Code::ok);
  const uint64_t expires = n.instance(id).expires_height;
  const SessionId session = n.open_confirmed("alice");
  while (n.state.height() + 1 < expires) n.block();
  EXPECT_EQ(n.instance(id).state, InstanceState::active);
  EXPECT_TRUE(n.state.work_due(expires));
  n.block();
  EXPECT_EQ(n.instance(id).state, InstanceState::expired);
  EXPECT_EQ(n.session(session).state, SessionState::closing);
  EXPECT_EQ(n.send("node", n.renew_body("node", 1)).code, Code::instance_not_live);
  // What was answered can still be settled, and the same identity may come back.
  EXPECT_EQ(n.send("node", n.settle_body(session, "node", 10)).code, Code::ok);
  EXPECT_EQ(n.send("op", n.register_body("op", "node", 1)).code, Code::ok);
  EXPECT_EQ(n.instance(id).open_sessions, 1u);
}

TEST(Instances, ARenewalOnAnotherMachineFailsAtOnce) {
  TestNetwork n = network();
  const InstanceId id = n.bring_up("op", "node", 1);
  const SessionId session = n.open_confirmed("alice");
  EXPECT_EQ(n.send("op", n.renew_body("node", 2)).code, Code::platform_changed);
  EXPECT_EQ(n.instance(id).state, InstanceState::unverified);
  EXPECT_EQ(n.session(session).state, SessionState::closing);
}

TEST(Instances, GpusAreNamedInTheClaimsAndAnswerEachBlockAnew) {
  constexpr uint8_t kMachine = kWithGpu + 1;
  TestNetwork n = network();
  const InstanceId id = n.bring_up("op", "node", kMachine);
  const Instance before = n.instance(id);
  ASSERT_EQ(before.platforms.size(), 3u);
  EXPECT_EQ(before.platforms[2].format, kNvidiaGpuFormat);
  ASSERT_EQ(n.send("op", n.renew_body("node", kMachine)).code, Code::ok);
  EXPECT_NE(n.instance(id).gpu_nonce, before.gpu_nonce);
  RevokeInstance accusation;
  accusation.instance = id;
  accusation.evidence = n.evidence_of("node", kMachine);
  const TxResult judged = n.send("alice", accusation);
  ASSERT_EQ(judged.code, Code::ok);
  EXPECT_EQ(judged.events[0].type, "report.unfounded");
  accusation.evidence.pop_back();
  EXPECT_EQ(n.send("alice", accusation).code, Code::not_the_registration_evidence);

  RenewInstance unnamed = n.renew_body("node", kMachine);
  unnamed.renewal.evidence.pop_back();
  unnamed = sign_renewal(unnamed.renewal, n.state.genesis().chain_id, key_of("node"));
  EXPECT_EQ(n.send("op", unnamed).code, Code::claims_mismatch);
  EXPECT_EQ(n.send("op", n.renew_body("node", 1)).code, Code::platform_changed) << "without GPUs";
}

TEST(Instances, ANewRegistrationOfOnesOwnMachineRetiresTheOld) {
  TestNetwork n = network();
  const InstanceId old = n.bring_up("op", "node", 1);
  ASSERT_EQ(n.send("op", n.register_body("op", "again", 1)).code, Code::ok);
  EXPECT_EQ(n.instance(old).state, InstanceState::retired);
  EXPECT_EQ(n.instance(TestNetwork::id_of("again")).state, InstanceState::active);
  for (int i = 0; i < 41; ++i) n.block();  // expired, the machine is free for anyone
  OperatorBond bond;
  bond.amount_micro = 1'000'000;
  n.send("op2", bond);
  EXPECT_EQ(n.send("op2", n.register_body("op2", "theirs", 1)).code, Code::ok);
}

// A large network has an object for each of its machines.
TEST(Collateral, ThereIsRoomForEveryMachines) {
  TestNetwork n = network();
  auto put = [&](uint64_t id) {
    PutCollateral body;
    const auto kind = static_cast<uint8_t>(1 + id / 200);
    body.files = {ByteWriter()
                      .u8(kind)
                      .u8(static_cast<uint8_t>(id % 200))
                      .u64_be(1)
                      .u64_be(1)
                      .u64_be(UINT64_MAX)
                      .take()};
    return n.send("alice", body).code;
  };
  for (uint64_t id = 0; id < 1'000; ++id) ASSERT_EQ(put(id), Code::ok);
}

}  // namespace
}  // namespace cloister::ledger
