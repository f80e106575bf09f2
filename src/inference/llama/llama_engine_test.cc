#include "inference/llama/llama_engine.h"

#include <gtest/gtest.h>

#include <future>

#include "base/cbor.h"
#include "inference/default_model.h"

namespace cloister::inference {
namespace {

GenerateRequest ask(std::string_view text, uint32_t max_tokens) {
  GenerateRequest request;
  request.messages.push_back({Role::user, UserText(text)});
  request.sampler.temperature_micro = 0;
  request.max_tokens = max_tokens;
  return request;
}

// A model of this size answers some wordings of this question and not others.
constexpr std::string_view kQuestion = "Which city is the capital of France?";

struct Answer {
  std::string text;
  std::expected<GenerateResult, EngineError> result;
};

Answer answer_of(Engine& engine, const GenerateRequest& request, size_t cancel_after = SIZE_MAX) {
  Answer out;
  size_t pieces = 0;
  out.result = engine.generate(request, [&](const UserText& delta) {
    EXPECT_TRUE(valid_utf8(delta.reveal()));
    out.text += delta.reveal();
    return ++pieces < cancel_after;
  });
  return out;
}

class LlamaEngineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!std::filesystem::exists(default_model_path())) return;
    LlamaConfig config;
    config.context_tokens = 512;
    config.threads = 1;
    auto loaded = load_llama_engine(default_model_path(), default_model(), config);
    ASSERT_TRUE(loaded) << loaded.error().message();
    engine_ = std::move(*loaded);
  }
  static void TearDownTestSuite() { engine_.reset(); }
  void SetUp() override {
    if (!engine_) GTEST_SKIP() << "no default model: run scripts/fetch_model";
  }
  static std::unique_ptr<Engine> engine_;
};
std::unique_ptr<Engine> LlamaEngineTest::engine_;

TEST_F(LlamaEngineTest, KnowsTheCapitalOfFrance) {
  const Answer got = answer_of(*engine_, ask(kQuestion, 40));
  ASSERT_TRUE(got.result);
  EXPECT_NE(got.text.find("Paris"), std::string::npos) << got.text;
  EXPECT_EQ(got.result->finish, FinishReason::stop);
  EXPECT_GT(got.result->prompt_tokens, 10u);  // the template's own words
  EXPECT_LE(got.result->completion_tokens, 40u);
}

TEST_F(LlamaEngineTest, FourAtATimeGetTheSameAnswersAsAlone) {
  std::vector<GenerateRequest> requests;
  requests.push_back(ask(kQuestion, 24));
  requests.push_back(ask("Name three colours of the rainbow.", 24));
  requests.push_back(ask(std::string("Summarise: ") + std::string(900, 'a') + " and so on.", 24));
  requests.push_back(ask("Write one sentence about the sea. \u6d77\U0001f30a", 24));
  requests[3].sampler.temperature_micro = 800'000;
  requests[3].sampler.seed.fill(7);
  std::vector<std::string> alone;
  for (const GenerateRequest& request : requests)
    alone.push_back(answer_of(*engine_, request).text);
  std::vector<std::future<Answer>> together;
  for (const GenerateRequest& request : requests) {
    together.push_back(
        std::async(std::launch::async, [&] { return answer_of(*engine_, request); }));
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    const Answer got = together[i].get();
    ASSERT_TRUE(got.result);
    EXPECT_FALSE(got.text.empty());
    EXPECT_EQ(got.text, alone[i]) << i;
  }
}

TEST_F(LlamaEngineTest, TheSeedDecidesWarmAnswers) {
  GenerateRequest request = ask("Tell me a story.", 16);
  request.sampler.temperature_micro = 1'000'000;
  request.sampler.top_p_micro = 950'000;
  const std::string first = answer_of(*engine_, request).text;
  EXPECT_EQ(answer_of(*engine_, request).text, first);
  request.sampler.seed[0] = 1;
  EXPECT_NE(answer_of(*engine_, request).text, first);
}

TEST_F(LlamaEngineTest, EndsAtMaxTokensAndAtStopTexts) {
  const Answer cut = answer_of(*engine_, ask("Count from one to fifty.", 5));
  EXPECT_EQ(cut.result->finish, FinishReason::length);
  EXPECT_EQ(cut.result->completion_tokens, 5u);
  GenerateRequest request = ask(kQuestion, 40);
  request.stops.emplace_back("Par");
  const Answer stopped = answer_of(*engine_, request);
  EXPECT_EQ(stopped.result->finish, FinishReason::stop);
  EXPECT_EQ(stopped.text.find("Par"), std::string::npos);
}

TEST_F(LlamaEngineTest, CancelsAndServesTheNext) {
  const Answer got = answer_of(*engine_, ask("Count from one to fifty.", 200), 3);
  ASSERT_TRUE(got.result);
  EXPECT_EQ(got.result->finish, FinishReason::cancelled);
  EXPECT_LE(got.result->completion_tokens, 4u);
  EXPECT_NE(answer_of(*engine_, ask(kQuestion, 40)).text.find("Paris"), std::string::npos);
}

TEST_F(LlamaEngineTest, RefusesAConversationThatDoesNotFit) {
  EXPECT_EQ(engine_->info().context_tokens, 512u);
  std::string words;
  for (int i = 0; i < 600; ++i) words += "word ";
  EXPECT_EQ(answer_of(*engine_, ask(words, 10)).result.error(),
            EngineError::context_length_exceeded);
  // One that just fits answers to the context's end.
  words.resize(5 * 460);
  const Answer got = answer_of(*engine_, ask(words, 400));
  ASSERT_TRUE(got.result);
  EXPECT_LE(got.result->prompt_tokens + got.result->completion_tokens, 512u);
}

TEST(LoadLlamaEngine, RefusesNumbersOutOfTheirBoundsAndOtherModels) {
  const auto path = default_model_path();
  EXPECT_EQ(load_llama_engine(path, default_model(), {.slots = 0}).error().error,
            EngineError::bad_parameter);
  EXPECT_EQ(load_llama_engine(path, default_model(), {.slots = kMaxSlots + 1}).error().error,
            EngineError::bad_parameter);
  EXPECT_EQ(load_llama_engine(path, default_model(), {.context_tokens = 0}).error().error,
            EngineError::bad_parameter);
  EXPECT_EQ(load_llama_engine("/nonexistent", default_model(), {}).error().error,
            EngineError::model_missing);
}

}  // namespace
}  // namespace cloister::inference
