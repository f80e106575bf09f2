#include "inference/batch_engine.h"

#include <gtest/gtest.h>

#include <future>

#include "inference/echo_model_testing.h"

namespace cloister::inference {
namespace {

constexpr ModelLimits kLimits{.slots = 3, .context_tokens = 400, .batch_tokens = 64};

GenerateRequest ask(std::string_view text) {
  GenerateRequest request;
  request.messages.push_back({Role::user, UserText(text)});
  request.sampler.temperature_micro = 0;
  return request;
}

struct Answer {
  std::string text;
  std::expected<GenerateResult, EngineError> result;
};

Answer answer_of(Engine& engine, const GenerateRequest& request, size_t cancel_after = SIZE_MAX) {
  Answer out;
  size_t pieces = 0;
  out.result = engine.generate(request, [&](const UserText& delta) {
    out.text += delta.reveal();
    return ++pieces < cancel_after;
  });
  return out;
}

class BatchEngineTest : public testing::Test {
 protected:
  std::unique_ptr<BatchEngine> engine(ModelLimits limits = kLimits, size_t max_waiting = 8) {
    return std::make_unique<BatchEngine>(ScriptedEngine::scripted_model(),
                                         std::make_unique<EchoModel>(limits, watch_), max_waiting);
  }
  std::future<Answer> later(Engine& engine, const GenerateRequest& request) {
    return std::async(std::launch::async, [&] { return answer_of(engine, request); });
  }
  size_t forgotten() {
    std::lock_guard lock(watch_.mutex);
    return watch_.forgotten;
  }
  EchoModel::Watch watch_;
};

TEST_F(BatchEngineTest, AnswersAndCountsTokens) {
  const auto e = engine();
  const Answer got = answer_of(*e, ask("hello"));
  ASSERT_TRUE(got.result);
  EXPECT_EQ(got.text, "hello");
  EXPECT_EQ(got.result->prompt_tokens, 6u);
  EXPECT_EQ(got.result->completion_tokens, 5u);
  EXPECT_EQ(got.result->finish, FinishReason::stop);
  EXPECT_EQ(forgotten(), 1u);
}

TEST_F(BatchEngineTest, EndsAtMaxTokensAtStopTextsAndAtTheContextsEnd) {
  const auto e = engine();
  GenerateRequest request = ask("hello");
  request.max_tokens = 3;
  Answer got = answer_of(*e, request);
  EXPECT_EQ(got.text, "hel");
  EXPECT_EQ(got.result->finish, FinishReason::length);
  EXPECT_EQ(got.result->completion_tokens, 3u);

  request = ask("one. two. three.");
  request.stops.emplace_back(". th");
  got = answer_of(*e, request);
  EXPECT_EQ(got.text, "one. two");
  EXPECT_EQ(got.result->finish, FinishReason::stop);

  got = answer_of(*e, ask(std::string(300, 'x')));  // 301 of 400 tokens
  EXPECT_EQ(got.text, std::string(99, 'x'));
  EXPECT_EQ(got.result->finish, FinishReason::length);
}

TEST_F(BatchEngineTest, RefusesWhatDoesNotFitAndLeavesNothingBehind) {
  const auto e = engine();
  EXPECT_EQ(answer_of(*e, ask(std::string(399, 'x'))).result.error(),
            EngineError::context_length_exceeded);
  EXPECT_TRUE(answer_of(*e, ask(std::string(398, 'x'))).result);
  GenerateRequest bad = ask("x");
  bad.sampler.top_p_micro = 0;
  EXPECT_EQ(answer_of(*e, bad).result.error(), EngineError::bad_parameter);
}

TEST_F(BatchEngineTest, ManyAtATimeGetTheSameAnswersAsAlone) {
  const auto e = engine(kLimits, 64);
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < 24; ++i) {
    requests.push_back(
        ask(std::string(static_cast<size_t>(1 + i * 7), static_cast<char>('a' + i))));
  }
  std::vector<std::future<Answer>> answers;
  for (const GenerateRequest& request : requests) answers.push_back(later(*e, request));
  for (size_t i = 0; i < requests.size(); ++i) {
    const Answer got = answers[i].get();
    ASSERT_TRUE(got.result);
    EXPECT_EQ(got.text, requests[i].messages[0].content.reveal());
  }
  EXPECT_EQ(forgotten(), 24u);
}

TEST_F(BatchEngineTest, TheReaderCancelsAndTheSlotServesTheNext) {
  const auto e = engine();
  const Answer got = answer_of(*e, ask("hello"), 2);
  ASSERT_TRUE(got.result);
  EXPECT_EQ(got.text, "he");
  EXPECT_EQ(got.result->finish, FinishReason::cancelled);
  EXPECT_EQ(got.result->completion_tokens, 2u);
  EXPECT_EQ(forgotten(), 1u);
  EXPECT_EQ(answer_of(*e, ask("next")).text, "next");
}

TEST_F(BatchEngineTest, CancelsFromAnotherThread) {
  watch_.gate = std::make_shared<Gate>();
  const auto e = engine();
  std::stop_source stop;
  GenerateRequest request = ask("hello");
  request.cancel = stop.get_token();
  auto answer = later(*e, request);
  ASSERT_TRUE(watch_.gate->wait_until_reached());
  stop.request_stop();
  watch_.gate->open(100);
  const Answer got = answer.get();
  EXPECT_EQ(got.result->finish, FinishReason::cancelled);
  EXPECT_LE(got.text.size(), 1u);
}

TEST_F(BatchEngineTest, AFailedStepFailsItsRequestsAndNoOther) {
  const auto e = engine();
  watch_.fail_decodes = 1;
  EXPECT_EQ(answer_of(*e, ask("x")).result.error(), EngineError::engine_failed);
  EXPECT_EQ(answer_of(*e, ask("y")).text, "y");
  watch_.break_logits = true;
  EXPECT_EQ(answer_of(*e, ask("z")).result.error(), EngineError::engine_failed);
  EXPECT_EQ(forgotten(), 3u);
}

}  // namespace
}  // namespace cloister::inference
