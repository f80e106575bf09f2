// The engine that this program runs models with. Only model_engine.cc knows that a program
// can be built without one (CLOISTER_LLAMA=OFF: the sanitizers' builds, machines that only verify).
#pragma once

#include "inference/model_file.h"

namespace cloister::cli {

// Whether there is one. Without, `node` and `up` refuse before they read or start anything.
bool has_model_engine();
constexpr const char* kNoModelEngine =
    "this build has no model engine; configure it with -DCLOISTER_LLAMA=ON";

// The engine with the model at `path`, which must be the one expected. `threads` 0: one a CPU.
// Without an engine the error is model_unsupported.
std::expected<std::unique_ptr<inference::Engine>, inference::ModelFault> load_model_engine(
    const std::filesystem::path& path, const inference::ExpectedModel& expected, uint32_t threads);

}  // namespace cloister::cli
