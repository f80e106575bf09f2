// A model without weights for tests of what runs models: it answers by repeating the conversation,
// byte by byte. It keeps what each slot was fed, as cells would, and refuses a batch that
// contradicts it.
#pragma once

#include <mutex>

#include "inference/language_model.h"
#include "inference/scripted_engine_testing.h"

namespace cloister::inference {

class EchoModel final : public LanguageModel {
 public:
  static constexpr Token kAnswerBegins = 256;  // the last token of every prompt
  static constexpr Token kAnswerEnds = 257;
  static constexpr size_t kVocabulary = 258;

  struct Watch {                       // what a test sees and steers; outlives the model
    std::shared_ptr<Gate> gate;        // when set, every decode passes it
    std::atomic<int> fail_decodes{0};  // this many decodes fail from now on
    std::atomic<bool> break_logits{false};
    std::mutex mutex;
    std::vector<Batch> batches;
    size_t forgotten = 0;
  };

  EchoModel(ModelLimits limits, Watch& watch)
      : limits_(limits), watch_(watch), fed_(limits.slots) {}

  ModelLimits limits() const override { return limits_; }
  std::expected<Tokens, EngineError> prompt_tokens(
      const std::vector<ChatMessage>& messages) const override;
  bool ends_answer(Token token) const override { return token == kAnswerEnds; }
  UserText text_of(Token token) const override;
  bool decode(const Batch& batch) override;
  std::span<float> logits(size_t index) override;
  void forget(uint32_t slot) override;

 private:
  Token next_of(const Tokens& fed) const;

  const ModelLimits limits_;
  Watch& watch_;
  std::vector<Tokens> fed_;
  std::vector<std::vector<float>> rows_;
};

}  // namespace cloister::inference
