// The files that CometBFT reads, as text: keys, the genesis document, the configuration.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/signature.h"
#include "ledger/types/genesis.h"

namespace cloister::chain::comet {

// config/priv_validator_key.json: the consensus key, which signs votes.
std::string consensus_key_json(const crypto::Ed25519Key& key);
std::optional<crypto::Ed25519Key> consensus_key_from(std::string_view json);
// data/priv_validator_state.json before the first vote. Never written over a later one: it is what
// keeps a validator from signing twice.
std::string fresh_state_json();

// config/node_key.json: who this node is to its peers.
std::string node_key_json(const crypto::Ed25519Key& key);
std::string node_id(const crypto::Ed25519Public& key);  // 40 hex digits

// config/genesis.json. Everything in it follows from the ledger's genesis, whose hash it names.
std::string genesis_document(const ledger::Genesis& genesis);

// How fast blocks are made.
struct Pace {
  int propose_ms = 3000;
  int propose_more_ms = 500;  // each further round
  int vote_ms = 1000;         // prevote and precommit
  int vote_more_ms = 500;
  int commit_ms = 1000;  // from a block to the next: the ledger's state changes with every block
};
constexpr Pace kPaceOfOneMachine{500, 100, 200, 50, 100};

struct StateSync {
  std::vector<std::string> rpc_servers;  // host:port; at least two
  int64_t trust_height = 0;
  std::string trust_hash;  // of the header at that height, hex
};

struct EngineConfig {
  std::string moniker;
  std::string application = "app.sock";  // socket, relative to where the program runs
  std::string rpc = "127.0.0.1:26657";   // host:port to listen on
  std::string p2p = "0.0.0.0:26656";
  std::vector<std::string> peers;        // id@host:port
  std::vector<std::string> web_origins;  // of pages that may ask; one `*` stands for anything
  bool one_machine = false;              // several nodes at one address
  Pace pace;
  int double_sign_check_blocks = 0;  // look back this far for own votes before voting
  std::optional<StateSync> state_sync;
  std::string log_level = "error";
};
std::string config_toml(const EngineConfig& config);

}  // namespace cloister::chain::comet
