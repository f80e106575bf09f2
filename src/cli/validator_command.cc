// `cloister validator --config FILE`: one validator of a replicated network, its application and
// its CometBFT, kept running.
#include <fmt/format.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

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

// Clients that were away for an hour, and evidence, need blocks of the past.
constexpr int64_t kLeastKeptBlocks = 100'000;

struct Config {
  fs::path file, home, engine_program, genesis_file, beacon_file;
  ledger::Genesis genesis;
  std::optional<ledger::BeaconSecret> beacon;
  light::EndpointAddress rpc;
  int64_t keep_blocks = 0, snapshot_interval = 0, stall_ms = 0;
  uint64_t engine_threads = 0, engine_memory_mib = 0;
};

// The share says itself whose it is: it fits one public key of the genesis.
std::expected<ledger::BeaconSecret, std::string> read_beacon(const ledger::Genesis& genesis,
                                                             const fs::path& path) {
  auto scalar = read_secret_file(path);
  if (!scalar) return std::unexpected(path.string() + ": not a key file");
  ledger::BeaconSecret out;
  out.scalar = std::move(*scalar);
  for (size_t i = 1; i <= genesis.validators.size(); ++i) {
    out.index = static_cast<uint16_t>(i);
    if (ledger::is_beacon_secret(genesis, out)) return out;
  }
  return std::unexpected(path.string() + ": not a share of this network's beacon");
}

// The file alone: what it names may not be there yet.
std::expected<Config, std::string> read_settings(const std::string& path) {
  auto file = TomlFile::load(path);
  if (!file) return std::unexpected(file.error());
  Config out;
  out.file = fs::absolute(path);
  out.genesis_file = file->path("genesis");
  out.home = fs::absolute(file->path("home"));
  if (file->has("beacon_key")) out.beacon_file = file->path("beacon_key");
  const bool has_program = file->has("cometbft");
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
  return out;
}

std::expected<Config, std::string> read_config(const std::string& path) {
  auto out = read_settings(path);
  if (!out) return out;
  auto genesis = read_genesis(out->genesis_file);
  if (!genesis) return std::unexpected(genesis.error());
  out->genesis = std::move(*genesis);
  if (out->genesis.embedded) {
    return std::unexpected(out->genesis_file.string() +
                           " is of a network with one embedded sequencer");
  }
  if (!out->beacon_file.empty()) {
    auto secret = read_beacon(out->genesis, out->beacon_file);
    if (!secret) return std::unexpected(secret.error());
    out->beacon = std::move(*secret);
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
  hosted.on_no_snapshot = [](int64_t height, chain::ChainError error) {
    fmt::print(stderr, "warning: no snapshot of height {}: {}\n", height, chain::describe(error));
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
  // Told to stop while its application goes as well, it may wait for that one for ever; it takes up
  // after a kill where it was.
  out.engine.orphaned_signal = SIGKILL;
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

// What a network must know of this validator: for its genesis, and for its peers.
int make_keys(const Config& config) {
  SystemRandom random;
  const auto keys = comet::make_keys(config.home, random);
  if (!keys) return fail(keys.error());
  fmt::print("{}\n", JsonValue::object({{"consensus_key", to_hex(keys->consensus.public_key())},
                                        {"node_id", comet::node_id(keys->node.public_key())}})
                         .dump());
  return kExitOk;
}

// NODE_ID@HOST:PORT
bool is_peer(const std::string& text) {
  const size_t at = text.find('@');
  return at != std::string::npos && fixed_from_hex<20>(text.substr(0, at)) &&
         light::address_from(text.substr(at + 1));
}

// A key that the genesis does not name says nothing: a signer elsewhere has the validator's own.
bool is_own_share(const Config& config, const crypto::Ed25519Public& consensus) {
  const auto& all = config.genesis.validators;
  const auto own = std::ranges::find(all, consensus, &ledger::Validator::public_key);
  if (!config.beacon || own == all.end()) return true;
  // Where one share is enough all are equal, and the first place is the one that was found.
  ledger::BeaconSecret there;
  there.index = static_cast<uint16_t>(own - all.begin() + 1);
  std::ranges::copy(config.beacon->scalar.reveal(), there.scalar.reveal_mutable().begin());
  return ledger::is_beacon_secret(config.genesis, there);
}

// What is there stays: keys, votes, a configuration that somebody has changed.
int make_home(const Config& config, const std::vector<std::string>& peers) {
  for (const std::string& peer : peers) {
    if (!is_peer(peer)) return unusable("validator", peer + " is not NODE_ID@HOST:PORT");
  }
  SystemRandom random;
  const auto keys = comet::make_home(config.home, config.genesis, random);
  if (!keys) return fail(keys.error());
  if (!is_own_share(config, keys->consensus.public_key())) {
    return fail(config.beacon_file.string() + ": the share of another validator");
  }
  const fs::path file = comet::config_file(config.home);
  if (fs::exists(file)) {
    fmt::print(stderr, "== {} is there and stays as it is\n", file.string());
    return kExitOk;
  }
  comet::EngineConfig engine;
  engine.moniker = config.home.filename().string();
  engine.rpc = light::to_text(config.rpc);
  engine.peers = peers;
  if (auto written = comet::write_config(config.home, engine); !written) {
    return fail(written.error());
  }
  fmt::print(stderr, "== {} is ready; addresses and peers are in {}\n", config.home.string(),
             file.string());
  return kExitOk;
}

// What the operator sends with `cloister tx join_validators`.
int print_join(const Config& config, const std::string& account_text) {
  const auto account = fixed_from_hex<32>(account_text);
  if (!account) return unusable("validator", account_text + " is not an account (64 hex digits)");
  const auto key = comet::read_consensus_key(config.home);
  if (!key) return fail(key.error());
  fmt::print("{}\n", ledger::sign_join(config.genesis.chain_id, *account, *key).to_json().dump());
  return kExitOk;
}

}  // namespace

Command add_validator(CLI::App& program) {
  struct Options {
    std::string config, join;
    std::vector<std::string> peers;
    bool application = false, status = false, make_keys = false, init = false;
  };
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("validator", "run a validator: the ledger under CometBFT");
  app->add_option("--config", options->config, "its configuration file")->required();
  auto* const instead = app->add_option_group("instead of running it");
  instead->require_option(0, 1);
  instead->add_flag("--make-keys", options->make_keys,
                    "make its keys, and print what a genesis and peers name");
  auto* const init = instead->add_flag("--init", options->init, "make CometBFT's folder");
  instead->add_flag("--application", options->application,
                    "only the ledger, for who starts CometBFT by other means");
  instead->add_flag("--status", options->status, "how a validator that runs is doing, as JSON");
  instead->add_option("--join-body", options->join,
                      "print the body of join_validators for this operator's account");
  app->add_option("--peer", options->peers, "NODE_ID@HOST:PORT, for --init; repeat")->needs(init);
  return {app, [options] {
            auto config =
                options->make_keys ? read_settings(options->config) : read_config(options->config);
            if (!config) return fail(config.error());
            if (options->make_keys) return make_keys(*config);
            if (options->init) return make_home(*config, options->peers);
            if (options->status) return print_status(*config);
            if (!options->join.empty()) return print_join(*config, options->join);
            if (options->application) return run_application(std::move(*config));
            return run_supervised(*config);
          }};
}

}  // namespace cloister::cli
