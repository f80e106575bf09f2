// Endpoints of the ledger that lie, and vendors that have taken their word back.
#include <gtest/gtest.h>

#include "hostile_testing.h"
#include "ledger/types/bodies.h"
#include "ledger/types/samples_testing.h"

namespace cloister::hostile {
namespace {

using gateway::ApiCode;
using ledger::Family;
using light::LightError;
using Answer = light::QueryResponse&;

class HostileLedger : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new World;
    node_ = &world_->keep(std::make_unique<HostileNode>(*world_));
  }
  static void TearDownTestSuite() { delete world_; }
  static World& world() { return *world_; }
  static HostileNode& node() { return *node_; }

  static Gateway& lied_to(Family family, LyingRpc::Lie lie) {
    auto rpc = std::make_unique<LyingRpc>(world().rpc_port, family, std::move(lie));
    return world().keep(std::make_unique<Gateway>(world(), std::move(rpc)));
  }
  // The light client refuses with `error`, and the node hears nothing. It does not even see a
  // connection, unless the lie is about the vendors' objects: which of them count, its evidence
  // says.
  static void expect_error(Family family, LyingRpc::Lie lie, LightError error) {
    Gateway& gateway = lied_to(family, std::move(lie));
    const Asked asked = gateway.ask();
    ASSERT_TRUE(asked.error);
    EXPECT_EQ(asked.error->code, ApiCode::ledger_unreachable);
    EXPECT_EQ(asked.error->message, ledger_fault(error));
    EXPECT_TRUE(gateway.refused.empty());
    EXPECT_EQ(node().heard(), "");
    EXPECT_EQ(node().connections(), family == Family::collateral ? 1U : 0U);
  }

 private:
  static World* world_;
  static HostileNode* node_;
};
World* HostileLedger::world_ = nullptr;
HostileNode* HostileLedger::node_ = nullptr;

TEST_F(HostileLedger, TheTruthThroughTheSameDoor) {
  size_t asked_for = 0;
  const Asked asked = lied_to(Family::instances, [&](light::QueryResponse&) { ++asked_for; }).ask();
  EXPECT_EQ(asked.error->code, ApiCode::node_lost) << asked.error->message;
  EXPECT_EQ(asked_for, 1U);
  EXPECT_NE(node().heard().find(kCanary), std::string::npos);
  node().connections();
}

// Whoever rules the validators could bring back an old policy, rightly proven.
TEST_F(HostileLedger, APolicyOlderThanOneThatWasSeen) {
  auto& gateway = world().keep(std::make_unique<Gateway>(world()));
  gateway.highest_policy = 2;
  const Asked asked = gateway.ask();
  ASSERT_TRUE(asked.error);
  EXPECT_EQ(asked.error->code, ApiCode::ledger_unreachable);
  EXPECT_EQ(asked.error->message,
            "the ledger: its policy is older than one that was in force before");
  EXPECT_EQ(node().heard(), "");
  EXPECT_EQ(node().connections(), 0U);
}

// The ledger accepts the node; its user does not.
TEST_F(HostileLedger, WhatTheUsersOwnPolicyRefuses) {
  struct Case {
    void (*set)(policy::LocalPolicy&);
    const char* why;
  };
  const Case cases[] = {
      {[](policy::LocalPolicy& p) { p.accepted_statuses.emplace(); }, "tcb_status"},
      {[](policy::LocalPolicy& p) { p.accepted_measurements.emplace(); }, "measurement"},
      // Without the simulated vendors' roots its evidence leads nowhere.
      {[](policy::LocalPolicy& p) { p.refuse_development = true; }, "wrong_chain"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    policy::LocalPolicy local;
    c.set(local);
    auto& gateway = world().keep(std::make_unique<Gateway>(world(), nullptr, nullptr, local));
    const Asked asked = gateway.ask();
    ASSERT_TRUE(asked.error);
    EXPECT_EQ(asked.error->code, ApiCode::attestation_failed);
    ASSERT_FALSE(gateway.refused.empty());
    EXPECT_EQ(gateway.refused[0], untrusted(c.why));
    EXPECT_EQ(node().heard(), "");
    node().connections();
  }
}

TEST_F(HostileLedger, WrongProofs) {
  const auto change = [](Answer answer) { answer.value->back() ^= 1; };
  for (auto family : {Family::sessions, Family::instances, Family::policy, Family::models,
                      Family::collateral, Family::draws, Family::beacon}) {
    expect_error(family, change, LightError::wrong_proof_value);
  }
  struct Case {
    LyingRpc::Lie lie;
    LightError error;
  };
  const Case cases[] = {
      {[](Answer a) { a.value.reset(); }, LightError::wrong_proof_value},  // absent, it says
      {[](Answer a) { a.proof.pop_back(); }, LightError::bad_proof},
      {[](Answer a) { a.proof.clear(); }, LightError::bad_proof},
      {[](Answer a) { a.proof[0].data.pop_back(); }, LightError::bad_proof},
      {[](Answer a) { a.height -= 1; }, LightError::wrong_height},
      {[](Answer a) { a.proof[0].key[0] ^= 1; }, LightError::wrong_proof_key},
      {[](Answer a) { a.proof[1].key = to_buffer(as_bytes("jobs")); },
       LightError::wrong_proof_family},
  };
  for (const auto& one : cases) expect_error(Family::instances, one.lie, one.error);
}

// An instance that the ledger does not have, under the proof of one that it has.
TEST_F(HostileLedger, AnInstanceThatIsNotThere) {
  expect_error(
      Family::instances,
      [](Answer answer) {
        auto instance = *ledger::Instance::decode(*answer.value);
        instance.endpoint = "127.0.0.1:" + std::to_string(world().rpc_port);
        instance.spki_sha256.fill(9);
        answer.value = instance.encode();
      },
      LightError::wrong_proof_value);
}

// A true answer of before, told as today's.
TEST_F(HostileLedger, AnOldAnswer) {
  std::optional<light::QueryResponse> old;
  const Asked first = lied_to(Family::instances, [&](Answer answer) { old = answer; }).ask();
  EXPECT_EQ(first.error->code, ApiCode::node_lost);
  node().heard();
  node().connections();
  ASSERT_TRUE(old);
  expect_error(Family::instances, [&](Answer answer) { answer = *old; }, LightError::wrong_height);
  expect_error(
      Family::instances,
      [&](Answer answer) {
        const auto height = answer.height;
        answer = *old;
        answer.height = height;
      },
      LightError::wrong_root);
}

TEST_F(HostileLedger, ExpiredCollateral) {
  constexpr int64_t kDay = 24 * 3600 * 1000;
  ManualClock later(world().clock.now_ms() + 40 * kDay);
  Gateway& gateway = world().keep(std::make_unique<Gateway>(world(), nullptr, &later));
  const Asked asked = gateway.ask();
  ASSERT_TRUE(asked.error);
  EXPECT_EQ(asked.error->code, ApiCode::attestation_failed);
  EXPECT_EQ(asked.error->message, untrusted(evidence::name(evidence::Error::expired)));
  EXPECT_EQ(node().heard(), "");
  node().connections();
}

asio::awaitable<bool> revoke(World& world, light::Account& account, uint32_t platform) {
  const auto& issuer = intel().platform_ca_for_testing();
  const auto now = world.clock.now();
  const auto serial = intel().pck_for_testing(platform).certificate.serial();
  const auto crl =
      crypto::issue_crl(issuer.certificate, issuer.key, now - 60, now + 86'400, 2, {serial});
  ledger::PutCollateral body;
  body.files = {crl.der(), to_buffer(as_bytes(intel().pck_chain(platform)))};
  auto sent = co_await account.send(body, light::Millis(30'000));
  co_return sent.has_value();
}

// The vendor revokes the machine between the draw and the connection.
TEST(HostileCollateral, RevokedAfterTheDraw) {
  World world;
  HostileNode& node = world.keep(std::make_unique<HostileNode>(world));
  auto& client = world.keep(world.client());
  auto& rival = world.keep(std::make_unique<light::Account>(
      client, ledger::make_key("rival"), world.genesis.chain_id, world.context.get_executor()));
  auto meanwhile = [&]() -> asio::awaitable<void> {
    const bool done = co_await revoke(world, rival, 0);
    EXPECT_TRUE(done);
  };
  auto rpc = std::make_unique<LyingRpc>(world.rpc_port, Family::instances, nullptr, meanwhile);
  Gateway& gateway = world.keep(std::make_unique<Gateway>(world, std::move(rpc)));
  const Asked asked = gateway.ask();
  ASSERT_TRUE(asked.error);
  EXPECT_EQ(asked.error->code, ApiCode::attestation_failed);
  EXPECT_EQ(asked.error->message, untrusted(evidence::name(evidence::Error::revoked)));
  EXPECT_EQ(node.heard(), "");
  // The ledger has taken it out in the block that brought the list: nobody is given it any more.
  const Asked again = world.keep(std::make_unique<Gateway>(world)).ask();
  ASSERT_TRUE(again.error);
  EXPECT_EQ(again.error->code, ApiCode::no_verified_node);
  EXPECT_EQ(node.heard(), "");
}

}  // namespace
}  // namespace cloister::hostile
