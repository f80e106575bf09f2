#include "inference/scheduler.h"

#include <algorithm>

namespace cloister::inference {

Job::News Job::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !news_.tokens.empty() || news_.end; });
  News news;
  std::swap(news, news_);
  return news;
}

void Job::deliver(Token token) {
  std::lock_guard lock(mutex_);
  news_.tokens.push_back(token);
  changed_.notify_one();
}

void Job::finish(End end) {
  std::lock_guard lock(mutex_);
  news_.end = end;
  changed_.notify_one();
}

Scheduler::Scheduler(std::unique_ptr<LanguageModel> model, size_t max_waiting)
    : model_(std::move(model)),
      limits_(model_->limits()),
      max_waiting_(max_waiting),
      slots_(limits_.slots),
      thread_([this] { run(); }) {}

Scheduler::~Scheduler() {
  stop();
  thread_.join();
}

void Scheduler::stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_one();
}

std::expected<std::shared_ptr<Job>, EngineError> Scheduler::submit(Tokens prompt,
                                                                   const SamplerParams& sampler,
                                                                   uint32_t max_tokens,
                                                                   std::stop_token caller) {
  if (prompt.empty()) return std::unexpected(EngineError::bad_conversation);
  if (prompt.size() >= limits_.context_tokens) {
    return std::unexpected(EngineError::context_length_exceeded);
  }
  const auto room = static_cast<uint32_t>(limits_.context_tokens - prompt.size());
  const uint32_t limit = max_tokens == 0 ? room : std::min(room, max_tokens);
  auto job = std::make_shared<Job>(std::move(prompt), sampler, limit, std::move(caller));
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return std::unexpected(EngineError::stopped);
    if (waiting_.size() >= max_waiting_) return std::unexpected(EngineError::queue_full);
    waiting_.push_back(job);
  }
  changed_.notify_one();
  return job;
}

void Scheduler::run() {
  while (wait_for_work()) step();
  end_all(EngineError::stopped);
}

bool Scheduler::wait_for_work() {
  const bool idle = std::ranges::none_of(slots_, [](const Slot& s) { return s.job != nullptr; });
  std::unique_lock lock(mutex_);
  if (idle) changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
  return !stopping_;
}

void Scheduler::step() {
  drop_cancelled();
  admit();
  wipe(batch_.data(), batch_.size() * sizeof(BatchToken));
  batch_.clear();
  add_answer_tokens();
  add_prompt_tokens();
  if (batch_.empty()) return;
  if (model_->decode(batch_)) {
    read_results();
    return;
  }
  for (const BatchToken& entry : batch_) {
    Slot& slot = slots_[entry.slot];
    if (slot.job) end(slot, std::unexpected(EngineError::engine_failed));
  }
}

void Scheduler::drop_cancelled() {
  for (Slot& slot : slots_) {
    if (slot.job && slot.job->cancelled()) end(slot, FinishReason::cancelled);
  }
  std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [](const std::shared_ptr<Job>& job) {
    if (!job->cancelled()) return false;
    job->finish(FinishReason::cancelled);
    return true;
  });
}

void Scheduler::admit() {
  std::lock_guard lock(mutex_);
  for (Slot& slot : slots_) {
    if (slot.job || waiting_.empty()) continue;
    slot.job = std::move(waiting_.front());
    waiting_.pop_front();
  }
}

void Scheduler::add_answer_tokens() {
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (!answering(slot)) continue;
    batch_.push_back({slot.last, static_cast<uint32_t>(slot.fed), i, true});
    ++slot.fed;
  }
}

// Shares what the step has room for equally between the prompts; who is served first changes each
// step.
void Scheduler::add_prompt_tokens() {
  const auto prompts =
      std::ranges::count_if(slots_, [&](const Slot& slot) { return slot.job && !answering(slot); });
  if (prompts == 0) return;
  size_t budget = limits_.batch_tokens - batch_.size();
  if (!batch_.empty()) budget = std::min<size_t>(budget, kPromptBudgetWhileAnswering);
  const size_t share = std::max<size_t>(budget / static_cast<size_t>(prompts), 1);
  ++first_in_turn_;
  for (size_t turn = 0; turn < slots_.size(); ++turn) {
    const size_t i = (first_in_turn_ + turn) % slots_.size();
    Slot& slot = slots_[i];
    if (!slot.job || answering(slot)) continue;
    const Tokens& prompt = slot.job->prompt_;
    const size_t end = slot.fed + std::min({share, budget, prompt.size() - slot.fed});
    budget -= end - slot.fed;
    for (; slot.fed < end; ++slot.fed) {
      const bool last = slot.fed + 1 == prompt.size();
      batch_.push_back(
          {prompt[slot.fed], static_cast<uint32_t>(slot.fed), static_cast<uint32_t>(i), last});
    }
  }
}

void Scheduler::read_results() {
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (!batch_[i].wants_logits) continue;
    Slot& slot = slots_[batch_[i].slot];
    const std::span<float> logits = model_->logits(i);
    const auto token = choose_token(logits, slot.job->sampler_, slot.answered);
    wipe(logits.data(), logits.size_bytes());
    advance(slot, token);
  }
}

void Scheduler::advance(Slot& slot, std::optional<Token> token) {
  if (!token) return end(slot, std::unexpected(EngineError::engine_failed));
  if (model_->ends_answer(*token)) return end(slot, FinishReason::stop);
  slot.job->deliver(*token);
  slot.last = *token;
  ++slot.answered;
  if (slot.answered == slot.job->max_tokens_) end(slot, FinishReason::length);
}

void Scheduler::end(Slot& slot, Job::End end) {
  model_->forget(static_cast<uint32_t>(&slot - slots_.data()));
  const std::shared_ptr<Job> job = std::move(slot.job);
  slot = Slot{};
  job->finish(end);
}

void Scheduler::end_all(EngineError error) {
  for (Slot& slot : slots_) {
    if (slot.job) end(slot, std::unexpected(error));
  }
  std::lock_guard lock(mutex_);
  for (const auto& job : waiting_) job->finish(std::unexpected(error));
  waiting_.clear();
}

}  // namespace cloister::inference
