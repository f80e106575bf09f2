// Runs a GGUF model in this process with llama.cpp, on the CPU. Nothing of the library shows here.
#pragma once

#include <memory>

#include "inference/model_file.h"

namespace cloister::inference {

struct LlamaConfig {
  uint32_t slots = 4;              // conversations computed at a time, 1 to kMaxSlots
  uint32_t context_tokens = 2048;  // of each; cut to what the model was trained for
  uint32_t threads = 0;            // 0: one for each CPU
  uint32_t max_waiting = 64;       // conversations in the queue, at least 1
};
constexpr uint32_t kMaxSlots = 64;
constexpr uint32_t kMaxThreads = 256;

// Refuses, besides all that load_model_file refuses: a CPU without the instructions this was built
// for, numbers out of their bounds (bad_parameter), and models whose memory of a conversation
// cannot be wiped or that do not answer conversations (model_unsupported). Silences the library's
// log for the process.
std::expected<std::unique_ptr<Engine>, ModelFault> load_llama_engine(
    const std::filesystem::path& path, const ExpectedModel& expected, const LlamaConfig& config);

}  // namespace cloister::inference
