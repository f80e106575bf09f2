// `cloister validator --config FILE`: one validator of a replicated network, its application and
// its CometBFT, kept running.
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "chain/abci/host.h"
#include "chain/abci/server.h"
#include "chain/comet/home.h"
#include "chain/comet/program.h"
#include "chain/comet/supervisor.h"
#include "chain/ledger_application.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/interrupt.h"
#include "cli/key_file.h"
#include "ledger/admit/verifier.h"

namespace cloister::cli {
namespace {

namespace fs = std::filesystem;
namespace comet = chain::comet;
namespace abci = chain::abci;

constexpr size_t kMaxKeyFileBytes = 4096;
// Clients that were away for an hour, and evidence, need blocks of the past.
constexpr int64_t kLeastKeptBlocks = 100'000;

struct Config {
  fs::path file, home, engine_program;
  ledger::Genesis genesis;
  std::optional<ledger::BeaconSecret> beacon;
  light::EndpointAddress rpc;
  int64_t keep_blocks = 0, snapshot_interval = 0, stall_ms = 0;
  uint64_t engine_threads = 0, engine_memory_mib = 0;
};

std::expected<ledger::BeaconSecret, std::string> read_beacon(const Config& config,
                                                             const fs::path& path) {
  const auto json = read_file(comet::consensus_key_file(config.home), kMaxKeyFileBytes);
  const auto key = json ? comet::consensus_key_from(as_text(*json)) : std::nullopt;
  if (!key) {
    return std::unexpected(comet::consensus_key_file(config.home).string() +
                           ": not a consensus key of CometBFT");
  }
  const auto& all = config.genesis.validators;
  const auto place = std::ranges::find(all, key->public_key(), &ledger::Validator::public_key);
  auto scalar = read_secret_file(path);
  if (!scalar) return std::unexpected(path.string() + ": not a key file");
  ledger::BeaconSecret out;
  out.index = static_cast<uint16_t>(place - all.begin() + 1);
  out.scalar = std::move(*scalar);
  if (place == all.end() || !ledger::is_beacon_secret(config.genesis, out)) {
    return std::unexpected(path.string() + ": not this validator's share of the beacon");
  }
  return out;
}

std::expected<Config, std::string> read_config(const std::string& path) {
  auto file = TomlFile::load(path);
  if (!file) return std::unexpected(file.error());
  Config out;
  out.file = fs::absolute(path);
  const fs::path genesis = file->path("genesis");
  out.home = fs::absolute(file->path("home"));
  const bool has_beacon = file->has("beacon_key"), has_program = file->has("cometbft");
  const fs::path beacon = has_beacon ? file->path("beacon_key") : fs::path();
  out.engine_program =
      has_program ? file->path("cometbft") : comet::find_program().value_or(fs::path());
  const auto rpc = light::address_from(file->text("rpc", "127.0.0.1:26657"));
  if (!rpc) file->refuse("rpc", "must be HOST:PORT");
  out.rpc = rpc.value_or(light::EndpointAddress());
  out.keep_blocks = file->integer<int64_t>("keep_blocks", 0);
  out.snapshot_interval = file->integer<int64_t>("snapshot_interval", 1000);
  out.stall_ms = 1000 * file->integer<int32_t>("stall_s", 120);
  out.engine_threads = file->integer<uint32_t>("engine_threads", 0);
  out.engine_memory_mib = file->integer<uint32_t>("engine_memory_mib", 0);
  if (out.keep_blocks != 0 && out.keep_blocks < kLeastKeptBlocks) {
    file->refuse("keep_blocks", fmt::format("is 0, for all, or at least {}", kLeastKeptBlocks));
  }
  if (auto good = file->finish(); !good) return std::unexpected(good.error());
  auto read = read_genesis(genesis);
  if (!read) return std::unexpected(read.error());
  out.genesis = std::move(*read);
  if (out.genesis.embedded) {
    return std::unexpected(genesis.string() + " is of a network with one embedded sequencer");
  }
  if (has_beacon) {
    auto secret = read_beacon(out, beacon);
    if (!secret) return std::unexpected(secret.error());
    out.beacon = std::move(*secret);
  }
  return out;
}

abci::HostConfig host_config(const Config& config) {
  abci::HostConfig out;
  out.dir = (config.home / "ledger").string();
  out.identity = {config.genesis.chain_id, config.genesis.hash()};
  for (const ledger::Validator& v : config.genesis.validators) {
    out.validators.push_back({v.public_key, static_cast<int64_t>(v.power)});
  }
  out.keep_blocks = config.keep_blocks;
  out.snapshot_interval = config.snapshot_interval;
  return out;
}

// The application alone: until it is told to stop, or cannot go on.
int run_application(Config config) {
  const Interrupt interrupt;
  const int failed = eventfd(0, EFD_CLOEXEC);
  abci::HostConfig hosted = host_config(config);
  hosted.on_failure = [failed](chain::ChainError error) {
    fmt::print(stderr, "error: the ledger stopped: {}\n", chain::describe(error));
    const uint64_t one = 1;
    if (write(failed, &one, sizeof(one)) != sizeof(one)) std::abort();
  };
  auto app = chain::LedgerApplication::create(config.genesis, ledger::make_verifier(),
                                              std::move(config.beacon));
  if (!app) return fail(std::string(chain::describe(app.error())));
  auto host = abci::Host::open(std::move(hosted), std::move(*app));
  if (!host) {
    return fail(
        fmt::format("{}: {}", (config.home / "ledger").string(), chain::describe(host.error())));
  }
  // Relative, because a socket's path must be short; the engine runs in the same folder.
  if (chdir(config.home.c_str()) != 0) return fail(config.home.string() + " cannot be entered");
  auto server = abci::Server::start(
      "app.sock", [&](const abci::Request& request) { return (*host)->handle(request); });
  if (!server) return fail(std::string(abci::describe(server.error())));
  process::announce_ready("app.sock");
  pollfd fds[2] = {{interrupt.fd(), POLLIN, 0}, {failed, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0) {
  }
  const bool broken = fds[1].revents != 0;
  server->stop();
  close(failed);
  return broken ? kExitRefused : kExitOk;
}

int run_supervised(const Config& config) {
  if (config.engine_program.empty()) return fail(std::string(comet::kMissing));
  const Interrupt interrupt;
  const SystemClock clock;
  comet::SupervisorConfig out;
  std::error_code ec;
  const auto self = fs::read_symlink("/proc/self/exe", ec).string();
  out.application.argv = {self, "validator", "--config", config.file.string(), "--application"};
  out.application.stderr_file = (config.home / "application.log").string();
  out.engine.argv = {config.engine_program.string(), "start", "--home", config.home.string()};
  out.engine.folder = config.home.string();
  out.engine.stdout_file = out.engine.stderr_file = (config.home / "engine.log").string();
  if (config.engine_threads > 0) {
    out.engine.environment.push_back(fmt::format("GOMAXPROCS={}", config.engine_threads));
  }
  if (config.engine_memory_mib > 0) {
    out.engine.environment.push_back(fmt::format("GOMEMLIMIT={}MiB", config.engine_memory_mib));
  }
  out.stall_ms = config.stall_ms;
  out.probe = [&] { return comet::engine_status(config.rpc); };
  out.tell = [](const std::string& line) { fmt::print(stderr, "== {}\n", line); };
  out.on_first_answer = [&] { process::announce_ready(std::to_string(config.rpc.port)); };
  const auto ended = comet::supervise(out, clock, interrupt.fd());
  if (!ended) {
    return fail(
        fmt::format("{}\n       its log is {}", ended.error(), out.application.stderr_file));
  }
  return kExitOk;
}

int print_status(const Config& config) {
  const auto status = comet::engine_status(config.rpc);
  if (!status) return fail(fmt::format("nobody answers at {}", light::to_text(config.rpc)));
  fmt::print("{}\n", JsonValue::object({{"height", status->height},
                                        {"catching_up", status->catching_up},
                                        {"peers", status->peers},
                                        {"power", status->power}})
                         .dump());
  return kExitOk;
}

// What the operator sends with `cloister tx join_validators`.
int print_join(const Config& config, const std::string& account_text) {
  const auto account = fixed_from_hex<32>(account_text);
  if (!account) return unusable("validator", account_text + " is not an account (64 hex digits)");
  const auto json = read_file(comet::consensus_key_file(config.home), kMaxKeyFileBytes);
  const auto key = json ? comet::consensus_key_from(as_text(*json)) : std::nullopt;
  if (!key) {
    return fail(comet::consensus_key_file(config.home).string() + ": not a consensus key");
  }
  fmt::print("{}\n", ledger::sign_join(config.genesis.chain_id, *account, *key).to_json().dump());
  return kExitOk;
}

}  // namespace

Command add_validator(CLI::App& program) {
  struct Options {
    std::string config, join;
    bool application = false, status = false;
  };
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("validator", "run a validator: the ledger under CometBFT");
  app->add_option("--config", options->config, "its configuration file")->required();
  auto* const alone = app->add_flag("--application", options->application,
                                    "only the ledger, for who starts CometBFT by other means");
  auto* const status =
      app->add_flag("--status", options->status, "how a validator that runs is doing, as JSON");
  app->add_option("--join-body", options->join,
                  "print the body of join_validators for this operator's account")
      ->excludes(alone)
      ->excludes(status);
  status->excludes(alone);
  return {app, [options] {
            auto config = read_config(options->config);
            if (!config) return fail(config.error());
            if (options->status) return print_status(*config);
            if (!options->join.empty()) return print_join(*config, options->join);
            if (options->application) return run_application(std::move(*config));
            return run_supervised(*config);
          }};
}

}  // namespace cloister::cli
