// `cloister genesis new|check`: what a network starts from.
#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "ledger/types/beacon.h"
#include "ledger/types/session.h"

namespace cloister::cli {
namespace {

using namespace ledger;

struct Options {
  std::string file, chain_id, shares, params, policy, models;
  std::vector<std::string> validators, accounts, release_keys;
  uint32_t threshold = 0;
  bool json = false;
};

int refuse(std::string_view message) {
  return unusable("genesis", message);
}

std::expected<std::vector<Hash32>, std::string> keys_from(const std::vector<std::string>& texts) {
  std::vector<Hash32> out;
  for (const std::string& text : texts) {
    const auto key = fixed_from_hex<32>(text);
    if (!key) return std::unexpected(text + " is no key: 64 hex digits");
    out.push_back(*key);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::expected<GenesisAccount, std::string> account_from(const std::string& text) {
  const size_t equals = text.find('=');
  const auto key = fixed_from_hex<32>(text.substr(0, equals));
  const std::string amount = equals == std::string::npos ? "" : text.substr(equals + 1);
  const bool number = !amount.empty() && amount.size() < 20 &&
                      amount.find_first_not_of("0123456789") == std::string::npos;
  if (!key || !number) return std::unexpected(text + " is not ACCOUNT=MICRO");
  GenesisAccount out;
  out.account = *key;
  out.balance_micro = std::stoull(amount);
  return out;
}

std::expected<Validator, std::string> validator_from(const std::string& text) {
  const size_t equals = text.find('=');
  const auto key = fixed_from_hex<32>(text.substr(0, equals));
  const auto backer =
      equals == std::string::npos ? std::nullopt : fixed_from_hex<32>(text.substr(equals + 1));
  if (!key || !backer) return std::unexpected(text + " is not CONSENSUS_KEY=OPERATOR");
  Validator out;
  out.public_key = *key;
  out.power = 10;
  out.operator_account = *backer;
  return out;
}

// A part that was given as JSON replaces the default.
template <typename T>
std::expected<void, std::string> take_json(const std::string& argument, const char* what, T& into) {
  if (argument.empty()) return {};
  const auto text = text_argument(argument);
  const auto json = parse_json(text.value_or(""));
  const auto value = json ? T::from_json(*json) : std::nullopt;
  if (!value)
    return std::unexpected(fmt::format("{} are not of the form that they have in a genesis", what));
  into = *value;
  return {};
}

std::expected<void, std::string> take_models(const std::string& argument,
                                             std::vector<Model>& into) {
  if (argument.empty()) return {};
  const auto text = text_argument(argument);
  const auto json = parse_json(text.value_or(""));
  if (!json || !json->array()) return std::unexpected("the models are not a JSON list");
  for (const JsonValue& each : *json->array()) {
    const auto model = Model::from_json(each);
    if (!model) return std::unexpected("a model is not of the form that it has in a genesis");
    into.push_back(*model);
  }
  std::sort(into.begin(), into.end(),
            [](const Model& a, const Model& b) { return a.root < b.root; });
  return {};
}

std::expected<Genesis, std::string> genesis_from(const Options& options, const Clock& clock) {
  Genesis out;
  out.chain_id = options.chain_id;
  out.time_ms = static_cast<uint64_t>(clock.now_ms());
  const auto keys = keys_from(options.release_keys);
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& text : options.validators) {
    const auto validator = validator_from(text);
    if (!validator) return std::unexpected(validator.error());
    out.validators.push_back(*validator);
  }
  std::sort(out.validators.begin(), out.validators.end(),
            [](const auto& a, const auto& b) { return a.public_key < b.public_key; });
  out.release_keys = *keys;
  out.release_threshold = options.threshold;
  for (const std::string& text : options.accounts) {
    const auto account = account_from(text);
    if (!account) return std::unexpected(account.error());
    out.accounts.push_back(*account);
  }
  std::sort(out.accounts.begin(), out.accounts.end(),
            [](const auto& a, const auto& b) { return a.account < b.account; });
  if (auto good = take_json(options.params, "the parameters", out.params); !good) {
    return std::unexpected(good.error());
  }
  if (auto good = take_json(options.policy, "the rules", out.policy); !good) {
    return std::unexpected(good.error());
  }
  if (auto good = take_models(options.models, out.models); !good) {
    return std::unexpected(good.error());
  }
  return out;
}

std::filesystem::path share_path(const Options& options, const Genesis& genesis,
                                 const BeaconSecret& secret) {
  const Bytes key = genesis.validators[secret.index - 1u].public_key;
  return std::filesystem::path(options.shares) / (to_hex(key.first(6)) + ".beacon.key");
}

// One share a validator, in the order of their keys. Nothing is written unless all can be.
std::expected<void, std::string> write_shares(const Options& options, const Genesis& genesis,
                                              const std::vector<BeaconSecret>& secrets) {
  for (const BeaconSecret& secret : secrets) {
    const auto path = share_path(options, genesis, secret);
    if (std::filesystem::exists(path)) return std::unexpected(path.string() + " exists already");
  }
  std::error_code ec;
  std::filesystem::create_directories(options.shares, ec);
  for (const BeaconSecret& secret : secrets) {
    const auto path = share_path(options, genesis, secret);
    const std::string text = to_hex(secret.scalar.reveal()) + "\n";
    if (!write_file(path, as_bytes(text), FileMode::secret)) {
      return std::unexpected(path.string() + " cannot be written");
    }
  }
  return {};
}

int make(const Options& options) {
  if (std::filesystem::exists(options.file)) return fail(options.file + " exists already");
  SystemClock clock;
  auto genesis = genesis_from(options, clock);
  if (!genesis) return refuse(genesis.error());
  if (genesis->validators.empty() || genesis->validators.size() > kMaxValidators) {
    return refuse(fmt::format("a network has 1 to {} validators", kMaxValidators));
  }
  SystemRandom random;
  const Dealt dealt = deal_beacon(genesis->validators.size(), random);
  genesis->beacon = dealt.keys;
  if (auto good = ledger::check(*genesis); !good) {
    return refuse(std::string(ledger::describe(good.error())));
  }
  if (auto good = write_shares(options, *genesis, dealt.secrets); !good) return fail(good.error());
  const std::string text = genesis->to_json().dump_pretty() + "\n";
  if (!write_file(options.file, as_bytes(text), FileMode::shared))
    return fail(options.file + " cannot be written");
  fmt::print("{}\n", to_hex(genesis->hash()));
  fmt::print(stderr,
             "The beacon's shares are in {}: give each validator its own, then delete them.\n"
             "Whoever dealt them could predict every draw; the genesis says that there was a "
             "dealer.\n",
             options.shares);
  return kExitOk;
}

int check(const Options& options) {
  const auto genesis = read_genesis(options.file);
  if (!genesis) return fail(genesis.error());
  const JsonValue out =
      JsonValue::object({{"hash", to_hex(genesis->hash())},
                         {"chain_id", genesis->chain_id},
                         {"embedded", genesis->embedded},
                         {"development", genesis->development},
                         {"validators", static_cast<uint64_t>(genesis->validators.size())},
                         {"beacon", std::string(name(genesis->beacon.setup))},
                         {"release_keys", static_cast<uint64_t>(genesis->release_keys.size())},
                         {"release_threshold", genesis->release_threshold},
                         {"releases", static_cast<uint64_t>(genesis->policy.releases.size())},
                         {"models", static_cast<uint64_t>(genesis->models.size())}});
  fmt::print("{}\n", options.json ? out.dump() : out.dump_pretty());
  return kExitOk;
}

}  // namespace

Command add_genesis(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("genesis", "what a network starts from");
  app->require_subcommand(1);
  auto* made = app->add_subcommand("new", "write a genesis and deal the beacon's shares");
  made->add_option("file", options->file, "where to write it")->required();
  made->add_option("--chain-id", options->chain_id, "the network's name")->required();
  made->add_option("--validator", options->validators, "CONSENSUS_KEY=OPERATOR; repeat")
      ->required();
  made->add_option("--beacon-shares", options->shares, "a folder for the validators' shares")
      ->required();
  made->add_option("--account", options->accounts, "ACCOUNT=MICRO; repeat");
  made->add_option("--release-key", options->release_keys, "who decides on releases; repeat");
  made->add_option("--release-threshold", options->threshold, "how many of them must agree");
  made->add_option("--params", options->params, "parameters as JSON, or @FILE");
  made->add_option("--policy", options->policy, "rules as JSON, or @FILE");
  made->add_option("--models", options->models, "a list of models as JSON, or @FILE");
  auto* checked = app->add_subcommand("check", "check a genesis and print its hash");
  checked->add_option("file", options->file, "the genesis")->required();
  checked->add_flag("--json", options->json, "print one JSON object");
  return {app, [options, made] { return made->parsed() ? make(*options) : check(*options); }};
}

}  // namespace cloister::cli
