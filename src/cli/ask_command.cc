// `cloister ask PROMPT`: one private prompt through a running gateway.
#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "blob/http_client.h"
#include "channel/sealed/file.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/gateway_client.h"
#include "cli/run_alone.h"
#include "light/endpoint.h"

namespace cloister::cli {
namespace {

constexpr size_t kMaxAttachedBytes = size_t{200} << 20;

struct Options {
  std::string prompt, model, mode = "atls";
  std::vector<std::string> attached;
  bool json = false;
};

// Seals a file under a key of its own and leaves it at the blob server: an entry of the API's
// "documents".
std::expected<JsonValue, std::string> attach(const std::string& path, const std::string& server) {
  const auto address = light::address_from(server);
  auto content = read_file(path, kMaxAttachedBytes);
  if (!address) return std::unexpected(server + " is no blob server");
  if (!content) return std::unexpected(fmt::format("{}: {}", path, describe(content.error())));
  SystemRandom random;
  const sealed::FileKey key(random.fixed<32>());
  sealed::FileSealer sealer(key, content->size(), random);
  Buffer ciphertext;
  sealer.feed(*content, ciphertext);
  sealer.finish(ciphertext);
  wipe(content->data(), content->size());
  const auto kept = run_alone(blob::put(address->host, address->port, ciphertext));
  if (!kept) return std::unexpected(fmt::format("{}: {}", server, describe(kept.error())));
  return JsonValue::object({{"uri", kept->uri()}, {"key", to_hex(key.reveal())}});
}

int run(const Options& options) {
  if (options.mode == "relay") return unusable("ask", kNoRelay);
  auto running = read_running();
  if (!running) return fail(running.error());
  AskWith with{options.model, options.mode, {}};
  if (!options.attached.empty()) with.documents = JsonValue::Array{};
  for (const std::string& path : options.attached) {
    auto document = attach(path, running->blobs);
    if (!document) return fail(document.error());
    with.documents.push(std::move(*document));
  }
  auto answer = ask_gateway(running->gateway, std::move(with), UserText(options.prompt));
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
  app->add_option(
         "--attach", options->attached,
         "a text file, sealed and left at the blob server; the node shows the model as much "
         "of its beginning and end as fits")
      ->check(CLI::ExistingFile);
  app->add_flag("--json", options->json, "print one JSON object");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
