#include "node/gate.h"

#include <gtest/gtest.h>

namespace cloister::node {
namespace {

constexpr UnixMillis kNow = 1'700'000'000'000;

struct Scene {
  sealed::Profile request;
  sealed::Payer payer = sealed::Payer::session;  // of the way it came
  NodeFacts facts;
  std::optional<ledger::Session> session;
  Progress progress;
};

Scene good() {
  Scene s;
  s.facts.chain_id = "chain";
  s.facts.instance.fill(1);
  s.facts.model_root.fill(2);
  s.session.emplace();
  s.session->id.fill(3);
  s.session->state = ledger::SessionState::confirmed;
  s.session->instance = s.facts.instance;
  s.session->model_root = s.facts.model_root;
  s.session->max_units = 100;
  s.request.chain_id = "chain";
  s.request.id = s.session->id;
  s.request.instance = s.facts.instance;
  s.request.model_root = s.facts.model_root;
  s.request.sequence = 5;
  s.request.max_units = 1000;
  s.request.deadline_ms = kNow + 1;
  s.progress = {4, 60};
  return s;
}

std::expected<Grant, wire::Refusal> admit(const Scene& s) {
  return admit(s.request, s.payer, s.facts, s.session, s.progress, kNow);
}

TEST(Admit, EachSingleFaultIsRefusedByItsOwnReason) {
  ASSERT_TRUE(admit(good()));
  EXPECT_EQ(admit(good())->max_units, 40u);
  using wire::Refusal;
  struct Case {
    const char* name;
    void (*spoil)(Scene&);
    Refusal want;
  };
  const Case cases[] = {
      {"other chain", [](Scene& s) { s.request.chain_id = "x"; }, Refusal::wrong_chain},
      {"other instance", [](Scene& s) { s.request.instance[0] ^= 1; }, Refusal::wrong_instance},
      {"no session", [](Scene& s) { s.session.reset(); }, Refusal::session_unknown},
      {"other session", [](Scene& s) { s.request.id[0] ^= 1; }, Refusal::session_unknown},
      {"a job", [](Scene& s) { s.request.payer = sealed::Payer::job; }, Refusal::session_unknown},
      {"a job's session", [](Scene& s) { s.session->on_ledger = true; }, Refusal::session_unknown},
      {"a session through the ledger", [](Scene& s) { s.payer = sealed::Payer::job; },
       Refusal::session_unknown},
      {"a session that says it is a job",
       [](Scene& s) { s.payer = s.request.payer = sealed::Payer::job; }, Refusal::session_unknown},
      {"only assigned", [](Scene& s) { s.session->state = ledger::SessionState::assigned; },
       Refusal::session_not_confirmed},
      {"closing", [](Scene& s) { s.session->state = ledger::SessionState::closing; },
       Refusal::session_not_confirmed},
      {"another's", [](Scene& s) { s.session->instance->fill(9); }, Refusal::session_not_confirmed},
      {"undrawn", [](Scene& s) { s.session->instance.reset(); }, Refusal::session_not_confirmed},
      {"model of session", [](Scene& s) { s.session->model_root[0] ^= 1; }, Refusal::wrong_model},
      {"model of request", [](Scene& s) { s.request.model_root[0] ^= 1; }, Refusal::wrong_model},
      {"late", [](Scene& s) { s.request.deadline_ms = kNow; }, Refusal::deadline_passed},
      {"replay", [](Scene& s) { s.progress.last_sequence = 5; }, Refusal::sequence_not_rising},
      {"spent here", [](Scene& s) { s.progress.used_units = 100; }, Refusal::budget_exhausted},
      {"spent on the ledger", [](Scene& s) { s.session->cumulative_units = 100; },
       Refusal::budget_exhausted},
      {"asks for nothing", [](Scene& s) { s.request.max_units = 0; }, Refusal::budget_exhausted},
  };
  Scene job = good();
  job.payer = job.request.payer = sealed::Payer::job;
  job.session->on_ledger = true;
  EXPECT_TRUE(admit(job));
  for (const Case& c : cases) {
    Scene scene = good();
    c.spoil(scene);
    auto got = admit(scene);
    ASSERT_FALSE(got) << c.name;
    EXPECT_EQ(got.error(), c.want) << c.name;
  }
}

}  // namespace
}  // namespace cloister::node
