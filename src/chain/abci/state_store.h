// The state that was committed last, in one SQLite file, one transaction a block. Blocks are the
// consensus engine's own.
//
// A commit is durable when `commit` returns (WAL, synchronous=FULL) and atomic whatever happens
// before: state, height and root are always those of one block.
#pragma once

#include <memory>

#include "chain/application.h"

namespace cloister::chain::abci {

struct Committed {
  int64_t height = 0;
  Hash32 app_hash{};
};

class StateStore {
 public:
  // Opens the file, or makes it with the genesis state, whose root is `genesis_root`.
  static Result<StateStore> open(const std::string& path, const StoreIdentity& identity,
                                 const std::vector<StateRow>& genesis, const Hash32& genesis_root);
  ~StateStore();
  StateStore(StateStore&&) noexcept;
  StateStore& operator=(StateStore&&) noexcept;

  const Committed& committed() const;
  Result<std::vector<StateRow>> rows() const;
  Status commit(const Committed& block, const std::vector<StateChange>& changes);
  // Replaces everything by a state that was fetched, in one transaction.
  Status replace(const Committed& block, const std::vector<StateRow>& rows);

  // Makes every later write fail as on a full disk.
  Status limit_pages_for_testing(int64_t pages);

 private:
  struct Impl;
  explicit StateStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::chain::abci
