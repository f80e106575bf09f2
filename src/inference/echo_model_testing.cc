#include "inference/echo_model_testing.h"

#include <algorithm>

namespace cloister::inference {

std::expected<Tokens, EngineError> EchoModel::prompt_tokens(
    const std::vector<ChatMessage>& messages) const {
  Tokens tokens;
  for (const ChatMessage& message : messages) {
    for (const char c : message.content.reveal()) tokens.push_back(static_cast<uint8_t>(c));
  }
  tokens.push_back(kAnswerBegins);
  return tokens;
}

UserText EchoModel::text_of(Token token) const {
  const char byte = static_cast<char>(token);
  return UserText({&byte, 1});
}

bool EchoModel::decode(const Batch& batch) {
  if (watch_.gate && !watch_.gate->pass({})) return false;
  {
    std::lock_guard lock(watch_.mutex);
    watch_.batches.push_back(batch);
  }
  if (batch.size() > limits_.batch_tokens) return false;
  if (watch_.fail_decodes > 0) {
    --watch_.fail_decodes;
    return false;
  }
  rows_.assign(batch.size(), {});
  for (size_t i = 0; i < batch.size(); ++i) {
    Tokens& fed = fed_.at(batch[i].slot);
    if (batch[i].position != fed.size() || fed.size() == limits_.context_tokens) return false;
    fed.push_back(batch[i].token);
    if (!batch[i].wants_logits) continue;
    rows_[i].assign(kVocabulary, -10.0F);
    rows_[i][static_cast<size_t>(next_of(fed))] = 10.0F;
    if (watch_.break_logits) rows_[i][0] = 1e30F;
  }
  return true;
}

Token EchoModel::next_of(const Tokens& fed) const {
  const auto begins = std::ranges::find(fed, kAnswerBegins);
  if (begins == fed.end()) return kAnswerEnds;
  const auto answered = fed.end() - begins - 1;
  const auto next = fed.begin() + answered;
  return next == begins ? kAnswerEnds : *next;
}

std::span<float> EchoModel::logits(size_t index) {
  return rows_.at(index);
}

void EchoModel::forget(uint32_t slot) {
  fed_.at(slot).clear();
  std::lock_guard lock(watch_.mutex);
  ++watch_.forgotten;
}

}  // namespace cloister::inference
