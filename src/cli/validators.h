// The validators of a network on one machine: keys, the beacon's shares, and for each a folder and
// a configuration of `cloister validator`. For `testnet` and `up --engine comet`.
#pragma once

#include <expected>
#include <filesystem>

#include "chain/comet/home.h"

namespace cloister::cli {

constexpr size_t kMaxTestValidators = 16;

struct ValidatorPorts {
  uint16_t rpc = 0, p2p = 0;
};

std::string validator_name(size_t index);  // "validator-1"
inline std::filesystem::path validator_config(const std::filesystem::path& folder, size_t index) {
  return folder / (validator_name(index) + ".toml");
}

// Makes the keys of `count` validators and of their operators, which are not there yet, deals the
// beacon, and writes who they are into the genesis. The error is a sentence for the user.
std::expected<void, std::string> make_validators(const std::filesystem::path& folder, size_t count,
                                                 ledger::Genesis& genesis, Random& random);

// Everything that follows from the finished genesis and from the ports of this run.
std::expected<void, std::string> configure_validators(const std::filesystem::path& folder,
                                                      const ledger::Genesis& genesis,
                                                      const std::vector<ValidatorPorts>& ports,
                                                      const chain::comet::Pace& pace,
                                                      const std::vector<std::string>& web_origins,
                                                      Random& random);

// Ports that nobody listens on now.
std::vector<ValidatorPorts> free_ports(size_t validators);

}  // namespace cloister::cli
