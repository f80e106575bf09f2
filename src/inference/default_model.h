// The model that scripts/fetch_model brings: SmolLM2-135M-Instruct, Q4_1, Apache-2.0.
#pragma once

#include "inference/model_file.h"

namespace cloister::inference {

constexpr std::string_view kDefaultModelFile = "SmolLM2-135M-Instruct.Q4_1.gguf";

ExpectedModel default_model();

// $CLOISTER_MODEL, or the file in $CLOISTER_CACHE/models, or in the user's cache folder, the same
// places that the scripts use. Says nothing about whether it exists.
std::filesystem::path default_model_path();

}  // namespace cloister::inference
