// The bare engine: for each line on standard input, generates and prints how many milliseconds it
// took.
//   bench_engine TOKENS PROMPT
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "base/seams.h"
#include "inference/default_model.h"
#include "inference/llama/llama_engine.h"

int main(int argc, char** argv) {
  using namespace cloister;
  if (argc != 3) return 2;
  inference::LlamaConfig config;
  config.slots = 4;
  config.threads = 1;  // as `cloister up` gives each node
  auto engine = inference::load_llama_engine(inference::default_model_path(),
                                             inference::default_model(), config);
  if (!engine) {
    fmt::print(stderr, "{}\n", engine.error().message());
    return 1;
  }
  inference::GenerateRequest request;
  inference::ChatMessage message;
  message.content = UserText(argv[2]);
  request.messages.push_back(std::move(message));
  request.sampler.temperature_micro = 0;
  request.max_tokens = static_cast<uint32_t>(std::strtoul(argv[1], nullptr, 10));
  SystemClock clock;
  for (std::string line; std::getline(std::cin, line);) {
    auto began_ms = clock.now_ms();
    auto result = (*engine)->generate(request, [](const UserText&) { return true; });
    if (!result) return 1;
    fmt::print("{} {}\n", clock.now_ms() - began_ms, result->completion_tokens);
    std::fflush(stdout);
  }
  return 0;
}
