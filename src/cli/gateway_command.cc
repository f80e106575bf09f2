// `cloister gateway --config FILE`: the user's own door to the network.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/key_file.h"
#include "cli/ledger_access.h"
#include "cli/local_policy.h"
#include "gateway/daemon.h"
#include "process/child.h"
#include "process/harden.h"

namespace cloister::cli {
namespace {

std::expected<gateway::GatewayConfig, std::string> read_config(const std::string& path) {
  auto file = TomlFile::load(path);
  if (!file) return std::unexpected(file.error());
  gateway::GatewayConfig out;
  out.ledger = ledger_endpoints(*file, "ledger");
  out.genesis = file->path("genesis");
  out.data = file->path("data");
  out.user_key = file->path("user_key");
  out.listen_address = file->text("listen", "127.0.0.1");
  out.listen_port = file->integer<uint16_t>("port", 0);
  out.model = file->text("model", "");
  out.ready_sessions = file->integer<uint32_t>("ready_sessions", 2);
  out.session_units = file->integer<uint64_t>("session_units", out.session_units);
  out.price_cap_micro = file->integer<uint64_t>("price_cap_micro", out.price_cap_micro);
  out.job_blocks = file->integer<uint64_t>("job_blocks", out.job_blocks);
  out.blobs = blob_store(*file, "blobs");
  auto padding = sealed::padding_from(file->text("padding", "default"));
  if (!padding) file->refuse("padding", "must be off, default or strict");
  const auto policy = file->has("policy") ? file->path("policy") : std::filesystem::path();
  auto level = log_level_from(file->text("log_level", "info"));
  if (!level) file->refuse("log_level", "must be debug, info, warning or error");
  if (auto good = file->finish(); !good) return std::unexpected(good.error());
  out.log_level = *level;
  out.padding = *padding;
  if (!policy.empty()) {
    auto local = read_local_policy(policy);
    if (!local) return std::unexpected(local.error());
    out.local_policy = std::move(*local);
  }
  return out;
}

int run(const std::string& path) {
  auto config = read_config(path);
  if (!config) return fail(config.error());
  auto genesis = read_genesis(config->genesis);
  if (!genesis) return fail(genesis.error());
  auto key = read_key_file(config->user_key);
  if (!key) return fail(config->user_key.string() + ": not a key file");
  process::harden();
  SystemClock clock;
  SystemRandom random;
  Log log("gateway", config->log_level);
  boost::asio::io_context context(1);
  gateway::Daemon daemon(
      context, {std::move(*config), std::move(*genesis), std::move(*key), CLOISTER_VERSION}, clock,
      random, log);
  uint16_t serving = 0;
  daemon.on_ready([&] { process::announce_ready(std::to_string(serving)); });
  auto port = daemon.start();
  if (!port) return fail(port.error());
  serving = *port;
  run_until_signal(context, [&] { return daemon.stop(); });
  return kExitOk;
}

}  // namespace

Command add_gateway(CLI::App& program) {
  auto path = std::make_shared<std::string>();
  auto app = program.add_subcommand("gateway", "serve the API and the page on this computer");
  app->add_option("--config", *path, "its configuration file")->required();
  return {app, [path] { return run(*path); }};
}

}  // namespace cloister::cli
