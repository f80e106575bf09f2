#include "cli/development_network.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "cli/key_file.h"
#include "cli/validators.h"
#include "crypto/hash.h"
#include "evidence/common/evidence.h"
#include "evidence/sim/amd.h"
#include "evidence/sim/intel.h"
#include "ledger/types/beacon.h"

namespace cloister::cli {
namespace {

namespace sim = evidence::sim;
using Outcome = std::expected<void, std::string>;

constexpr size_t kMaxProgramBytes = 1 << 30;
constexpr size_t kMaxGenesisBytes = 8 << 20;
constexpr uint64_t kStartBalanceMicro = 1'000'000'000'000;
// For ever. Receipts hold the genesis, and programs that read numbers as doubles keep no larger
// one.
constexpr uint64_t kNoEndHeight = (uint64_t{1} << 53) - 1;

std::unexpected<std::string> cannot_write(const std::filesystem::path& path) {
  return std::unexpected(fmt::format("{} cannot be written", path.string()));
}

Outcome write_text(const std::filesystem::path& path, const std::string& text) {
  if (!write_file(path, as_bytes(text), FileMode::secret)) return cannot_write(path);
  return {};
}

bool simulated_snp(size_t index) {
  return index % 3 == 1;
}

// Entries of a list in a configuration file.
std::string endpoints(const std::vector<uint16_t>& ports) {
  std::string out;
  for (const uint16_t port : ports) {
    out += fmt::format("{}\"127.0.0.1:{}\"", out.empty() ? "" : ", ", port);
  }
  return out;
}

ledger::NetworkPolicy policy_for(const DevelopmentNetwork& network) {
  ledger::NetworkPolicy policy;
  policy.version = 1;
  policy.accepted_statuses = {static_cast<uint8_t>(evidence::TcbStatus::up_to_date),
                              static_cast<uint8_t>(evidence::TcbStatus::sw_hardening_needed)};
  policy.allow_development = true;
  for (auto format : {evidence::Format::tdx_quote, evidence::Format::snp_report}) {
    ledger::Release release;
    release.name = "this build of cloister";
    release.format = static_cast<uint8_t>(format);
    release.measurement = to_buffer(network.image);
    release.valid_until_height = kNoEndHeight;
    policy.releases.push_back(std::move(release));
  }
  return policy;
}

ledger::Model model_for(const DevelopmentNetwork& network) {
  ledger::Model model;
  model.root = network.model.model_root;
  model.name = model_name(network);
  model.size_bytes = network.model_bytes;
  model.licence = network.model.licence;
  model.quantization = network.model.quantization;
  model.context_length = network.model.context_tokens;
  return model;
}

std::expected<std::vector<ledger::AccountId>, std::string> make_accounts(
    const DevelopmentNetwork& network, Random& random) {
  std::vector<std::string> names{"user", "web"};  // the gateway's and the page's
  for (size_t i = 0; i < network.nodes; ++i) names.push_back(node_name(i));
  std::vector<ledger::AccountId> out;
  for (const std::string& name : names) {
    const auto path = network.folder / (name + ".key");
    const auto key = make_key_file(path, random);
    if (!key) return cannot_write(path);
    out.push_back(key->public_key());
  }
  std::ranges::sort(out);
  return out;
}

// One sequencer, which holds the one share of the beacon.
Outcome make_sequencer(const DevelopmentNetwork& network, ledger::Genesis& genesis,
                       Random& random) {
  const auto path = network.folder / "validator.key";
  const auto key = make_key_file(path, random);
  if (!key) return cannot_write(path);
  ledger::Validator validator;
  validator.public_key = key->public_key();
  validator.power = 1;
  genesis.embedded = true;
  genesis.validators = {validator};
  const auto dealt = ledger::deal_beacon(1, random);
  genesis.beacon = dealt.keys;
  return write_text(network.folder / "beacon.key", to_hex(dealt.secrets[0].scalar.reveal()) + "\n");
}

Outcome make_genesis(const DevelopmentNetwork& network, Random& random, const Clock& clock) {
  auto intel = sim::IntelSimulator::create(clock.now());
  auto amd = sim::AmdSimulator::create(sim::AmdProduct::genoa, clock.now());
  if (!intel.save(network.folder / "intel") || !amd.save(network.folder / "amd")) {
    return cannot_write(network.folder / "intel");
  }
  const auto accounts = make_accounts(network, random);
  if (!accounts) return std::unexpected(accounts.error());
  ledger::Genesis genesis;
  genesis.chain_id = "cloister-dev-" + to_hex(random.fixed<4>());
  genesis.time_ms = static_cast<uint64_t>(clock.now_ms());
  genesis.development = true;
  genesis.development_intel = {intel.root_spki()};
  genesis.development_amd = {amd.ark_spki()};
  for (const auto& account : *accounts)
    genesis.accounts.push_back({{}, account, kStartBalanceMicro});
  genesis.models = {model_for(network)};
  genesis.policy = policy_for(network);
  const Outcome made = network.validators == 0
                           ? make_sequencer(network, genesis, random)
                           : make_validators(network.folder, network.validators, genesis, random);
  if (!made) return made;
  if (auto good = ledger::check(genesis); !good) {
    return std::unexpected(std::string(ledger::describe(good.error())));
  }
  return write_text(network.genesis(), genesis.to_json().dump_pretty() + "\n");
}

}  // namespace

std::expected<Fixed<48>, std::string> measure_own_image() {
  auto program = read_file("/proc/self/exe", kMaxProgramBytes);
  if (!program)
    return std::unexpected(fmt::format("this program's own file: {}", describe(program.error())));
  return crypto::sha384(*program);
}

std::expected<void, std::string> make_network_files(const DevelopmentNetwork& network,
                                                    Random& random, const Clock& clock) {
  std::error_code ec;
  std::filesystem::create_directories(network.folder / "gateway", ec);
  if (ec)
    return std::unexpected(
        fmt::format("{} cannot be made: {}", network.folder.string(), ec.message()));
  std::filesystem::permissions(network.folder, std::filesystem::perms::owner_all, ec);
  if (std::filesystem::exists(network.ready_marker())) return {};
  if (auto made = make_genesis(network, random, clock); !made) return made;
  return write_text(network.ready_marker(), "");  // last: a half-made network is made again
}

// What users ask for: the file's name without its ending and quantisation.
std::string model_name(const DevelopmentNetwork& network) {
  std::string stem = network.model_file.stem().string();
  std::string suffix = "." + network.model.quantization;
  if (!network.model.quantization.empty() && stem.ends_with(suffix)) {
    stem.resize(stem.size() - suffix.size());
  }
  return stem;
}

std::string node_name(size_t index) {
  return fmt::format("node-{}", index + 1);
}
std::string node_platform(size_t index) {
  return simulated_snp(index) ? "simulated SEV-SNP" : "simulated TDX";
}

std::expected<void, std::string> write_page_network(const DevelopmentNetwork& network,
                                                    const std::vector<uint16_t>& ledger_ports,
                                                    uint16_t blob_port) {
  const auto genesis = read_file(network.genesis(), kMaxGenesisBytes);
  if (!genesis) return std::unexpected(network.genesis().string() + " cannot be read");
  JsonValue::Array endpoints;
  for (const uint16_t port : ledger_ports) {
    endpoints.push_back(fmt::format("http://127.0.0.1:{}", port));
  }
  const auto value = JsonValue::object({{"genesis", as_text(*genesis)},
                                        {"endpoints", std::move(endpoints)},
                                        {"blobs", fmt::format("http://127.0.0.1:{}", blob_port)}});
  return write_text(network.page_network(), value.dump() + "\n");
}

std::expected<void, std::string> write_ledger_config(const DevelopmentNetwork& network) {
  return write_text(network.config("ledger"),
                    "# made by `cloister up`\n"
                    "genesis = \"genesis.json\"\n"
                    "data = \".\"\n"
                    "validator_key = \"validator.key\"\n"
                    "beacon_key = \"beacon.key\"\n"
                    "listen = \"127.0.0.1\"\n"
                    "port = 0\n");
}

std::expected<void, std::string> write_node_config(const DevelopmentNetwork& network, size_t index,
                                                   const std::vector<uint16_t>& ledger_ports,
                                                   uint16_t blob_port,
                                                   const std::string& log_level) {
  bool snp = simulated_snp(index);
  return write_text(
      network.config(node_name(index)),
      fmt::format("# made by `cloister up`\n"
                  "ledger = [{}]\n"
                  "genesis = \"genesis.json\"\noperator_key = \"{}.key\"\n"
                  "listen = \"127.0.0.1\"\nport = 0\nadvertised_host = \"127.0.0.1\"\n"
                  "model_file = \"{}\"\nprice_micro = {}\ncapacity = 8\nengine_threads = 1\n"
                  "blobs = \"127.0.0.1:{}\"\nlog_level = \"{}\"\n\n"
                  "[tee]\nkind = \"{}\"\nhierarchy = \"{}\"\nplatform = {}\n",
                  endpoints(ledger_ports), node_name(index), network.model_file.string(),
                  1'000'000 + 100'000 * index, blob_port, log_level,
                  snp ? "simulated-snp" : "simulated-tdx", snp ? "amd" : "intel", index));
}

std::expected<void, std::string> write_gateway_config(const DevelopmentNetwork& network,
                                                      const std::vector<uint16_t>& ledger_ports,
                                                      uint16_t blob_port, uint16_t listen_port,
                                                      const GatewayWish& wish) {
  return write_text(network.config("gateway"),
                    fmt::format("# made by `cloister up`\n"
                                "ledger = [{}]\n"
                                "genesis = \"genesis.json\"\nuser_key = \"user.key\"\n"
                                "data = \"gateway\"\nlisten = \"127.0.0.1\"\nport = {}\n"
                                "ready_sessions = 3\nblobs = \"127.0.0.1:{}\"\n"
                                "log_level = \"{}\"\npadding = \"{}\"\njob_blocks = {}\n",
                                endpoints(ledger_ports), listen_port, blob_port, wish.log_level,
                                wish.padding, wish.job_blocks));
}

}  // namespace cloister::cli
