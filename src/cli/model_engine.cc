#include "cli/model_engine.h"

#ifdef CLOISTER_HAS_LLAMA
#include "inference/llama/llama_engine.h"
#endif

namespace cloister::cli {

using Loaded = std::expected<std::unique_ptr<inference::Engine>, inference::ModelFault>;

#ifdef CLOISTER_HAS_LLAMA

bool has_model_engine() {
  return true;
}

Loaded load_model_engine(const std::filesystem::path& path,
                         const inference::ExpectedModel& expected, uint32_t threads) {
  inference::LlamaConfig config;
  config.threads = threads;
  return inference::load_llama_engine(path, expected, config);
}

#else

bool has_model_engine() {
  return false;
}

Loaded load_model_engine(const std::filesystem::path& path, const inference::ExpectedModel&,
                         uint32_t) {
  return std::unexpected(
      inference::ModelFault{inference::EngineError::model_unsupported, path.string()});
}

#endif

}  // namespace cloister::cli
