// `cloister node --config FILE`: an instance that serves a model.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/development_network.h"
#include "cli/key_file.h"
#include "cli/ledger_access.h"
#include "cli/model_engine.h"
#include "node/daemon.h"
#include "process/child.h"
#include "process/harden.h"

namespace cloister::cli {
namespace {

std::expected<node::NodeConfig, std::string> read_config(const std::string& path) {
  auto file = TomlFile::load(path);
  if (!file) return std::unexpected(file.error());
  node::NodeConfig out;
  out.ledger = ledger_endpoints(*file, "ledger");
  out.genesis = file->path("genesis");
  out.operator_key = file->path("operator_key");
  out.listen_address = file->text("listen", "127.0.0.1");
  out.listen_port = file->integer<uint16_t>("port", 0);
  out.advertised_host = file->text("advertised_host", out.listen_address);
  out.model_file = file->path("model_file");
  out.price_micro = file->integer<uint64_t>("price_micro", 1'000'000);
  out.capacity = file->integer<uint32_t>("capacity", 4);
  out.engine_threads = file->integer<uint32_t>("engine_threads", 0);
  out.blobs = blob_store(*file, "blobs");
  auto level = log_level_from(file->text("log_level", "info"));
  if (!level) file->refuse("log_level", "must be debug, info, warning or error");
  auto kind = node::tee_kind_from(file->text("tee.kind"));
  if (!kind) file->refuse("tee.kind", "must be simulated-tdx or simulated-snp");
  out.tee_hierarchy = file->path("tee.hierarchy");
  out.tee_platform = file->integer<uint32_t>("tee.platform", 0);
  if (auto good = file->finish(); !good) return std::unexpected(good.error());
  out.log_level = *level;
  out.tee = *kind;
  return out;
}

std::string known_models(const ledger::Genesis& genesis) {
  std::string out;
  for (const auto& model : genesis.models) {
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", model.name, to_hex(model.root));
  }
  return out;
}

// The file must hold a model that the network knows by its root.
std::expected<std::unique_ptr<inference::Engine>, std::string> load_engine(
    const node::NodeConfig& config, const ledger::Genesis& genesis) {
  auto file = inference::read_model_file(config.model_file);
  if (!file) return std::unexpected(file.error().message());
  inference::ExpectedModel expected{file->info().file_sha256, file->info().model_root};
  auto known = std::ranges::find(genesis.models, expected.model_root, &ledger::Model::root);
  if (known == genesis.models.end()) {
    return std::unexpected(fmt::format("{} has the model root {}; the network expects {}",
                                       config.model_file.string(), to_hex(expected.model_root),
                                       known_models(genesis)));
  }
  auto engine = load_model_engine(config.model_file, expected, config.engine_threads);
  if (!engine) return std::unexpected(engine.error().message());
  return std::move(*engine);
}

std::expected<node::DaemonParts, std::string> prepare(const std::string& path) {
  auto config = read_config(path);
  if (!config) return std::unexpected(config.error());
  auto genesis = read_genesis(config->genesis);
  if (!genesis) return std::unexpected(genesis.error());
  auto key = read_key_file(config->operator_key);
  if (!key) return std::unexpected(config->operator_key.string() + ": not a key file");
  auto image = measure_own_image();
  if (!image) return std::unexpected(image.error());
  process::harden();
  node::Measured measured{*image, config->digest()};
  auto tee = node::open_simulated_tee(
      {config->tee, config->tee_hierarchy, config->tee_platform, measured});
  if (!tee) {
    return std::unexpected(
        fmt::format("{}: {}", config->tee_hierarchy.string(), node::describe(tee.error())));
  }
  auto engine = load_engine(*config, *genesis);
  if (!engine) return std::unexpected(engine.error());
  return node::DaemonParts{std::move(*config), std::move(*genesis), std::move(*key),
                           std::move(*engine), std::move(*tee),     measured};
}

int run(const std::string& path) {
  if (!has_model_engine()) return fail(kNoModelEngine);
  auto parts = prepare(path);
  if (!parts) return fail(parts.error());
  SystemClock clock;
  SystemRandom random;
  Log log("node", parts->config.log_level);
  boost::asio::io_context context(1);
  node::Daemon daemon(context, std::move(*parts), clock, random, log);
  std::string problem;
  auto start = [&]() -> boost::asio::awaitable<void> {
    auto port = co_await daemon.start();
    if (port) {
      process::announce_ready(std::to_string(*port));
    } else {
      problem = port.error();
      context.stop();
    }
  };
  boost::asio::co_spawn(context, start(), [](std::exception_ptr) {});
  run_until_signal(context, [&] { return daemon.stop(); });
  return problem.empty() ? kExitOk : fail(problem);
}

}  // namespace

Command add_node(CLI::App& program) {
  auto path = std::make_shared<std::string>();
  auto app = program.add_subcommand("node", "serve a model from this machine");
  app->add_option("--config", *path, "its configuration file")->required();
  return {app, [path] { return run(*path); }};
}

}  // namespace cloister::cli
