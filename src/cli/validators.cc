#include "cli/validators.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "cli/key_file.h"
#include "ledger/types/beacon.h"

namespace cloister::cli {
namespace {

namespace fs = std::filesystem;
namespace comet = chain::comet;
using Outcome = std::expected<void, std::string>;

constexpr uint64_t kPower = 10;

Outcome put(const fs::path& path, const std::string& text) {
  if (write_file(path, as_bytes(text), FileMode::secret)) return {};
  return std::unexpected(fmt::format("{} cannot be written", path.string()));
}

std::expected<ledger::Validator, std::string> make_one(const fs::path& folder, size_t index,
                                                       Random& random) {
  auto keys = comet::make_keys(folder / validator_name(index), random);
  if (!keys) return std::unexpected(keys.error());
  const fs::path backer = folder / fmt::format("operator-{}.key", index + 1);
  const auto operator_key = make_key_file(backer, random);
  if (!operator_key) return std::unexpected(fmt::format("{} cannot be made", backer.string()));
  ledger::Validator out;
  out.public_key = keys->consensus.public_key();
  out.power = kPower;
  out.operator_account = operator_key->public_key();
  return out;
}

std::string config_text(size_t index, const ValidatorPorts& ports) {
  return fmt::format(
      "# made by cloister\n"
      "genesis = \"genesis.json\"\nhome = \"{0}\"\nbeacon_key = \"{0}/beacon.key\"\n"
      "rpc = \"127.0.0.1:{1}\"\nsnapshot_interval = 1000\n"
      "engine_threads = 1\nengine_memory_mib = 200\n",
      validator_name(index), ports.rpc);
}

// Bound and let go: another process could take it before it is used, and then its user says so.
uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  return bound ? ntohs(address.sin_port) : uint16_t{0};
}

}  // namespace

std::string validator_name(size_t index) {
  return fmt::format("validator-{}", index + 1);
}

Outcome make_validators(const fs::path& folder, size_t count, ledger::Genesis& genesis,
                        Random& random) {
  std::vector<ledger::Validator> made;
  for (size_t i = 0; i < count; ++i) {
    auto validator = make_one(folder, i, random);
    if (!validator) return std::unexpected(validator.error());
    made.push_back(*validator);
  }
  genesis.validators = made;
  std::ranges::sort(genesis.validators, {}, &ledger::Validator::public_key);
  const ledger::Dealt dealt = ledger::deal_beacon(count, random);
  genesis.beacon = dealt.keys;
  for (size_t i = 0; i < count; ++i) {
    const auto place =
        std::ranges::find(genesis.validators, made[i].public_key, &ledger::Validator::public_key);
    const auto& secret = dealt.secrets[static_cast<size_t>(place - genesis.validators.begin())];
    std::string text = to_hex(secret.scalar.reveal()) + "\n";
    const Outcome written = put(folder / validator_name(i) / "beacon.key", text);
    wipe(text.data(), text.size());
    if (!written) return written;
  }
  return {};
}

Outcome configure_validators(const fs::path& folder, const ledger::Genesis& genesis,
                             const std::vector<ValidatorPorts>& ports, const comet::Pace& pace,
                             const std::vector<std::string>& web_origins, Random& random) {
  std::vector<std::string> peers;
  for (size_t i = 0; i < ports.size(); ++i) {
    auto keys = comet::make_home(folder / validator_name(i), genesis, random);
    if (!keys) return std::unexpected(keys.error());
    peers.push_back(
        fmt::format("{}@127.0.0.1:{}", comet::node_id(keys->node.public_key()), ports[i].p2p));
  }
  for (size_t i = 0; i < ports.size(); ++i) {
    comet::EngineConfig config;
    config.moniker = validator_name(i);
    config.rpc = fmt::format("127.0.0.1:{}", ports[i].rpc);
    config.p2p = fmt::format("127.0.0.1:{}", ports[i].p2p);
    config.peers = peers;
    config.peers.erase(config.peers.begin() + static_cast<std::ptrdiff_t>(i));
    config.one_machine = true;
    config.pace = pace;
    config.web_origins = web_origins;
    Outcome written = comet::write_config(folder / validator_name(i), config);
    if (written) written = put(validator_config(folder, i), config_text(i, ports[i]));
    if (!written) return written;
  }
  return {};
}

std::vector<ValidatorPorts> free_ports(size_t validators) {
  std::vector<ValidatorPorts> out;
  for (size_t i = 0; i < validators; ++i) out.push_back({free_port(), free_port()});
  return out;
}

}  // namespace cloister::cli
