// Continuous batching: one thread owns the model and advances every conversation a step at a time.
//
// A step first takes one token of each conversation that is answering, then fills the batch with
// pieces of new prompts, in turns and up to a budget, so that a long prompt slows answers but never
// stalls them. Conversations wait in the order they came, in a bounded queue. A slot's memory is
// wiped before its caller hears that the job has ended, so never later than the next conversation
// begins.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "inference/language_model.h"

namespace cloister::inference {

// Prompt tokens of one step while others are answering.
constexpr uint32_t kPromptBudgetWhileAnswering = 128;

// One conversation on its way through the scheduler, shared by the caller and the engine's thread.
class Job {
 public:
  using End = std::expected<FinishReason, EngineError>;
  struct News {
    Tokens tokens;           // of the answer, since the last call
    std::optional<End> end;  // the last news
  };
  Job(Tokens prompt, const SamplerParams& sampler, uint32_t max_tokens, std::stop_token caller)
      : prompt_(std::move(prompt)),
        sampler_(sampler),
        max_tokens_(max_tokens),
        caller_(std::move(caller)) {}

  News wait();                          // blocks until there is some; not after the end
  void cancel() { cancelled_ = true; }  // takes effect at the next step, as the caller's token does

 private:
  friend class Scheduler;
  bool cancelled() const { return cancelled_ || caller_.stop_requested(); }
  void deliver(Token token);
  void finish(End end);

  const Tokens prompt_;
  const SamplerParams sampler_;
  const uint32_t max_tokens_;
  const std::stop_token caller_;
  std::atomic<bool> cancelled_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  News news_;
};

class Scheduler {
 public:
  Scheduler(std::unique_ptr<LanguageModel> model, size_t max_waiting);
  ~Scheduler();  // stops and waits
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Ends every job with `stopped` after the step that runs now, and refuses new ones.
  void stop();

  const LanguageModel& model() const { return *model_; }

  // context_length_exceeded when the prompt leaves no room for an answer, queue_full, or stopped.
  // `max_tokens` of 0 means what the context has room for.
  std::expected<std::shared_ptr<Job>, EngineError> submit(Tokens prompt,
                                                          const SamplerParams& sampler,
                                                          uint32_t max_tokens,
                                                          std::stop_token caller = {});

 private:
  struct Slot {
    std::shared_ptr<Job> job;  // null when free
    size_t fed = 0;            // tokens of prompt and answer that the model has seen
    uint32_t answered = 0;
    Token last = 0;  // of the answer, not yet fed
  };

  void run();
  bool wait_for_work();
  void step();
  void drop_cancelled();
  void admit();
  bool answering(const Slot& slot) const {
    return slot.job && slot.fed >= slot.job->prompt_.size();
  }
  void add_answer_tokens();
  void add_prompt_tokens();
  void read_results();
  void advance(Slot& slot, std::optional<Token> token);
  void end(Slot& slot, Job::End end);
  void end_all(EngineError error);

  const std::unique_ptr<LanguageModel> model_;
  const ModelLimits limits_;
  const size_t max_waiting_;
  std::vector<Slot> slots_;  // the engine's thread only, as is what follows
  Batch batch_;
  size_t first_in_turn_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::inference
