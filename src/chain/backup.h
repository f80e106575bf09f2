// An embedded ledger as a folder: a snapshot of its state, its first and its last block, and the
// validator's signature over all of it. What is restored from it goes on with the next block; the
// blocks between are gone.
//
//   manifest, first_block, last_block   as snapshot.h and block.h have them
//   0, 1, 2, …                          chunks
//   signature                           Ed25519 over "cloister backup v1" ‖ 00 ‖ SHA-256 of
//   manifest ‖
//                                       of first_block ‖ of last_block
#pragma once

#include <filesystem>

#include "chain/local_chain.h"

namespace cloister::chain {

struct BackupFacts {
  int64_t height = 0;
  size_t chunks = 0;
};

// Of the ledger in `config.path`, which nobody may have open. `folder` must not exist; it has that
// name once it is complete. `app` is as `LocalChain::open` wants it.
Result<BackupFacts> write_backup(const LocalConfig& config, std::unique_ptr<Application> app,
                                 crypto::Ed25519Key key, const std::filesystem::path& folder);

// Makes `config.path`, which must not exist, from the folder. Refuses what another validator
// signed, another chain's, and whatever does not lead to the root that the last block left.
Result<BackupFacts> restore_backup(const LocalConfig& config, std::unique_ptr<Application> app,
                                   crypto::Ed25519Key key, const std::filesystem::path& folder);

}  // namespace cloister::chain
