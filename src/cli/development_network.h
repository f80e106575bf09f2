// The files of a network for one machine: keys, simulated vendors, genesis and one configuration
// for each daemon. Everything it makes says `development`; nothing of it protects anybody.
#pragma once

#include <expected>
#include <filesystem>

#include "base/seams.h"
#include "inference/model_file.h"
#include "ledger/types/genesis.h"

namespace cloister::cli {

struct DevelopmentNetwork {
  std::filesystem::path folder;
  size_t nodes = 3;
  size_t validators = 0;  // under CometBFT; 0: one embedded sequencer
  inference::ModelInfo model;
  uint64_t model_bytes = 0;
  std::filesystem::path model_file;
  Fixed<48> image{};  // SHA-384 of this program: what the simulated hardware measures

  std::filesystem::path genesis() const { return folder / "genesis.json"; }
  std::filesystem::path config(const std::string& daemon) const {
    return folder / (daemon + ".toml");
  }
  std::filesystem::path log(const std::string& daemon) const { return folder / (daemon + ".log"); }
  std::filesystem::path page_network() const { return folder / "network.json"; }
  std::filesystem::path token() const { return folder / "gateway" / "token"; }
  std::filesystem::path ready_marker() const { return folder / "complete"; }
};

// SHA-384 of the file this process runs from.
std::expected<Fixed<48>, std::string> measure_own_image();

// Makes what is missing; what is there stays. The error is a sentence for the user.
std::expected<void, std::string> make_network_files(const DevelopmentNetwork& network,
                                                    Random& random, const Clock& clock);

// What the page that needs no gateway is told: the genesis as text, the ledger's endpoints, the
// blob server.
std::expected<void, std::string> write_page_network(const DevelopmentNetwork& network,
                                                    const std::vector<uint16_t>& ledger_ports,
                                                    uint16_t blob_port);

// Configurations that depend on ports known only once the ledger serves.
std::expected<void, std::string> write_ledger_config(const DevelopmentNetwork& network);
std::expected<void, std::string> write_node_config(const DevelopmentNetwork& network, size_t index,
                                                   const std::vector<uint16_t>& ledger_ports,
                                                   uint16_t blob_port,
                                                   const std::string& log_level);
struct GatewayWish {
  std::string log_level, padding;
  uint64_t job_blocks = 60;  // that a node has for the answer to a job
};
std::expected<void, std::string> write_gateway_config(const DevelopmentNetwork& network,
                                                      const std::vector<uint16_t>& ledger_ports,
                                                      uint16_t blob_port, uint16_t listen_port,
                                                      const GatewayWish& wish);
std::string model_name(const DevelopmentNetwork& network);  // as users ask for it
std::string node_name(size_t index);                        // "node-1"
std::string node_platform(size_t index);                    // "simulated TDX"

}  // namespace cloister::cli
