#include "inference/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "inference/scripted_engine_testing.h"

namespace cloister::inference {
namespace {

GenerateRequest good_request() {
  GenerateRequest request;
  request.messages.push_back({Role::user, UserText("hello")});
  return request;
}

TEST(CheckRequest, EachNumberOutOfItsBoundsIsRefused) {
  ASSERT_TRUE(check_request(good_request()));
  struct Case {
    const char* name;
    void (*spoil)(GenerateRequest&);
    EngineError want;
  };
  const Case cases[] = {
      {"temperature over the maximum",
       [](GenerateRequest& r) { r.sampler.temperature_micro = kMaxTemperatureMicro + 1; },
       EngineError::bad_parameter},
      {"temperature below the minimum",
       [](GenerateRequest& r) { r.sampler.temperature_micro = kMinTemperatureMicro - 1; },
       EngineError::bad_parameter},
      {"top_k", [](GenerateRequest& r) { r.sampler.top_k = kMaxTopK + 1; },
       EngineError::bad_parameter},
      {"top_p of zero", [](GenerateRequest& r) { r.sampler.top_p_micro = 0; },
       EngineError::bad_parameter},
      {"top_p over one", [](GenerateRequest& r) { r.sampler.top_p_micro = kOneMicro + 1; },
       EngineError::bad_parameter},
      {"min_p over one", [](GenerateRequest& r) { r.sampler.min_p_micro = kOneMicro + 1; },
       EngineError::bad_parameter},
      {"max_tokens", [](GenerateRequest& r) { r.max_tokens = kMaxTokens + 1; },
       EngineError::bad_parameter},
      {"empty stop", [](GenerateRequest& r) { r.stops.emplace_back(); },
       EngineError::bad_parameter},
      {"long stop",
       [](GenerateRequest& r) { r.stops.emplace_back(std::string(kMaxStopBytes + 1, 'x')); },
       EngineError::bad_parameter},
      {"stop that is not UTF-8", [](GenerateRequest& r) { r.stops.emplace_back("\xff"); },
       EngineError::bad_parameter},
      {"five stops",
       [](GenerateRequest& r) {
         for (int i = 0; i < 5; ++i) r.stops.emplace_back("x");
       },
       EngineError::bad_parameter},
      {"no message", [](GenerateRequest& r) { r.messages.clear(); }, EngineError::bad_conversation},
      {"too many messages", [](GenerateRequest& r) { r.messages.resize(kMaxMessages + 1); },
       EngineError::bad_conversation},
      {"unknown role", [](GenerateRequest& r) { r.messages[0].role = static_cast<Role>(3); },
       EngineError::bad_conversation},
      {"too long",
       [](GenerateRequest& r) {
         r.messages.push_back({Role::user, UserText(std::string(kMaxConversationBytes - 4, 'x'))});
       },
       EngineError::bad_conversation},
      {"not UTF-8", [](GenerateRequest& r) { r.messages[0].content = UserText("\xc3"); },
       EngineError::bad_conversation},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    GenerateRequest request = good_request();
    c.spoil(request);
    const auto got = check_request(request);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), c.want);
  }
}

TEST(CheckRequest, TheBoundsThemselvesAreAccepted) {
  GenerateRequest request = good_request();
  request.sampler = {kMaxTemperatureMicro, kMaxTopK, kOneMicro, kOneMicro, {}};
  request.max_tokens = kMaxTokens;
  for (size_t i = 0; i < kMaxStops; ++i)
    request.stops.emplace_back(std::string(kMaxStopBytes, 'x'));
  EXPECT_TRUE(check_request(request));
  request.sampler = {0, 0, 1, 0, {}};
  EXPECT_TRUE(check_request(request));
}

TEST(MicroFrom, TakesJsonNumbersAndRefusesWhatIsNoQuantity) {
  EXPECT_EQ(micro_from(0.7, kMaxTemperatureMicro), 700'000u);
  EXPECT_EQ(micro_from(0, kMaxTemperatureMicro), 0u);
  EXPECT_EQ(micro_from(2, kMaxTemperatureMicro), 2'000'000u);
  for (double bad : {2.000002, -0.000002, -1.0, std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300}) {
    EXPECT_FALSE(micro_from(bad, kMaxTemperatureMicro)) << bad;
  }
}

TEST(Describe, EveryErrorHasItsOwnSentence) {
  std::vector<std::string_view> seen;
  for (int i = 1; i <= 12; ++i) {
    const auto text = describe(static_cast<EngineError>(i));
    EXPECT_EQ(std::count(seen.begin(), seen.end(), text), 0) << i;
    EXPECT_NE(text, "unknown engine error") << i;
    seen.push_back(text);
  }
}

TEST(ScriptedEngine, SaysWhatTheTestWroteAndRemembersWhatItWasAsked) {
  ScriptedEngine engine;
  engine.then_answer({"Par", "is."});
  std::string text;
  const auto got = engine.generate(good_request(), [&](const UserText& delta) {
    text += delta.reveal();
    return true;
  });
  ASSERT_TRUE(got);
  EXPECT_EQ(text, "Paris.");
  EXPECT_EQ(got->completion_tokens, 2u);
  EXPECT_EQ(got->finish, FinishReason::stop);
  ASSERT_EQ(engine.seen().size(), 1u);
  EXPECT_EQ(engine.seen()[0].messages[0].second, "hello");
}

TEST(ScriptedEngine, FailsAfterItsDeltasAndStopsAtMaxTokens) {
  ScriptedEngine engine;
  ScriptedAnswer failing;
  failing.deltas = {"a"};
  failing.error = EngineError::queue_full;
  engine.then_answer(failing);
  engine.then_answer({"a", "b", "c"});
  const auto got = engine.generate(good_request(), [](const UserText&) { return true; });
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), EngineError::queue_full);
  GenerateRequest two = good_request();
  two.max_tokens = 2;
  const auto cut = engine.generate(two, [](const UserText&) { return true; });
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->finish, FinishReason::length);
  EXPECT_EQ(cut->completion_tokens, 2u);
}

TEST(ScriptedEngine, WaitsAtTheGateUntilTheTestOpensItOrCancels) {
  ScriptedEngine engine;
  ScriptedAnswer gated;
  gated.deltas = {"a", "b"};
  gated.gate = std::make_shared<Gate>();
  engine.then_answer(gated);
  std::stop_source cancel;
  GenerateRequest request = good_request();
  request.cancel = cancel.get_token();
  std::expected<GenerateResult, EngineError> got;
  std::thread worker([&] { got = engine.generate(request, [](const UserText&) { return true; }); });
  gated.gate->open();
  EXPECT_TRUE(gated.gate->wait_until_reached());
  cancel.request_stop();
  worker.join();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->finish, FinishReason::cancelled);
  EXPECT_EQ(got->completion_tokens, 1u);
}

}  // namespace
}  // namespace cloister::inference
