// `cloister up`: the whole network on this machine. Starts the daemons as processes of their own,
// asks one question through the complete path, and keeps serving until Ctrl-C.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "chain/comet/probe.h"
#include "chain/comet/program.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/development_network.h"
#include "cli/gateway_client.h"
#include "cli/interrupt.h"
#include "cli/model_engine.h"
#include "cli/validators.h"
#include "inference/default_model.h"
#include "process/child.h"
#include "webui/webui.h"

namespace cloister::cli {
namespace {

constexpr int kLedgerTimeoutMs = 30'000;
constexpr int kNodeTimeoutMs = 180'000;  // a model loads and an instance registers
constexpr int kGatewayTimeoutMs = 120'000;
constexpr size_t kMaxNodes = 8;
constexpr size_t kValidators = 4;
// Slower than a machine of their own could be: nodes compute on the same one.
constexpr chain::comet::Pace kPaceBesideNodes{1000, 200, 500, 100, 300};
constexpr uint16_t kDefaultPort = 8642;
constexpr const char* kFirstPrompt = "Which city is the capital of France?";

struct Options {
  std::string folder, engine = "local", mode = "atls", model_file, log_level = "info",
                      padding = "default";
  std::optional<std::string> once;
  size_t nodes = 3;
  uint64_t job_blocks = GatewayWish().job_blocks;
  std::optional<size_t> validators;
  std::optional<uint16_t> port;
  bool json = false, first_answer_only = false;
};

// Keeps a second network out of the folder.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder)
      : fd_(open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    held_ = fd_ >= 0 && flock(fd_, LOCK_EX | LOCK_NB) == 0;
  }
  ~FolderLock() {
    if (fd_ >= 0) close(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool held() const { return held_; }

 private:
  int fd_;
  bool held_ = false;
};

struct TemporaryFolder {
  std::filesystem::path path;
  ~TemporaryFolder() {
    std::error_code ec;
    if (!path.empty()) std::filesystem::remove_all(path, ec);
  }
};

template <typename T>
using Expected = std::expected<T, std::string>;

class Network {
 public:
  Network(Options options, const Interrupt& interrupt)
      : options_(std::move(options)), interrupt_(interrupt) {}
  ~Network() { stop(); }

  Expected<void> start();
  Expected<AskedAnswer> ask(const std::string& prompt);
  Expected<void> serve();  // until Ctrl-C, or until what is left cannot answer
  void stop();
  int64_t start_up_ms() const { return start_up_ms_; }
  std::string page() const { return fmt::format("http://127.0.0.1:{}/#{}", gateway_port_, token_); }
  uint16_t port() const { return gateway_port_; }
  // With the page's key in its fragment; empty in a program without pages.
  Expected<std::string> chain_page() const;

 private:
  Expected<void> choose_folder();
  Expected<void> describe_model();
  Expected<void> launch(const std::string& daemon, const std::string& command);
  Expected<void> launch_with(const std::string& daemon, std::vector<std::string> words);
  Expected<uint16_t> wait_port(const std::string& daemon, int timeout_ms);
  Expected<void> start_sequencer();
  Expected<void> start_validators();
  Expected<void> wait_blocks();
  Expected<void> start_blobs();
  Expected<void> start_page();
  Expected<void> start_nodes();
  Expected<void> start_gateway();
  Expected<void> bury_the_dead();
  std::string why_ended(const std::string& daemon) const;
  bool quick() const { return options_.once.has_value(); }
  void tell(const std::string& line) const { fmt::print(stderr, "== {}\n", line); }

  const Options options_;
  const Interrupt& interrupt_;
  SystemClock clock_;
  SystemRandom random_;
  TemporaryFolder temporary_;
  std::optional<FolderLock> lock_;
  DevelopmentNetwork files_;
  std::vector<std::pair<std::string, process::Child>> children_;
  std::vector<uint16_t> ledger_ports_;
  size_t serving_nodes_ = 0, serving_validators_ = 0;
  uint16_t gateway_port_ = 0, blob_port_ = 0, page_port_ = 0;
  std::string token_;
  int64_t start_up_ms_ = 0;
};

Expected<void> Network::choose_folder() {
  std::error_code ec;
  if (options_.folder.empty() && quick()) {
    auto pattern = (std::filesystem::temp_directory_path() / "cloister-up-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      return std::unexpected("no temporary folder can be made");
    temporary_.path = pattern;
    files_.folder = pattern;
  } else {
    std::filesystem::path base = options_.folder.empty() ? running_file().parent_path() / "up"
                                                         : std::filesystem::path(options_.folder);
    // Another build measures differently, so it cannot continue this one's network.
    const std::string engine =
        files_.validators == 0 ? "" : fmt::format("-comet-{}", files_.validators);
    files_.folder = std::filesystem::absolute(base) /
                    ("build-" + to_hex(Bytes(files_.image).first(6)) + engine);
    std::filesystem::create_directories(files_.folder, ec);
    if (ec) return std::unexpected(fmt::format("{}: {}", files_.folder.string(), ec.message()));
  }
  lock_.emplace(files_.folder);
  if (!lock_->held()) {
    return std::unexpected(fmt::format(
        "a network already runs in {}; stop it, or give another --dir", files_.folder.string()));
  }
  return {};
}

Expected<void> Network::describe_model() {
  files_.model_file = options_.model_file.empty() ? inference::default_model_path()
                                                  : std::filesystem::absolute(options_.model_file);
  auto file = options_.model_file.empty()
                  ? inference::load_model_file(files_.model_file, inference::default_model())
                  : inference::read_model_file(files_.model_file);
  if (!file) {
    return std::unexpected(fmt::format("{}\n       `scripts/fetch_model` brings the default model",
                                       file.error().message()));
  }
  files_.model = file->info();
  files_.model_bytes = file->bytes().size();
  return {};
}

Expected<void> Network::launch(const std::string& daemon, const std::string& command) {
  return launch_with(daemon, {command, "--config", files_.config(daemon).string()});
}

Expected<void> Network::launch_with(const std::string& daemon, std::vector<std::string> words) {
  process::ChildOptions child;
  std::error_code ec;
  child.argv = {std::filesystem::read_symlink("/proc/self/exe", ec).string()};
  child.argv.insert(child.argv.end(), words.begin(), words.end());
  child.stderr_file = child.stdout_file = files_.log(daemon).string();  // ours is for the answer
  auto started = process::Child::start(child);
  if (!started)
    return std::unexpected(fmt::format("{}: {}", daemon, process::describe(started.error())));
  children_.emplace_back(daemon, std::move(*started));
  return {};
}

// The last line that a daemon wrote says why it ended.
std::string Network::why_ended(const std::string& daemon) const {
  auto log = read_file(files_.log(daemon), 64 << 20);
  std::string text = log ? std::string(as_text(*log)) : "";
  while (text.ends_with('\n')) text.pop_back();
  size_t line = text.rfind('\n');
  return fmt::format("{}\n       its log is {}",
                     text.substr(line == std::string::npos ? 0 : line + 1),
                     files_.log(daemon).string());
}

Expected<uint16_t> Network::wait_port(const std::string& daemon, int timeout_ms) {
  for (auto& [name, child] : children_) {
    if (name != daemon) continue;
    auto line = child.wait_ready(timeout_ms, interrupt_.fd());
    if (!line) {
      bool ended = line.error() == process::ChildError::ended_early;
      return std::unexpected(fmt::format("{}: {}{}", daemon, process::describe(line.error()),
                                         ended ? "\n       " + why_ended(daemon) : ""));
    }
    return static_cast<uint16_t>(std::strtoul(line->c_str(), nullptr, 10));
  }
  return std::unexpected(daemon + " was not started");
}

Expected<void> Network::start() {
  auto began_ms = clock_.now_ms();
  auto image = measure_own_image();
  if (!image) return std::unexpected(image.error());
  files_.image = *image;
  files_.nodes = options_.nodes;
  if (options_.engine == "comet") files_.validators = options_.validators.value_or(kValidators);
  if (auto good = choose_folder(); !good) return good;
  if (auto good = describe_model(); !good) return good;
  tell(fmt::format("model {} ({}), root {}…", model_name(files_), files_.model.quantization,
                   to_hex(Bytes(files_.model.model_root).first(8))));
  if (auto good = make_network_files(files_, random_, clock_); !good) return good;
  if (auto good = files_.validators == 0 ? start_sequencer() : start_validators(); !good)
    return good;
  if (auto good = start_blobs(); !good) return good;
  if (auto good = start_nodes(); !good) return good;
  if (auto good = start_gateway(); !good) return good;
  const bool with_page = !quick() && !webui::chain_assets().empty();
  if (auto good = with_page ? start_page() : Expected<void>(); !good) return good;
  start_up_ms_ = clock_.now_ms() - began_ms;
  return {};
}

Expected<void> Network::start_sequencer() {
  if (auto good = write_ledger_config(files_); !good) return good;
  if (auto good = launch("ledger", "ledger"); !good) return good;
  auto port = wait_port("ledger", kLedgerTimeoutMs);
  if (!port) return std::unexpected(port.error());
  ledger_ports_ = {*port};
  tell(fmt::format("ledger on 127.0.0.1:{}", *port));
  return {};
}

Expected<void> Network::start_validators() {
  const auto genesis = read_genesis(files_.genesis());
  if (!genesis) return std::unexpected(genesis.error());
  const auto ports = free_ports(files_.validators);
  if (auto good = configure_validators(files_.folder, *genesis, ports, kPaceBesideNodes,
                                       {"http://127.0.0.1:*"}, random_);
      !good) {
    return good;
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    if (auto good = launch(validator_name(i), "validator"); !good) return good;
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    auto port = wait_port(validator_name(i), kLedgerTimeoutMs);
    if (!port) return std::unexpected(port.error());
    ledger_ports_.push_back(*port);
    ++serving_validators_;
  }
  if (auto good = wait_blocks(); !good) return good;
  tell(fmt::format("ledger of {} validators under CometBFT, the first on 127.0.0.1:{}",
                   ports.size(), ledger_ports_[0]));
  return {};
}

// Clients need a second header to prove anything.
Expected<void> Network::wait_blocks() {
  const auto deadline_ms = clock_.now_ms() + kLedgerTimeoutMs;
  for (;;) {
    const auto status = chain::comet::engine_status({"127.0.0.1", ledger_ports_[0]});
    if (status && status->height >= 2) return {};
    if (clock_.now_ms() > deadline_ms) {
      return std::unexpected("the validators make no blocks; their logs are in " +
                             files_.folder.string());
    }
    if (interrupt_.raised(100)) return std::unexpected("interrupted");
  }
}

// For inputs and answers of jobs that are too large for the ledger.
Expected<void> Network::start_blobs() {
  const auto folder = (files_.folder / "blobs").string();
  if (auto good = launch_with("blobs", {"blob", "serve", "--dir", folder}); !good) return good;
  auto port = wait_port("blobs", kLedgerTimeoutMs);
  if (!port) return std::unexpected(port.error());
  blob_port_ = *port;
  return {};
}

// A page without a gateway: its own key, the ledger and the blob server are all it has.
Expected<void> Network::start_page() {
  if (auto good = write_page_network(files_, ledger_ports_, blob_port_); !good) return good;
  const auto network = files_.page_network().string();
  if (auto good = launch_with("page", {"page", "--network", network}); !good) return good;
  auto port = wait_port("page", kLedgerTimeoutMs);
  if (!port) return std::unexpected(port.error());
  page_port_ = *port;
  return {};
}

Expected<void> Network::start_nodes() {
  for (size_t i = 0; i < options_.nodes; ++i) {
    if (auto good = write_node_config(files_, i, ledger_ports_, blob_port_, options_.log_level);
        !good)
      return good;
    if (auto good = launch(node_name(i), "node"); !good) return good;
  }
  for (size_t i = 0; i < options_.nodes; ++i) {
    auto port = wait_port(node_name(i), kNodeTimeoutMs);
    if (!port) return std::unexpected(port.error());
    tell(fmt::format("{} verified by the ledger: {}, 127.0.0.1:{}", node_name(i), node_platform(i),
                     *port));
    ++serving_nodes_;
  }
  return {};
}

Expected<void> Network::start_gateway() {
  uint16_t wanted = options_.port.value_or(quick() ? 0 : kDefaultPort);
  const GatewayWish wish{options_.log_level, options_.padding, options_.job_blocks};
  if (auto good = write_gateway_config(files_, ledger_ports_, blob_port_, wanted, wish); !good) {
    return good;
  }
  if (auto good = launch("gateway", "gateway"); !good) return good;
  auto port = wait_port("gateway", kGatewayTimeoutMs);
  if (!port)
    return std::unexpected(port.error() + (wanted ? "\n       another port: --port N" : ""));
  gateway_port_ = *port;
  auto token = read_file(files_.token(), 128);
  if (!token) return std::unexpected("the gateway's token cannot be read");
  token_ = as_text(*token);
  while (token_.ends_with('\n')) token_.pop_back();
  tell("gateway: a session is attested, judged and confirmed on the ledger");
  if (!quick()) {
    return write_running({gateway_port_, ledger_ports_[0], blob_port_},
                         {files_.token(), files_.genesis(), files_.folder / "user.key"});
  }
  return {};
}

Expected<std::string> Network::chain_page() const {
  if (page_port_ == 0) return "none in this program";
  const auto key = read_file(files_.folder / "web.key", 128);
  if (!key) return std::unexpected("the key of the page cannot be read");
  std::string hex(as_text(*key));
  while (hex.ends_with('\n')) hex.pop_back();
  return fmt::format("http://127.0.0.1:{}/#key={}", page_port_, hex);
}

Expected<AskedAnswer> Network::ask(const std::string& prompt) {
  return ask_gateway({gateway_port_, token_}, {model_name(files_), options_.mode, {}},
                     UserText(prompt));
}

Expected<void> Network::serve() {
  while (!interrupt_.raised(500)) {
    if (auto good = bury_the_dead(); !good) return good;
  }
  return {};
}

// A network lives on with fewer nodes and with two thirds of its validators, but not without its
// ledger, its gateway or any node.
Expected<void> Network::bury_the_dead() {
  for (size_t i = children_.size(); i-- > 0;) {
    const std::string name = children_[i].first;
    auto code = children_[i].second.exit_code();
    if (!code) continue;
    auto ended = fmt::format("{} ended with {}: {}", name, *code, why_ended(name));
    const bool node = name.starts_with("node-"), validator = name.starts_with("validator-");
    if (!node && !validator) return std::unexpected(ended);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    tell(ended);
    if (node && --serving_nodes_ == 0) return std::unexpected("no node is left");
    if (validator && 3 * --serving_validators_ <= 2 * files_.validators) {
      return std::unexpected("too few validators are left to make blocks");
    }
  }
  return {};
}

void Network::stop() {
  while (!children_.empty()) {  // the gateway first, the ledger last
    children_.back().second.stop();
    children_.pop_back();
  }
}

int print_once(const Options& options, const AskedAnswer& answer, int64_t start_up_ms) {
  if (!options.json) {
    print_answer(answer);
    return kExitOk;
  }
  auto out = answer_json(answer);
  out.set("timings",
          JsonValue::object({{"start_up_ms", start_up_ms}, {"answer_ms", answer.elapsed_ms}}));
  fmt::print("{}\n", out.dump());
  return kExitOk;
}

int run(const Options& options) {
  if (options.engine == "local" && options.validators.value_or(1) != 1) {
    return unusable("up",
                    "one sequencer orders the blocks of --engine local; --engine comet has "
                    "as many validators as --validators says");
  }
  if (options.mode == "relay") return unusable("up", kNoRelay);
  if (!has_model_engine()) return fail(kNoModelEngine);
  if (options.engine == "comet" && !chain::comet::find_program()) {
    return fail(std::string(chain::comet::kMissing));
  }
  Interrupt interrupt;
  Network network(options, interrupt);
  auto started = network.start();
  if (!started) return fail(started.error());
  auto answer = network.ask(options.once.value_or(kFirstPrompt));
  if (!answer) return fail(answer.error());
  if (options.once || options.json) return print_once(options, *answer, network.start_up_ms());
  fmt::print("\n> {}\n\n", kFirstPrompt);
  print_answer(*answer);
  if (options.first_answer_only) return kExitOk;
  auto chain_page = network.chain_page();
  if (!chain_page) return fail(chain_page.error());
  fmt::print(
      "\nPage: {}\nPage without a gateway, through the ledger: {}\nAPI:  http://127.0.0.1:{}/v1 "
      "(the token above is the API key)\n"
      "development: no hardware protection. Ctrl-C stops everything.\n",
      network.page(), *chain_page, network.port());
  std::fflush(stdout);
  auto served = network.serve();
  if (!served) return fail(served.error());
  fmt::print("\nstopping\n");
  return kExitOk;
}

}  // namespace

Command add_up(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("up", "run a whole network on this machine, for development");
  app->add_option("--dir", options->folder, "where it keeps its files");
  app->add_option("--nodes", options->nodes, "how many nodes")
      ->check(CLI::Range(size_t{1}, kMaxNodes));
  app->add_option(
      "--port", options->port,
      "of the gateway; 0 for any free one; left out: 8642, or any free one with --once");
  app->add_option("--engine", options->engine, "local or comet")
      ->check(CLI::IsMember({"local", "comet"}));
  app->add_option("--validators", options->validators, "how many validators, with --engine comet")
      ->check(CLI::Range(size_t{1}, kMaxTestValidators));
  app->add_option("--once", options->once, "answer this prompt, stop everything and exit");
  app->add_option("--mode", options->mode, "atls, relay or chain")
      ->check(CLI::IsMember({"atls", "relay", "chain"}));
  app->add_option("--model-file", options->model_file,
                  "a GGUF model; the default one when left out");
  app->add_option("--log-level", options->log_level, "of the daemons")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app->add_option("--padding", options->padding,
                  "of answers: off, default (frames of one size) or strict (a constant rate)")
      ->check(CLI::IsMember({"off", "default", "strict"}));
  app->add_option("--job-blocks", options->job_blocks,
                  "how many blocks a node has for the answer to a job on the ledger")
      ->capture_default_str()
      ->check(CLI::Range(5, 10'000));
  app->add_flag("--json", options->json, "with --once: print one JSON object");
  app->add_flag("--first-answer-only", options->first_answer_only, "stop after the first answer");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
