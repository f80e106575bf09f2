// After the handshake: a true answer with its receipt, answers whose receipt lies, and requests
// that an honest node refuses.
#include <gtest/gtest.h>

#include "hostile_testing.h"
#include "trust/report.h"

namespace cloister::hostile {
namespace {

using gateway::ApiCode;
using wire::Refusal;

TEST(HonestNode, AnswersWithAReceiptAndOnlyForConfirmedSessions) {
  World world;
  auto& honest = world.honest_node("operator", 0);
  Gateway& gateway = world.keep(std::make_unique<Gateway>(world));

  const Asked asked = gateway.ask();
  ASSERT_FALSE(asked.error) << asked.error->message;
  EXPECT_EQ(asked.answer, "forty-two");
  ASSERT_TRUE(asked.result->bundle.receipt);
  const auto report = trust::evaluate(asked.result->bundle, {world.genesis.hash(), std::nullopt});
  EXPECT_EQ(report.first_failure(), nullptr);
  EXPECT_EQ(report.level, trust::Level::development);
  EXPECT_EQ(honest.engine->seen().size(), 1U);
  EXPECT_EQ(honest.engine->seen()[0].messages[0].second, kCanary);

  // The same request twice on a confirmed session: its sequence was used above already.
  const auto& confirmed = *gateway.session;
  EXPECT_EQ(gateway.refusal(confirmed.instance, confirmed.record, confirmed.instance.id),
            Refusal::sequence_not_rising);

  EXPECT_EQ(gateway.refusal(confirmed.instance, confirmed.record, confirmed.instance.id, "/other"),
            Refusal::malformed);

  const auto assigned = gateway.drawn();
  const auto instance = gateway.instance(*assigned.instance);
  EXPECT_EQ(gateway.refusal(instance, assigned, instance.id), Refusal::session_not_confirmed);
  ledger::Session unknown = assigned;
  unknown.id[0] ^= 1;
  EXPECT_EQ(gateway.refusal(instance, unknown, instance.id), Refusal::session_unknown);
  EXPECT_EQ(honest.engine->seen().size(), 1U);  // nothing more was computed
}

// The keys that a request was sealed to are this instance's, live, and proven.
TEST(HonestNode, AReportNamesTheSealingKeysOrFails) {
  World world;
  world.honest_node("operator", 0);
  Gateway& gateway = world.keep(std::make_unique<Gateway>(world));
  const Asked asked = gateway.ask();
  ASSERT_FALSE(asked.error) << asked.error->message;
  const auto failure_of = [&](auto bend) -> std::string {
    trust::Bundle bundle = asked.result->bundle;
    bend(bundle);
    const auto report = trust::evaluate(bundle, {world.genesis.hash(), std::nullopt});
    return report.first_failure() ? report.first_failure()->name : "";
  };
  EXPECT_EQ(failure_of([](trust::Bundle&) {}), "");
  EXPECT_EQ(failure_of([](trust::Bundle& b) { b.sealing.key_config_sha256[0] ^= 1; }),
            "key_binding");
  EXPECT_EQ(failure_of([](trust::Bundle& b) {
              std::erase_if(b.reads, [](const trust::ProvenRead& read) {
                return read.family == ledger::Family::keys;
              });
            }),
            "key_binding");
  EXPECT_EQ(failure_of([](trust::Bundle& b) {
              b.checked_at += sealed::kEpochLifeMs / 1000 + 60;  // the keys are of the past by then
            }),
            "key_binding");
}

TEST(HonestNode, RefusesTheSessionOfAnotherInstance) {
  World world;
  auto& one = world.honest_node("operator", 0);
  auto& two = world.honest_node("rival", 1);
  Gateway& gateway = world.keep(std::make_unique<Gateway>(world));
  ASSERT_FALSE(gateway.ask().error);
  const auto& confirmed = *gateway.session;
  // The instance that the confirmed session does not name.
  auto drawn = gateway.drawn();
  if (*drawn.instance == confirmed.instance.id) drawn = gateway.drawn_after_report(drawn);
  const auto other = gateway.instance(*drawn.instance);
  ASSERT_NE(other.id, confirmed.instance.id);
  EXPECT_EQ(gateway.refusal(other, confirmed.record, other.id), Refusal::session_not_confirmed);
  // A message that names another instance than it is sealed to does not open at all.
  EXPECT_EQ(gateway.refusal(other, confirmed.record, confirmed.instance.id), std::nullopt);
  EXPECT_EQ(one.engine->seen().size() + two.engine->seen().size(), 1U);
}

class HostileAnswer : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new World;
    node_ = &world_->keep(std::make_unique<HostileNode>(*world_));
  }
  static void TearDownTestSuite() { delete world_; }
  static World& world() { return *world_; }
  static HostileNode& node() { return *node_; }
  static Gateway& gateway() { return world().keep(std::make_unique<Gateway>(world())); }

  using Bend = std::function<void(ledger::Receipt&)>;
  static void answer_with_receipt(Bend bend, bool other_key = false) {
    auto key = std::make_shared<crypto::Ed25519Key>(crypto::Ed25519Key::generate(world().random));
    node().bends.answer = [=](const sealed::Profile& request, const Hash32& hash,
                              const Hash32& digest) {
      auto receipt = node().honest_receipt(request, hash, digest);
      if (bend) bend(receipt);
      return answer_with(receipt, other_key ? *key : node().identity.identity, Fixed<32>{});
    };
  }

 private:
  static World* world_;
  static HostileNode* node_;
};
World* HostileAnswer::world_ = nullptr;
HostileNode* HostileAnswer::node_ = nullptr;

TEST_F(HostileAnswer, UnbentItCounts) {
  answer_with_receipt(nullptr);
  Gateway& asking = gateway();
  const Asked asked = asking.ask();
  ASSERT_FALSE(asked.error) << asked.error->message;
  EXPECT_EQ(asked.answer, kAnswer);
  EXPECT_EQ(asking.session->used_units, 9U);
  EXPECT_TRUE(asked.result->bundle.receipt);
}

TEST_F(HostileAnswer, ReceiptsThatLie) {
  using R = ledger::Receipt&;
  struct Case {
    std::string_view reason;
    Bend bend;
    bool other_key = false;
  };
  const Case cases[] = {
      {"another key signed it", nullptr, true},
      {"another chain", [](R r) { r.chain_id += "x"; }},
      {"another session", [](R r) { r.session[0] ^= 1; }},
      {"another answer of the session", [](R r) { r.sequence += 1; }},
      {"another instance", [](R r) { r.instance_id[0] ^= 1; }},
      {"another model", [](R r) { r.model_root[0] ^= 1; }},
      {"another request", [](R r) { r.request_hash[0] ^= 1; }},
      {"another answer", [](R r) { r.answer_hash = wire::answer_hash("forty-one", Fixed<32>{}); }},
      {"other counts than it told", [](R r) { r.completion_units += 1; }},
      {"more units than the answer took", [](R r) { r.cumulative_units = 10; }},
      {"other evidence", [](R r) { r.evidence_digest[0] ^= 1; }},
  };
  for (const auto& one : cases) {
    answer_with_receipt(one.bend, one.other_key);
    Gateway& asking = gateway();
    const Asked asked = asking.ask();
    ASSERT_TRUE(asked.error) << one.reason;
    EXPECT_EQ(asked.error->code, ApiCode::receipt_invalid) << asked.error->message;
    EXPECT_TRUE(asked.error->message.ends_with(one.reason)) << asked.error->message;
    EXPECT_EQ(asking.session->used_units, 0U) << one.reason;  // the answer does not count
    EXPECT_FALSE(asked.result);
  }
}

TEST_F(HostileAnswer, WithoutAProperEnd) {
  using Frames = std::vector<wire::Frame>;
  using Change = std::function<void(Frames&)>;
  const Change changes[] = {
      [](Frames& frames) { frames.pop_back(); },                                  // no Done
      [](Frames& frames) { frames.clear(); },                                     // nothing
      [](Frames& frames) { frames.emplace_back(wire::Text{UserText("more")}); },  // on after Done
  };
  for (const auto& change : changes) {
    node().bends.answer = [change](const sealed::Profile& request, const Hash32& hash,
                                   const Hash32& digest) {
      const auto receipt = node().honest_receipt(request, hash, digest);
      auto frames = answer_with(receipt, node().identity.identity, Fixed<32>{});
      change(frames);
      return frames;
    };
    Gateway& asking = gateway();
    const Asked asked = asking.ask();
    ASSERT_TRUE(asked.error);
    EXPECT_EQ(asked.error->code, ApiCode::node_lost) << asked.error->message;
    EXPECT_EQ(asking.session->used_units, 0U);
  }
}

// Chunks on their way through a node's own host.
TEST_F(HostileAnswer, SealedChunksThatAreBent) {
  using Chunks = std::vector<Buffer>;
  struct Case {
    const char* name;
    std::function<void(Chunks&)> bend;
  };
  const Case cases[] = {
      {"changed", [](Chunks& c) { c[1][20] ^= 1; }},
      {"swapped", [](Chunks& c) { std::swap(c[1], c[2]); }},
      {"doubled", [](Chunks& c) { c.insert(c.begin() + 1, c[1]); }},
      {"last one missing", [](Chunks& c) { c.pop_back(); }},
      {"something after the last", [](Chunks& c) { c.push_back({0}); }},
      {"nothing", [](Chunks& c) { c.clear(); }},
  };
  answer_with_receipt(nullptr);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    node().bends.sealed_answer = [&](Chunks& chunks) {
      ASSERT_GE(chunks.size(), 3u);
      one.bend(chunks);
    };
    Gateway& asking = gateway();
    const Asked asked = asking.ask();
    ASSERT_TRUE(asked.error);
    EXPECT_EQ(asked.error->code, ApiCode::node_lost) << asked.error->message;
    EXPECT_EQ(asking.session->used_units, 0U);
  }
  node().bends.sealed_answer = nullptr;
}

}  // namespace
}  // namespace cloister::hostile
