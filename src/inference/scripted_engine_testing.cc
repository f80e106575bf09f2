#include "inference/scripted_engine_testing.h"

#include <chrono>

namespace cloister::inference {
namespace {
constexpr std::chrono::seconds kPatience{30};
}

void Gate::open(size_t pieces) {
  std::lock_guard lock(mutex_);
  passes_ += pieces;
  changed_.notify_all();
}

bool Gate::pass(const std::stop_token& cancel) {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  const bool opened = changed_.wait_for(lock, cancel, kPatience, [&] { return passes_ > 0; });
  --waiting_;
  if (!opened || cancel.stop_requested()) return false;
  --passes_;
  return true;
}

bool Gate::wait_until_reached() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return waiting_ > 0 && passes_ == 0; });
}

ScriptedEngine::ScriptedEngine(ModelInfo info) : info_(std::move(info)) {}

ModelInfo ScriptedEngine::scripted_model() {
  ModelInfo info;
  info.name = "scripted";
  info.licence = "none";
  info.quantization = "none";
  info.context_tokens = 2048;
  info.model_root.fill(0x5c);
  info.file_sha256.fill(0xf1);
  return info;
}

void ScriptedEngine::then_answer(ScriptedAnswer answer) {
  std::lock_guard lock(mutex_);
  answers_.push_back(std::move(answer));
}

void ScriptedEngine::then_answer(std::vector<std::string> deltas) {
  ScriptedAnswer answer;
  answer.deltas = std::move(deltas);
  then_answer(std::move(answer));
}

void ScriptedEngine::now_answer(std::vector<std::string> deltas) {
  std::lock_guard lock(mutex_);
  answers_.clear();
  answers_.emplace_back().deltas = std::move(deltas);
}

std::vector<ScriptedEngine::Seen> ScriptedEngine::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

std::optional<ScriptedAnswer> ScriptedEngine::take(const GenerateRequest& request) {
  Seen seen{{}, request.sampler, request.max_tokens};
  for (const ChatMessage& m : request.messages)
    seen.messages.emplace_back(m.role, m.content.reveal());
  std::lock_guard lock(mutex_);
  seen_.push_back(std::move(seen));
  if (answers_.empty()) return std::nullopt;
  ScriptedAnswer answer = answers_.front();
  if (answers_.size() > 1) answers_.pop_front();
  return answer;
}

std::expected<GenerateResult, EngineError> ScriptedEngine::generate(const GenerateRequest& request,
                                                                    const OnText& on_text) {
  if (auto checked = check_request(request); !checked) return std::unexpected(checked.error());
  const auto answer = take(request);
  if (!answer) return std::unexpected(EngineError::engine_failed);
  GenerateResult result;
  result.prompt_tokens = answer->prompt_tokens;
  const auto end_with = [&](FinishReason reason) {
    result.finish = reason;
    return result;
  };
  const auto may_go_on = [&] {
    return answer->gate ? answer->gate->pass(request.cancel) : !request.cancel.stop_requested();
  };
  for (const std::string& delta : answer->deltas) {
    if (request.max_tokens != 0 && result.completion_tokens == request.max_tokens) {
      return end_with(FinishReason::length);
    }
    if (!may_go_on()) return end_with(FinishReason::cancelled);
    ++result.completion_tokens;
    if (!on_text(UserText(delta))) return end_with(FinishReason::cancelled);
  }
  if (!may_go_on()) return end_with(FinishReason::cancelled);
  if (answer->error) return std::unexpected(*answer->error);
  return end_with(answer->finish);
}

}  // namespace cloister::inference
