#include <gtest/gtest.h>

#include <functional>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

Payload bytes(const std::string& text) {
  Payload out;
  out.inline_bytes = to_buffer(as_bytes(text));
  return out;
}

struct Scene {
  TestNetwork n{genesis()};
  SessionId job{};

  static Genesis genesis() {
    Genesis g = TestNetwork::funded({"op", "alice", "bob"}, kFunds);
    g.params.confirm_deadline_blocks = 10;
    g.params.request_lifetime_blocks = 5;
    g.params.history_blocks = g.params.evidence_max_age_blocks = 30;
    return g;
  }
  Scene() {
    n.bring_up("op", "node", 1);
    SubmitJob body;
    body.session = TestNetwork::open_body();
    body.session.lifetime_blocks = 8;
    const TxResult result = n.send("alice", body);
    EXPECT_EQ(name(result.code), "ok");
    job = to_fixed<32>(result.data).value_or(SessionId{});
    n.block();
    n.block();
  }
  PostInput input() const {
    PostInput body;
    body.job = job;
    body.instance = TestNetwork::id_of("node");
    body.input = bytes("sealed question");
    return body;
  }
  PostResult result(uint64_t units = 1000) const {
    PostResult body;
    body.job = job;
    body.result = bytes("sealed answer");
    body.receipt = n.settle_body(job, "node", units).receipt;
    return body;
  }
  SessionState state() const { return n.session(job).state; }
  std::optional<Job> record() const {
    const auto value = n.state.store().get(Family::jobs, job);
    return value ? Job::decode(*value) : std::nullopt;
  }
};

TEST(Jobs, AnAnswerThroughTheLedgerIsPaidAndTheRestReturnedAtOnce) {
  Scene s;
  EXPECT_EQ(s.state(), SessionState::assigned);
  ASSERT_EQ(s.n.send("alice", s.input()).code, Code::ok);
  EXPECT_EQ(s.state(), SessionState::confirmed);
  EXPECT_EQ(s.record()->input, s.input().input);
  ASSERT_EQ(s.n.send("node", s.result()).code, Code::ok);
  EXPECT_EQ(s.state(), SessionState::closed);
  EXPECT_EQ(s.record()->result, s.result().result);
  EXPECT_EQ(s.n.session(s.job).paid_micro, 250u);
  EXPECT_EQ(s.n.balance("alice"), kFunds - 250);
  EXPECT_EQ(s.n.instance(TestNetwork::id_of("node")).open_sessions, 0u);
}

// Else a user could have an honest instance slashed with an input that does not open.
TEST(Jobs, ARefusalRefundsAtOnceAndNobodyPaysOrGains) {
  Scene s;
  ASSERT_EQ(s.n.send("alice", s.input()).code, Code::ok);
  const auto before = s.n.op("op").reputation;
  ASSERT_EQ(s.n.send("node", s.result(0)).code, Code::ok);
  EXPECT_EQ(s.state(), SessionState::closed);
  EXPECT_EQ(s.n.balance("alice"), kFunds);
  EXPECT_EQ(s.n.op("op").slashed_micro, 0u);
  EXPECT_EQ(s.n.op("op").reputation, before);
  EXPECT_EQ(s.n.instance(TestNetwork::id_of("node")).open_sessions, 0u);
  for (int i = 0; i < 8; ++i) s.n.block();
  EXPECT_EQ(s.state(), SessionState::closed);
}

TEST(Jobs, PayloadsAreForgottenAfterTheHistory) {
  Scene s;
  ASSERT_EQ(s.n.send("alice", s.input()).code, Code::ok);
  ASSERT_EQ(s.n.send("node", s.result()).code, Code::ok);
  for (int i = 0; i < 29; ++i) s.n.block();
  EXPECT_TRUE(s.record());
  s.n.block();
  EXPECT_FALSE(s.record());
  EXPECT_EQ(s.state(), SessionState::closed);
}

TEST(Jobs, AMissedResultRefundsTheUserFromTheInstance) {
  Scene s;
  ASSERT_EQ(s.n.send("alice", s.input()).code, Code::ok);
  for (int i = 0; i < 8; ++i) s.n.block();
  EXPECT_EQ(s.state(), SessionState::refunded);
  EXPECT_EQ(s.n.op("op").slashed_micro, 50'000u);
  EXPECT_EQ(s.n.balance("alice"), kFunds + 25'000);
  EXPECT_EQ(s.n.instance(TestNetwork::id_of("node")).epoch_misses, 1u);
  EXPECT_EQ(s.n.send("node", s.result()).code, Code::wrong_session_state);
}

TEST(Jobs, AMissedInputRefundsAndCostsNobody) {
  Scene s;
  for (int i = 0; i < 10; ++i) s.n.block();
  EXPECT_EQ(s.state(), SessionState::refunded);
  EXPECT_EQ(s.n.op("op").slashed_micro, 0u);
  EXPECT_EQ(s.n.balance("alice"), kFunds);
}

TEST(Jobs, AnInstanceThatLeavesWithTheInputPaysUnlessPolicyTookItOut) {
  struct Case {
    const char* name;
    std::function<void(Scene&)> end;
    uint64_t slashed;
  };
  const Case cases[] = {
      {"retired",
       [](Scene& s) {
         RetireInstance body;
         body.instance = TestNetwork::id_of("node");
         EXPECT_EQ(s.n.send("op", body).code, Code::ok);
       },
       50'000},
      {"renewal failed",
       [](Scene& s) {
         s.n.verifier->refused[1] = Code::policy_advisory;
         EXPECT_EQ(s.n.send("op", s.n.renew_body("node", 1)).code, Code::policy_advisory);
       },
       0},
      {"revoked",
       [](Scene& s) {
         s.n.verifier->refused[1] = Code::evidence_revoked;
         RevokeInstance body;
         body.instance = TestNetwork::id_of("node");
         body.evidence = s.n.evidence_of("node", 1);
         EXPECT_EQ(s.n.send("bob", body).code, Code::ok);
       },
       500'000},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Scene s;
    ASSERT_EQ(s.n.send("alice", s.input()).code, Code::ok);
    c.end(s);
    EXPECT_EQ(s.state(), SessionState::refunded);
    EXPECT_EQ(s.n.op("op").slashed_micro, c.slashed);
    EXPECT_GE(s.n.balance("alice"), kFunds);
    EXPECT_EQ(s.n.instance(TestNetwork::id_of("node")).open_sessions, 0u);
  }
}

TEST(Jobs, EachRefusalHasItsCode) {
  struct Case {
    const char* name;
    Code want;
    std::function<Code(Scene&)> send;
  };
  const auto posting = [](const std::function<void(PostInput&)>& bend,
                          const std::string& who = "alice") {
    return [=](Scene& s) {
      PostInput body = s.input();
      bend(body);
      return s.n.send(who, body).code;
    };
  };
  const auto answering = [](const std::function<void(PostResult&)>& bend,
                            const std::string& who = "node") {
    return [=](Scene& s) {
      EXPECT_EQ(s.n.send("alice", s.input()).code, Code::ok);
      PostResult body = s.result();
      bend(body);
      return s.n.send(who, body).code;
    };
  };
  const Case cases[] = {
      {"input for nothing", Code::session_unknown,
       posting([](PostInput& p) { p.job = hash_of("x"); })},
      {"input by another", Code::not_session_user, posting([](PostInput&) {}, "bob")},
      {"input for another instance", Code::wrong_instance,
       posting([](PostInput& p) { p.instance = hash_of("x"); })},
      {"no input", Code::payload_invalid, posting([](PostInput& p) { p.input = {}; })},
      {"input here and there", Code::payload_invalid, posting([](PostInput& p) {
         p.input.reference = Reference();
         p.input.reference->uri = "ipfs://x";
       })},
      {"input nowhere", Code::payload_invalid, posting([](PostInput& p) {
         p.input = {};
         p.input.reference = Reference();
       })},
      {"input of absurd size", Code::payload_invalid, posting([](PostInput& p) {
         p.input = {};
         p.input.reference = Reference();
         p.input.reference->uri = "ipfs://x";
         p.input.reference->size_bucket = kMaxSizeBucket + 1;
       })},
      {"input twice", Code::wrong_session_state,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("alice", s.input()).code, Code::ok);
         return s.n.send("alice", s.input()).code;
       }},
      {"result before the input", Code::wrong_session_state,
       [](Scene& s) { return s.n.send("node", s.result()).code; }},
      {"no result", Code::payload_invalid, answering([](PostResult& p) { p.result = {}; })},
      {"result by another", Code::not_of_instance, answering([](PostResult&) {}, "bob")},
      {"result without a receipt", Code::receipt_malformed,
       answering([](PostResult& p) { p.receipt.clear(); })},
      {"result for more than was paid in", Code::receipt_over_limit,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("alice", s.input()).code, Code::ok);
         return s.n.send("node", s.result(1'000'001)).code;
       }},
      {"result twice", Code::wrong_session_state,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("alice", s.input()).code, Code::ok);
         EXPECT_EQ(s.n.send("node", s.result()).code, Code::ok);
         return s.n.send("node", s.result()).code;
       }},
      {"a job confirmed as a session", Code::is_a_job,
       [](Scene& s) {
         ConfirmAttestation body;
         body.session = s.job;
         body.instance = TestNetwork::id_of("node");
         body.policy_version = 1;
         return s.n.send("alice", body).code;
       }},
      {"a job settled as a session", Code::is_a_job,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("alice", s.input()).code, Code::ok);
         return s.n.send("node", s.n.settle_body(s.job, "node", 5)).code;
       }},
      {"a job closed as a session", Code::is_a_job,
       [](Scene& s) {
         EXPECT_EQ(s.n.send("alice", s.input()).code, Code::ok);
         CloseSession body;
         body.session = s.job;
         return s.n.send("alice", body).code;
       }},
      {"a session answered as a job", Code::not_a_job,
       [](Scene& s) {
         PostInput body = s.input();
         body.job = s.n.open_assigned("bob");
         return s.n.send("bob", body).code;
       }},
      {"a job of an unknown model", Code::model_unknown,
       [](Scene& s) {
         SubmitJob body;
         body.session = TestNetwork::open_body();
         body.session.model_root = hash_of("x");
         return s.n.send("alice", body).code;
       }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Scene s;
    EXPECT_EQ(name(c.send(s)), name(c.want));
  }
}

// --- rewards ------------------------------------------------------------------------------------

Genesis rewarding() {
  Genesis g = TestNetwork::funded({"op", "op2", "op3", "alice"}, kFunds);
  g.params.epoch_blocks = 20;
  g.params.request_lifetime_blocks = g.params.open_blocks = 10;
  g.params.epoch_reward_micro = 1'000;
  g.params.min_fee_micro = 0;
  return g;
}

TEST(Rewards, GoToWhoWasAttestedForTheWholeEpochAndOnlyFromTheTreasury) {
  TestNetwork n(rewarding());
  n.bring_up("op", "node", 1);
  n.bring_up("op2", "node2", 2);
  while (n.state.height() < 20) n.block();
  const uint64_t start = n.balance("op");
  EXPECT_EQ(start, kFunds - 1'000'000);  // the first epoch had no whole instance, and no money
  Transfer gift;
  gift.to = treasury_account();
  gift.amount_micro = 1'500;
  ASSERT_EQ(n.send("alice", gift).code, Code::ok);
  ASSERT_EQ(n.send("op2", n.register_body("op2", "late", 3)).code, Code::ok);
  n.verifier->refused[2] = Code::policy_advisory;
  EXPECT_EQ(n.send("op2", n.renew_body("node2", 2)).code, Code::policy_advisory);
  n.verifier->refused.clear();
  EXPECT_EQ(n.send("op2", n.renew_body("node2", 2)).code, Code::ok);
  while (n.state.height() < 40) n.block();
  EXPECT_EQ(n.balance("op"), start + 1'000);  // node2 had a break, `late` came late
  while (n.state.height() < 60) n.block();
  EXPECT_EQ(n.balance("op"), start + 1'000 + 166);  // a third of what is left
  EXPECT_EQ(total_money(n.state.store()), 4 * kFunds);
}

TEST(Rewards, AJobLetDownTakesATenth) {
  Genesis g = rewarding();
  g.params.epoch_reward_micro = 1'900;
  TestNetwork n(g);
  n.bring_up("op", "node", 1);
  n.bring_up("op2", "node2", 2);
  while (n.state.height() < 20) n.block();
  Transfer gift;
  gift.to = treasury_account();
  gift.amount_micro = 1'900;
  ASSERT_EQ(n.send("alice", gift).code, Code::ok);
  SubmitJob submit;
  submit.session = TestNetwork::open_body();
  submit.session.lifetime_blocks = 1;
  const SessionId job = *to_fixed<32>(n.send("alice", submit).data);
  n.block();
  n.block();
  PostInput input;
  input.job = job;
  input.instance = *n.session(job).instance;
  input.input = bytes("x");
  ASSERT_EQ(n.send("alice", input).code, Code::ok);
  n.block();
  ASSERT_EQ(n.session(job).state, SessionState::refunded);
  const bool node = input.instance == TestNetwork::id_of("node");
  const std::string bad = node ? "op" : "op2", good = node ? "op2" : "op";
  const uint64_t bad_before = n.balance(bad), good_before = n.balance(good);
  const uint64_t treasury = [&] {  // what the slash added
    return Account::decode(*n.state.store().get(Family::accounts, treasury_account()))
        ->balance_micro;
  }();
  EXPECT_EQ(treasury, 1'900u + 25'000u);
  while (n.state.height() < 40) n.block();
  EXPECT_EQ(n.balance(bad) - bad_before, 900u);
  EXPECT_EQ(n.balance(good) - good_before, 1'000u);
  EXPECT_EQ(n.instance(input.instance).epoch_misses, 0u);
}

}  // namespace
}  // namespace cloister::ledger
