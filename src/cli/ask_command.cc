// `cloister ask PROMPT`: one private prompt through a running gateway.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/gateway_client.h"

namespace cloister::cli {
namespace {

struct Options {
  std::string prompt, model, mode = "atls";
  bool json = false;
};

int run(const Options& options) {
  if (options.mode == "relay") return unusable("ask", kNoRelay);
  auto running = read_running();
  if (!running) return fail(running.error());
  auto answer = ask_gateway(running->gateway, {options.model, options.mode}, UserText(options.prompt));
  if (!answer) return fail(answer.error());
  if (!options.json) {
    print_answer(*answer);
    return kExitOk;
  }
  auto out = answer_json(*answer);
  out.set("timings", JsonValue::object({{"answer_ms", answer->elapsed_ms}}));
  fmt::print("{}\n", out.dump());
  return kExitOk;
}

}  // namespace

Command add_ask(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("ask", "send one private prompt through the running gateway");
  app->add_option("prompt", options->prompt, "what to ask")->required();
  app->add_option("--model", options->model, "a model of the network; the first one when left out");
  app->add_option("--mode", options->mode, "atls, relay or chain")
      ->check(CLI::IsMember({"atls", "relay", "chain"}));
  app->add_flag("--json", options->json, "print one JSON object");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
