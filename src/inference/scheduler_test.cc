#include "inference/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "inference/echo_model_testing.h"

namespace cloister::inference {
namespace {

constexpr ModelLimits kLimits{.slots = 2, .context_tokens = 1200, .batch_tokens = 512};
constexpr ModelLimits kOneSlot{.slots = 1, .context_tokens = 100, .batch_tokens = 64};
constexpr SamplerParams kCold{.temperature_micro = 0};

Tokens prompt_of(char byte, size_t count) {
  Tokens tokens(count, byte);
  tokens.push_back(EchoModel::kAnswerBegins);
  return tokens;
}

struct Ended {
  size_t tokens = 0;
  Job::End end = FinishReason::stop;
};

Ended wait_for_end(Job& job) {
  Ended out;
  while (true) {
    const Job::News news = job.wait();
    out.tokens += news.tokens.size();
    if (!news.end) continue;
    out.end = *news.end;
    return out;
  }
}

// Every test holds the gate, so that it knows which jobs a step has seen.
class SchedulerTest : public testing::Test {
 protected:
  void start(ModelLimits limits, size_t max_waiting = 8) {
    watch_.gate = std::make_shared<Gate>();
    auto model = std::make_unique<EchoModel>(limits, watch_);
    model_ = model.get();
    scheduler_ = std::make_unique<Scheduler>(std::move(model), max_waiting);
  }
  std::shared_ptr<Job> submit(char byte, size_t count) {
    return scheduler_->submit(prompt_of(byte, count), kCold, 0).value();
  }
  void open_one_step() {
    ASSERT_TRUE(watch_.gate->wait_until_reached());
    watch_.gate->open();
    ASSERT_TRUE(watch_.gate->wait_until_reached());
  }
  static size_t count(const Batch& batch, char byte) {
    return static_cast<size_t>(std::count_if(batch.begin(), batch.end(),
                                             [&](const BatchToken& t) { return t.token == byte; }));
  }

  EchoModel::Watch watch_;
  std::unique_ptr<Scheduler> scheduler_;
  EchoModel* model_ = nullptr;
};

TEST_F(SchedulerTest, ALongPromptDoesNotStallAnAnswer) {
  start(kLimits);
  const auto shorter = submit('s', 30);
  open_one_step();  // the second step, which takes the first token of the short answer, is at the
                    // gate
  const auto longer = submit('l', 1000);
  watch_.gate->open(5000);
  EXPECT_EQ(wait_for_end(*shorter).tokens, 30u);
  EXPECT_EQ(wait_for_end(*longer).tokens, 199u);
  std::lock_guard lock(watch_.mutex);
  for (size_t i = 2; i < 9; ++i) {  // eight steps of 128 make the long prompt
    EXPECT_EQ(count(watch_.batches.at(i), 's'), 1u) << i;
    EXPECT_EQ(count(watch_.batches.at(i), 'l'), kPromptBudgetWhileAnswering) << i;
  }
}

TEST_F(SchedulerTest, PromptsShareAStepEqually) {
  start(kLimits);
  const auto first = submit('a', 1000);
  ASSERT_TRUE(watch_.gate->wait_until_reached());
  const auto second = submit('b', 1000);
  watch_.gate->open(5000);
  EXPECT_EQ(wait_for_end(*first).tokens, 199u);
  EXPECT_EQ(wait_for_end(*second).tokens, 199u);
  std::lock_guard lock(watch_.mutex);
  EXPECT_EQ(count(watch_.batches.at(0), 'a'), 512u);
  EXPECT_EQ(count(watch_.batches.at(1), 'a'), 256u);
  EXPECT_EQ(count(watch_.batches.at(1), 'b'), 256u);
}

TEST_F(SchedulerTest, RefusesMoreThanTheQueueHolds) {
  start(kOneSlot, 1);
  const auto running = submit('r', 5);
  ASSERT_TRUE(watch_.gate->wait_until_reached());
  const auto waiting = submit('w', 5);
  const auto refused = scheduler_->submit(prompt_of('x', 5), kCold, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), EngineError::queue_full);
  watch_.gate->open(100);
  EXPECT_EQ(wait_for_end(*running).tokens, 5u);
  EXPECT_EQ(wait_for_end(*waiting).tokens, 5u);
}

TEST_F(SchedulerTest, CancelsWhatWaitsAndWhatRuns) {
  start(kOneSlot);
  const auto running = submit('r', 50);
  ASSERT_TRUE(watch_.gate->wait_until_reached());
  const auto waiting = submit('w', 50);
  waiting->cancel();
  open_one_step();
  EXPECT_EQ(wait_for_end(*waiting).end, FinishReason::cancelled);
  running->cancel();
  watch_.gate->open(100);
  const Ended ended = wait_for_end(*running);
  EXPECT_EQ(ended.end, FinishReason::cancelled);
  EXPECT_LE(ended.tokens, 2u);
  EXPECT_EQ(watch_.forgotten, 1u);
}

TEST_F(SchedulerTest, LogitsAreWipedOnceReadAndTheSlotBeforeTheEndIsHeard) {
  start(kLimits);
  const auto job = scheduler_->submit(prompt_of('x', 1), kCold, 1).value();
  watch_.gate->open();
  EXPECT_EQ(wait_for_end(*job).end, FinishReason::length);
  EXPECT_EQ(watch_.forgotten, 1u);
  ASSERT_EQ(model_->logits(1).size(), EchoModel::kVocabulary);
  for (const float logit : model_->logits(1)) EXPECT_EQ(logit, 0.0F);
}

TEST_F(SchedulerTest, ShuttingDownEndsWhatRunsAndWhatWaits) {
  start(kOneSlot);
  const auto running = submit('r', 50);
  ASSERT_TRUE(watch_.gate->wait_until_reached());
  const auto waiting = submit('w', 50);
  scheduler_->stop();
  EXPECT_FALSE(scheduler_->submit(prompt_of('x', 5), kCold, 0));
  watch_.gate->open();  // the step that runs now
  const Ended first = wait_for_end(*running);
  const Ended second = wait_for_end(*waiting);
  ASSERT_FALSE(first.end);
  EXPECT_EQ(first.end.error(), EngineError::stopped);
  ASSERT_FALSE(second.end);
  EXPECT_EQ(second.end.error(), EngineError::stopped);
}

}  // namespace
}  // namespace cloister::inference
