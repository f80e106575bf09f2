// An engine for tests of others: it says what the test wrote, when the test lets it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "inference/engine.h"

namespace cloister::inference {

// Lets a test decide when an answer goes on. Each `open` lets that many pieces through.
class Gate {
 public:
  void open(size_t pieces = 1);
  // False when `cancel` was requested or nobody opened the gate for 30 seconds.
  bool pass(const std::stop_token& cancel);
  // Waits until someone stands before the closed gate; false after 30 seconds.
  bool wait_until_reached();

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  size_t passes_ = 0;
  size_t waiting_ = 0;
};

struct ScriptedAnswer {
  std::vector<std::string> deltas;   // each must be valid UTF-8 and not empty
  std::optional<EngineError> error;  // returned after the deltas
  FinishReason finish = FinishReason::stop;
  uint32_t prompt_tokens = 7;
  std::shared_ptr<Gate> gate;  // when set, every delta and the end pass it
};

// Takes the answers in the order they were given and then repeats the last; engine_failed when
// there is none. Checks requests and honours max_tokens (one delta counts as one token), stops of
// `cancel` and of the reader, as a real engine does; stop texts are ignored.
class ScriptedEngine final : public Engine {
 public:
  explicit ScriptedEngine(ModelInfo info = scripted_model());
  static ModelInfo scripted_model();

  void then_answer(ScriptedAnswer answer);
  void then_answer(std::vector<std::string> deltas);
  void now_answer(std::vector<std::string> deltas);  // and nothing that was given before

  std::expected<GenerateResult, EngineError> generate(const GenerateRequest& request,
                                                      const OnText& on_text) override;
  const ModelInfo& info() const override { return info_; }

  // What the engine was asked, in order.
  struct Seen {
    std::vector<std::pair<Role, std::string>> messages;
    SamplerParams sampler;
    uint32_t max_tokens;
  };
  std::vector<Seen> seen() const;

 private:
  std::optional<ScriptedAnswer> take(const GenerateRequest& request);

  const ModelInfo info_;
  mutable std::mutex mutex_;
  std::deque<ScriptedAnswer> answers_;
  std::vector<Seen> seen_;
};

}  // namespace cloister::inference
