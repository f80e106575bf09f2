#include "inference/llama/llama_engine.h"

#include "inference/batch_engine.h"
#include "inference/llama/llama_model.h"

namespace cloister::inference {
namespace {

bool in_bounds(const LlamaConfig& c) {
  return c.slots >= 1 && c.slots <= kMaxSlots && c.context_tokens >= 1 &&
         c.context_tokens <= kMaxTokens && c.threads <= kMaxThreads && c.max_waiting >= 1;
}

}  // namespace

std::expected<std::unique_ptr<Engine>, ModelFault> load_llama_engine(
    const std::filesystem::path& path, const ExpectedModel& expected, const LlamaConfig& config) {
  if (!in_bounds(config)) {
    return std::unexpected(ModelFault{EngineError::bad_parameter, "slots, context or threads"});
  }
  const auto file = load_model_file(path, expected);
  if (!file) return std::unexpected(file.error());
  auto model = LlamaModel::load(*file, config);
  if (!model) return std::unexpected(ModelFault{model.error(), path.string()});
  ModelInfo info = file->info();
  info.context_tokens = (*model)->limits().context_tokens;
  return std::make_unique<BatchEngine>(std::move(info), std::move(*model), config.max_waiting);
}

}  // namespace cloister::inference
