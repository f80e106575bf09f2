// What the scheduler needs of a library that computes a model: a few slots, each with the cells of
// one conversation, and one decode step over tokens of many slots.
#pragma once

#include <span>

#include "inference/engine.h"
#include "inference/sampler.h"

namespace cloister::inference {

using Tokens = std::vector<Token, WipingAllocator<Token>>;

struct BatchToken {
  Token token;
  uint32_t position;  // in its slot's conversation, without gaps
  uint32_t slot;
  bool wants_logits;
};
using Batch = std::vector<BatchToken, WipingAllocator<BatchToken>>;

struct ModelLimits {
  uint32_t slots;           // conversations at a time
  uint32_t context_tokens;  // of one slot
  uint32_t batch_tokens;    // of one decode; at least `slots`
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  virtual ModelLimits limits() const = 0;

  // From any thread.
  virtual std::expected<Tokens, EngineError> prompt_tokens(
      const std::vector<ChatMessage>& messages) const = 0;
  virtual bool ends_answer(Token token) const = 0;
  virtual UserText text_of(Token token) const = 0;  // may be part of a UTF-8 character

  // From one thread at a time. `decode` is all or nothing for the caller: after false every slot of
  // the batch must be forgotten.
  virtual bool decode(const Batch& batch) = 0;
  // Of entry `index` of the last batch, which must have wanted them; the reader wipes them.
  virtual std::span<float> logits(size_t index) = 0;
  // Removes the slot's conversation and overwrites its memory.
  virtual void forget(uint32_t slot) = 0;
};

}  // namespace cloister::inference
