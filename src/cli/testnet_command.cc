// `cloister testnet --validators N --dir D`: a replicated network on this machine, for development:
// its files, its processes, and where it stands.
#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "chain/comet/probe.h"
#include "chain/comet/program.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/interrupt.h"
#include "cli/key_file.h"
#include "cli/validators.h"
#include "process/child.h"

namespace cloister::cli {
namespace {

namespace fs = std::filesystem;
namespace comet = chain::comet;
using Outcome = std::expected<void, std::string>;

constexpr uint64_t kUserMicro = 1'000'000'000'000;
constexpr int kStartMs = 60'000;
constexpr int kShowEveryMs = 1'000;
constexpr uint16_t kDefaultPort = 26656;

struct Options {
  std::string folder;
  size_t validators = 4;
  uint16_t port = kDefaultPort;
  int64_t until_height = 0;
  bool files_only = false;
};

std::vector<ValidatorPorts> ports_of(const Options& options) {
  std::vector<ValidatorPorts> out;
  for (size_t i = 0; i < options.validators; ++i) {
    const auto p2p = static_cast<uint16_t>(options.port + 10 * i);
    out.push_back({static_cast<uint16_t>(p2p + 1), p2p});
  }
  return out;
}

std::expected<ledger::Genesis, std::string> make_genesis(const Options& options, Random& random,
                                                         const Clock& clock) {
  const fs::path folder = options.folder, file = folder / "genesis.json";
  if (fs::exists(file)) {
    auto genesis = read_genesis(file);
    if (genesis && genesis->validators.size() != options.validators) {
      return std::unexpected(
          fmt::format("{} is of {} validators; another --dir, or --validators {}", file.string(),
                      genesis->validators.size(), genesis->validators.size()));
    }
    return genesis;
  }
  ledger::Genesis genesis;
  genesis.chain_id = "cloister-testnet-" + to_hex(random.fixed<4>());
  genesis.time_ms = static_cast<uint64_t>(clock.now_ms());
  genesis.development = true;
  const auto user = make_key_file(folder / "user.key", random);
  if (!user) return std::unexpected((folder / "user.key").string() + " cannot be made");
  genesis.accounts.push_back({{}, user->public_key(), kUserMicro});
  if (auto made = make_validators(folder, options.validators, genesis, random); !made) {
    return std::unexpected(made.error());
  }
  if (auto good = ledger::check(genesis); !good) {
    return std::unexpected(std::string(ledger::describe(good.error())));
  }
  // Last: without it everything is made again.
  const std::string text = genesis.to_json().dump_pretty() + "\n";
  if (!write_file(file, as_bytes(text), FileMode::shared)) {
    return std::unexpected(file.string() + " cannot be written");
  }
  return genesis;
}

class Testnet {
 public:
  Testnet(const Options& options, const Interrupt& interrupt)
      : options_(options), ports_(ports_of(options)), interrupt_(interrupt) {}
  ~Testnet() { stop(); }

  Outcome start() {
    std::error_code ec;
    const auto self = fs::read_symlink("/proc/self/exe", ec).string();
    for (size_t i = 0; i < ports_.size(); ++i) {
      process::ChildOptions child;
      child.argv = {self, "validator", "--config", validator_config(options_.folder, i).string()};
      child.stderr_file = (fs::path(options_.folder) / (validator_name(i) + ".log")).string();
      auto started = process::Child::start(child);
      if (!started) return std::unexpected(std::string(describe(started.error())));
      children_.push_back(std::move(*started));
    }
    for (size_t i = 0; i < children_.size(); ++i) {
      auto ready = children_[i].wait_ready(kStartMs, interrupt_.fd());
      if (!ready) {
        return std::unexpected(fmt::format("{}: {}\n       its logs are in {}", validator_name(i),
                                           describe(ready.error()), options_.folder));
      }
      fmt::print(stderr, "== {}: http://127.0.0.1:{}\n", validator_name(i), ports_[i].rpc);
    }
    return {};
  }

  // Until Ctrl-C, or until all have reached the height that was asked for.
  Outcome show() {
    for (;;) {
      std::string line = "heights";
      int64_t least = INT64_MAX;
      for (size_t i = 0; i < ports_.size(); ++i) {
        if (children_[i].exit_code()) {
          return std::unexpected(validator_name(i) + " ended; its logs are in " + options_.folder);
        }
        const auto status = comet::engine_status({"127.0.0.1", ports_[i].rpc});
        const int64_t height = status ? status->height : 0;
        line += status ? fmt::format(" {}", height) : std::string(" -");
        least = std::min(least, height);
      }
      fmt::print("{}\n", line);
      std::fflush(stdout);
      if (options_.until_height > 0 && least >= options_.until_height) return {};
      if (interrupt_.raised(kShowEveryMs)) return {};
    }
  }

 private:
  void stop() {
    for (auto& child : children_) child.ask_to_stop();  // all at once: each has much to close
    for (auto& child : children_) child.stop();
    children_.clear();
  }

  const Options& options_;
  const std::vector<ValidatorPorts> ports_;
  const Interrupt& interrupt_;
  std::vector<process::Child> children_;
};

int run(Options options) {
  if (!options.files_only && !comet::find_program()) return fail(std::string(comet::kMissing));
  const Interrupt interrupt;
  SystemRandom random;
  const SystemClock clock;
  std::error_code ec;
  options.folder = fs::absolute(options.folder).string();
  fs::create_directories(options.folder, ec);
  if (ec) return fail(fmt::format("{}: {}", options.folder, ec.message()));
  const auto genesis = make_genesis(options, random, clock);
  if (!genesis) return fail(genesis.error());
  if (auto good = configure_validators(options.folder, *genesis, ports_of(options),
                                       comet::kPaceOfOneMachine, {}, random);
      !good) {
    return fail(good.error());
  }
  fmt::print(stderr, "== {} validators of {} in {}\n== development: no hardware protection\n",
             options.validators, genesis->chain_id, options.folder);
  if (options.files_only) return kExitOk;
  Testnet testnet(options, interrupt);
  Outcome good = testnet.start();
  if (good) good = testnet.show();
  if (!good) return fail(good.error());
  fmt::print(stderr, "== stopping\n");
  return kExitOk;
}

}  // namespace

Command add_testnet(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("testnet", "run a network of validators on this machine");
  app->add_option("--dir", options->folder, "where it keeps its files")->required();
  app->add_option("--validators", options->validators, "how many")
      ->check(CLI::Range(size_t{1}, kMaxTestValidators));
  app->add_option("--port", options->port, "the first; each validator uses two of the next ten")
      ->check(CLI::Range(1024, 65'000));
  app->add_option("--until-height", options->until_height,
                  "stop once all validators have reached it");
  app->add_flag("--files-only", options->files_only, "write the files and start nothing");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
