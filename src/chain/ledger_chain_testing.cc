#include "chain/ledger_chain_testing.h"

#include "chain/ledger_application.h"
#include "ledger/state/network_testing.h"

namespace cloister::chain {

Result<LocalChain> open_ledger(const ledger::Genesis& genesis, const std::string& path,
                               int64_t keep_blocks) {
  ledger::SampleNetwork sample = ledger::sample_network(1);
  LocalConfig config;
  config.path = path;
  config.chain_id = genesis.chain_id;
  config.genesis_hash = genesis.hash();
  config.genesis_time_ms = static_cast<UnixMillis>(genesis.time_ms);
  config.validator = sample.keys[0].public_key();
  config.power = 10;
  config.keep_blocks = keep_blocks;
  auto app = LedgerApplication::create(genesis, std::make_shared<ledger::ScriptedVerifier>(),
                                       std::move(sample.secrets[0]));
  if (!app) return std::unexpected(app.error());
  return LocalChain::open(config, std::move(*app),
                          crypto::Ed25519Key::from_seed(sample.keys[0].seed()));
}

}  // namespace cloister::chain
