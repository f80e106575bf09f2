// The seam to llama.cpp: a LanguageModel on one llama_context. Private to this folder.
//
// Computes in the profile in which a conversation's logits do not depend on what else is in the
// batch or on how its prompt was cut: no flash attention, no repacked weights, a stream of cells a
// slot.
#pragma once

#include <llama.h>

#include <memory>

#include "inference/language_model.h"
#include "inference/llama/chat_prompt.h"
#include "inference/llama/llama_engine.h"

namespace cloister::inference {

class LlamaModel final : public LanguageModel {
 public:
  // model_unsupported or cpu_unsupported. Copies the weights out of `file`.
  static std::expected<std::unique_ptr<LlamaModel>, EngineError> load(const ModelFile& file,
                                                                      const LlamaConfig& config);
  ~LlamaModel() override;

  ModelLimits limits() const override { return limits_; }
  std::expected<Tokens, EngineError> prompt_tokens(
      const std::vector<ChatMessage>& messages) const override;
  bool ends_answer(Token token) const override;
  UserText text_of(Token token) const override;
  bool decode(const Batch& batch) override;
  std::span<float> logits(size_t index) override;
  void forget(uint32_t slot) override;

  llama_context* context_for_testing() { return context_.get(); }

 private:
  LlamaModel() = default;
  bool open_weights(Bytes file);
  bool can_serve() const;
  bool open_context(const LlamaConfig& config);

  struct Free {
    void operator()(llama_model* p) const { llama_model_free(p); }
    void operator()(llama_context* p) const { llama_free(p); }
    void operator()(ggml_threadpool* p) const { ggml_threadpool_free(p); }
  };
  ModelLimits limits_{};
  std::unique_ptr<llama_model, Free> model_;
  std::unique_ptr<ggml_threadpool, Free> threads_;  // outlives the context that uses it
  std::unique_ptr<llama_context, Free> context_;
  const llama_vocab* vocabulary_ = nullptr;  // lent by model_
  std::unique_ptr<ChatPrompt> chat_;
};

}  // namespace cloister::inference
