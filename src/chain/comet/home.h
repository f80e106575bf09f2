// The folder of one validator:
//
//   config/{config.toml, genesis.json, node_key.json, priv_validator_key.json}, data/   CometBFT's
//   ledger/state.db, ledger/snapshots/    the application's
//   beacon.key                            its share of the beacon, where it has one
//   app.sock                              between the two, while they run
#pragma once

#include <filesystem>

#include "chain/comet/documents.h"

namespace cloister::chain::comet {

struct HomeKeys {
  crypto::Ed25519Key consensus, node;
};

// The error is a sentence for the operator. Keys that are there stay; so does everything of
// CometBFT's own.
std::expected<HomeKeys, std::string> make_keys(const std::filesystem::path& home, Random& random);
// All but config.toml. Refuses a folder that has blocks and no record of the last vote: a validator
// that forgot what it signed could sign something else.
std::expected<HomeKeys, std::string> make_home(const std::filesystem::path& home,
                                               const ledger::Genesis& genesis, Random& random);
std::expected<void, std::string> write_config(const std::filesystem::path& home,
                                              const EngineConfig& config);

std::filesystem::path consensus_key_file(const std::filesystem::path& home);
std::filesystem::path config_file(const std::filesystem::path& home);
std::expected<crypto::Ed25519Key, std::string> read_consensus_key(
    const std::filesystem::path& home);

}  // namespace cloister::chain::comet
