#include "inference/engine.h"

#include <cmath>

#include "base/cbor.h"

namespace cloister::inference {
namespace {

bool sampler_in_bounds(const SamplerParams& p) {
  const bool temperature =
      p.temperature_micro == 0 ||
      (p.temperature_micro >= kMinTemperatureMicro && p.temperature_micro <= kMaxTemperatureMicro);
  return temperature && p.top_k <= kMaxTopK && p.top_p_micro >= 1 && p.top_p_micro <= kOneMicro &&
         p.min_p_micro <= kOneMicro;
}

bool stops_in_bounds(const std::vector<UserText>& stops) {
  if (stops.size() > kMaxStops) return false;
  for (const UserText& stop : stops) {
    if (stop.empty() || stop.size_bytes() > kMaxStopBytes || !valid_utf8(stop.reveal()))
      return false;
  }
  return true;
}

bool conversation_in_bounds(const std::vector<ChatMessage>& messages) {
  if (messages.empty() || messages.size() > kMaxMessages) return false;
  size_t total_bytes = 0;
  for (const ChatMessage& message : messages) {
    if (message.role > Role::assistant) return false;
    if (message.content.size_bytes() > kMaxConversationBytes - total_bytes) return false;
    total_bytes += message.content.size_bytes();
    if (!valid_utf8(message.content.reveal())) return false;
  }
  return true;
}

}  // namespace

std::string_view describe(EngineError error) {
  switch (error) {
    case EngineError::bad_parameter:
      return "a parameter of the request is out of its bounds";
    case EngineError::bad_conversation:
      return "the conversation is empty, too large or not UTF-8";
    case EngineError::context_length_exceeded:
      return "the conversation does not fit the model's context";
    case EngineError::queue_full:
      return "the engine has too many requests waiting";
    case EngineError::stopped:
      return "the engine is shutting down";
    case EngineError::engine_failed:
      return "the engine failed to compute an answer";
    case EngineError::model_missing:
      return "the model file does not exist";
    case EngineError::model_unreadable:
      return "the model file cannot be read";
    case EngineError::model_malformed:
      return "the model file is not a well-formed GGUF file";
    case EngineError::model_mismatch:
      return "the model file is not the one that was asked for";
    case EngineError::model_unsupported:
      return "the engine cannot serve this kind of model";
    case EngineError::cpu_unsupported:
      return "the CPU lacks AVX2, FMA, F16C or BMI2";
  }
  return "unknown engine error";
}

std::expected<void, EngineError> check_request(const GenerateRequest& request) {
  if (!sampler_in_bounds(request.sampler) || request.max_tokens > kMaxTokens ||
      !stops_in_bounds(request.stops)) {
    return std::unexpected(EngineError::bad_parameter);
  }
  if (!conversation_in_bounds(request.messages)) {
    return std::unexpected(EngineError::bad_conversation);
  }
  return {};
}

std::expected<uint32_t, EngineError> micro_from(double value, uint32_t max_micro) {
  const double micro = std::round(value * kOneMicro);
  if (!(micro >= 0 && micro <= max_micro)) return std::unexpected(EngineError::bad_parameter);
  return static_cast<uint32_t>(micro);
}

}  // namespace cloister::inference
