// The engine that runs a model in this process: prompts become tokens and tokens become text on the
// callers' threads, the scheduler's thread does nothing but compute.
#pragma once

#include "inference/scheduler.h"

namespace cloister::inference {

class BatchEngine final : public Engine {
 public:
  // Requests past the model's slots wait, at most `max_waiting` of them.
  BatchEngine(ModelInfo info, std::unique_ptr<LanguageModel> model, size_t max_waiting)
      : info_(std::move(info)), scheduler_(std::move(model), max_waiting) {}

  std::expected<GenerateResult, EngineError> generate(const GenerateRequest& request,
                                                      const OnText& on_text) override;
  const ModelInfo& info() const override { return info_; }

 private:
  const ModelInfo info_;
  Scheduler scheduler_;
};

}  // namespace cloister::inference
