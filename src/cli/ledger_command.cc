// `cloister ledger --config FILE`: the embedded ledger.
#include <fmt/format.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>

#include "chain/daemon.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/key_file.h"
#include "ledger/admit/verifier.h"
#include "process/child.h"

namespace cloister::cli {
namespace {

// Who was away for an hour of heartbeats still reads every block that it missed.
constexpr int64_t kLeastKeptBlocks = 1200;
constexpr size_t kMaxWebOrigins = 16;

std::expected<chain::LedgerConfig, std::string> read_config(const std::string& path) {
  auto file = TomlFile::load(path);
  if (!file) return std::unexpected(file.error());
  chain::LedgerConfig out;
  auto genesis_path = file->path("genesis"), validator = file->path("validator_key"),
       beacon = file->path("beacon_key"), data = file->path("data");
  out.host = file->text("listen", "127.0.0.1");
  out.port = file->integer<uint16_t>("port", 0);
  out.block_interval_ms = file->integer<int64_t>("block_interval_ms", 200);
  out.heartbeat_ms = file->integer<int64_t>("heartbeat_ms", 3000);
  out.keep_blocks = file->integer<int64_t>("keep_blocks", 0);
  out.web_origins = file->texts("web_origins", kMaxWebOrigins);
  if (auto good = file->finish(); !good) return std::unexpected(good.error());
  if (out.keep_blocks != 0 && out.keep_blocks < kLeastKeptBlocks) {
    return std::unexpected(
        fmt::format("{}: keep_blocks is 0, for all, or at least {}", path, kLeastKeptBlocks));
  }
  out.dir = data.string();
  auto genesis = read_genesis(genesis_path);
  if (!genesis) return std::unexpected(genesis.error());
  out.genesis = std::move(*genesis);
  out.validator = read_key_file(validator);
  if (!out.validator) return std::unexpected(validator.string() + ": not a key file");
  auto share = read_secret_file(beacon);
  if (!share) return std::unexpected(beacon.string() + ": not a key file");
  out.beacon.index = 1;
  out.beacon.scalar = std::move(*share);
  out.verifier = ledger::make_verifier();
  return out;
}

int run(const std::string& path) {
  auto config = read_config(path);
  if (!config) return fail(config.error());
  SystemClock clock;
  boost::asio::io_context context(1);
  bool failed = false;
  std::string where = fmt::format("{}:{}", config->host, config->port);
  config->on_failure = [&](chain::ChainError error) {
    failed = true;
    fmt::print(stderr, "error: the ledger stopped: {}\n", chain::describe(error));
    context.stop();
  };
  auto ledger = chain::LedgerDaemon::start(context.get_executor(), clock, std::move(*config));
  if (!ledger) {
    bool port = ledger.error() == chain::ChainError::cannot_listen;
    return fail(fmt::format("{}{}", chain::describe(ledger.error()), port ? ": " + where : ""));
  }
  // Said by the loop, so that whoever hears it and stops the ledger at once finds the signals
  // handled.
  boost::asio::post(context, [&] { process::announce_ready(std::to_string(ledger->port())); });
  run_until_signal(context, [&]() -> boost::asio::awaitable<void> {
    ledger->stop();
    co_return;
  });
  return failed ? kExitRefused : kExitOk;
}

int back_up(const std::string& path, const std::string& folder) {
  auto config = read_config(path);
  if (!config) return fail(config.error());
  const auto facts = chain::LedgerDaemon::back_up(std::move(*config), folder);
  if (!facts) return fail(fmt::format("{}: {}", folder, chain::describe(facts.error())));
  fmt::print("the state at height {} in {} chunk{}, signed: {}\n", facts->height, facts->chunks,
             facts->chunks == 1 ? "" : "s", folder);
  return kExitOk;
}

int restore(const std::string& path, const std::string& folder) {
  auto config = read_config(path);
  if (!config) return fail(config.error());
  const std::string where = (std::filesystem::path(config->dir) / "ledger.db").lexically_normal();
  const auto facts = chain::LedgerDaemon::restore(std::move(*config), folder);
  if (!facts)
    return fail(fmt::format("{} from {}: {}", where, folder, chain::describe(facts.error())));
  fmt::print("{} stands at height {} and goes on from there\n", where, facts->height);
  return kExitOk;
}

}  // namespace

Command add_ledger(CLI::App& program) {
  struct Options {
    std::string config, backup, restore;
  };
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("ledger", "run the embedded ledger");
  app->add_option("--config", options->config, "its configuration file")->required();
  auto to = app->add_option("--backup", options->backup,
                            "do not run it; write its state and last block to this new folder");
  app->add_option("--restore", options->restore,
                  "do not run it; make it from the folder that --backup wrote")
      ->excludes(to);
  return {app, [options] {
            if (!options->backup.empty()) return back_up(options->config, options->backup);
            if (!options->restore.empty()) return restore(options->config, options->restore);
            return run(options->config);
          }};
}

}  // namespace cloister::cli
