#include "chain/comet/home.h"

#include <fmt/format.h>

#include "base/files.h"

namespace cloister::chain::comet {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxKeyFileBytes = 4096;

std::expected<void, std::string> put(const fs::path& path, const std::string& text) {
  if (write_file(path, as_bytes(text), FileMode::secret)) return {};
  return std::unexpected(fmt::format("{} cannot be written", path.string()));
}

std::expected<crypto::Ed25519Key, std::string> key_from(const fs::path& path, Buffer json) {
  auto key = consensus_key_from(as_text(json));
  wipe(json.data(), json.size());
  if (key) return std::move(*key);
  return std::unexpected(fmt::format("{} is not an Ed25519 key of CometBFT", path.string()));
}

std::expected<crypto::Ed25519Key, std::string> read_key(const fs::path& path) {
  auto json = read_file(path, kMaxKeyFileBytes);
  if (!json) return std::unexpected(fmt::format("{} cannot be read", path.string()));
  return key_from(path, std::move(*json));
}

// Made only where nothing is: a key that cannot be read is not lost for another.
// Both of CometBFT's key files have the key in the same member.
std::expected<crypto::Ed25519Key, std::string> key_at(
    const fs::path& path, Random& random, std::string (*form)(const crypto::Ed25519Key&)) {
  std::error_code unknown;
  if (fs::exists(path, unknown) || unknown) return read_key(path);
  auto key = crypto::Ed25519Key::generate(random);
  std::string text = form(key);
  const auto written = put(path, text);
  wipe(text.data(), text.size());
  if (!written) return std::unexpected(written.error());
  return key;
}

}  // namespace

std::expected<HomeKeys, std::string> make_keys(const fs::path& home, Random& random) {
  std::error_code failed;
  for (const char* folder : {"config", "data", "ledger"}) {
    fs::create_directories(home / folder, failed);
    if (failed) return std::unexpected(fmt::format("{}: {}", home.string(), failed.message()));
  }
  fs::permissions(home, fs::perms::owner_all, failed);
  auto consensus = key_at(consensus_key_file(home), random, &consensus_key_json);
  if (!consensus) return std::unexpected(consensus.error());
  auto node = key_at(home / "config" / "node_key.json", random, &node_key_json);
  if (!node) return std::unexpected(node.error());
  return HomeKeys{std::move(*consensus), std::move(*node)};
}

std::expected<HomeKeys, std::string> make_home(const fs::path& home, const ledger::Genesis& genesis,
                                               Random& random) {
  auto keys = make_keys(home, random);
  if (!keys) return keys;
  std::error_code failed;
  const fs::path state = home / "data" / "priv_validator_state.json";
  if (!fs::exists(state, failed)) {
    if (fs::exists(home / "data" / "blockstore.db", failed)) {
      return std::unexpected(
          fmt::format("{} has blocks, and {} is missing: what was signed is not known",
                      home.string(), state.string()));
    }
    if (auto written = put(state, fresh_state_json()); !written) {
      return std::unexpected(written.error());
    }
  }
  const fs::path document = home / "config" / "genesis.json";
  if (auto written = put(document, genesis_document(genesis)); !written) {
    return std::unexpected(written.error());
  }
  return keys;
}

std::expected<void, std::string> write_config(const fs::path& home, const EngineConfig& config) {
  return put(config_file(home), config_toml(config));
}

fs::path consensus_key_file(const fs::path& home) {
  return home / "config" / "priv_validator_key.json";
}

fs::path config_file(const fs::path& home) {
  return home / "config" / "config.toml";
}

std::expected<crypto::Ed25519Key, std::string> read_consensus_key(const fs::path& home) {
  return read_key(consensus_key_file(home));
}

}  // namespace cloister::chain::comet
