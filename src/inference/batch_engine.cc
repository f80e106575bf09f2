#include "inference/batch_engine.h"

#include "inference/answer_text.h"

namespace cloister::inference {
namespace {

// Hands the answer over as it comes. Returns the reader's verdict on each piece.
class Delivery {
 public:
  Delivery(const LanguageModel& model, const GenerateRequest& request, const OnText& on_text)
      : model_(model), text_(request.stops), on_text_(on_text) {}

  // False when the answer needs no more tokens.
  bool take(const Tokens& tokens) {
    for (const Token token : tokens) {
      ++count_;
      if (!hand_over(text_.add(model_.text_of(token).reveal()))) return false;
      if (text_.met_stop()) return false;
    }
    return true;
  }
  bool finish() { return hand_over(text_.finish()); }

  uint32_t count() const { return count_; }
  bool met_stop() const { return text_.met_stop(); }

 private:
  bool hand_over(const UserText& delta) { return delta.empty() || on_text_(delta); }

  const LanguageModel& model_;
  AnswerText text_;
  const OnText& on_text_;
  uint32_t count_ = 0;
};

// A cancelled job ends within a step; only then is its slot wiped.
void cancel_and_wait(Job& job) {
  job.cancel();
  while (!job.wait().end) {
  }
}

Job::End serve(Job& job, Delivery& delivery) {
  while (true) {
    const Job::News news = job.wait();
    if (!delivery.take(news.tokens)) {
      if (!news.end) cancel_and_wait(job);
      return delivery.met_stop() ? FinishReason::stop : FinishReason::cancelled;
    }
    if (!news.end) continue;
    if (*news.end && **news.end != FinishReason::cancelled && !delivery.finish()) {
      return FinishReason::cancelled;
    }
    return *news.end;
  }
}

}  // namespace

std::expected<GenerateResult, EngineError> BatchEngine::generate(const GenerateRequest& request,
                                                                 const OnText& on_text) {
  if (auto checked = check_request(request); !checked) return std::unexpected(checked.error());
  auto prompt = scheduler_.model().prompt_tokens(request.messages);
  if (!prompt) return std::unexpected(prompt.error());
  GenerateResult result;
  result.prompt_tokens = static_cast<uint32_t>(prompt->size());
  const auto job =
      scheduler_.submit(std::move(*prompt), request.sampler, request.max_tokens, request.cancel);
  if (!job) return std::unexpected(job.error());
  Delivery delivery(scheduler_.model(), request, on_text);
  const Job::End end = serve(**job, delivery);
  if (!end) return std::unexpected(end.error());
  result.completion_tokens = delivery.count();
  result.finish = *end;
  return result;
}

}  // namespace cloister::inference
