// Blocks and state in one SQLite file, one transaction a block.
//
// A commit is durable when `append` returns (WAL, synchronous=FULL) and atomic whatever happens
// before: after a kill or a power cut the file holds the state of the last block that was appended,
// whole. What the blocks and the state mean is checked by the caller.
#pragma once

#include <functional>

#include "chain/block.h"

namespace cloister::chain {

constexpr int64_t kMaxPrunedAtOnce = 100;

class BlockStore {
 public:
  // Opens the file, or makes it with the genesis state when it does not exist. The new file gets
  // its name only when it is complete.
  static Result<BlockStore> open(const std::string& path, const StoreIdentity& identity,
                                 const std::vector<StateRow>& genesis);
  // Makes the file, which must not exist, with the state after `last` and no other blocks than
  // these two, which may be one.
  static Status create(const std::string& path, const StoreIdentity& identity,
                       const std::vector<StateRow>& state, const Block& first, const Block& last);
  ~BlockStore();
  BlockStore(BlockStore&&) noexcept;
  BlockStore& operator=(BlockStore&&) noexcept;

  // Blocks below `keep_from` go, but for the first, which a client begins at: at most
  // kMaxPrunedAtOnce of them with each block.
  Status append(const Block& block, const std::vector<StateChange>& changes, int64_t keep_from = 1);

  Result<int64_t> height() const;  // 0 before the first block
  int64_t earliest() const;        // from here on no block is missing; 1 unless some were pruned
  Result<Block> block(int64_t height) const;
  // Where a transaction succeeded, or else where it stood last; nothing when it is in no block.
  struct TxPlace {
    int64_t height = 0;
    size_t index = 0;
  };
  Result<std::optional<TxPlace>> find_tx(const Hash32& id) const;
  Result<std::vector<StateRow>> state_rows() const;
  // Ascending by family and key, until `visit` refuses.
  Status each_state_row(const std::function<Status(const StateRow&)>& visit) const;

  // Makes every later write fail as on a full disk.
  Status limit_pages_for_testing(int64_t pages);

 private:
  struct Impl;
  explicit BlockStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::chain
