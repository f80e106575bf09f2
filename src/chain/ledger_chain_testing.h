// The ledger itself under the embedded driver.
#pragma once

#include "chain/local_chain.h"
#include "ledger/types/genesis.h"

namespace cloister::chain {

// Of a genesis of ledger::TestNetwork: with a scripted verifier, and the beacon's only secret.
Result<LocalChain> open_ledger(const ledger::Genesis& genesis, const std::string& path,
                               int64_t keep_blocks = 0);

}  // namespace cloister::chain
