// The part that every SQLite file of a chain has: whose it is, and the state, entry by entry.
// Private to this folder and to chain/abci.
//
// A file gets its name only when it is complete, and one that cannot be read as what this program
// wrote is refused with the reason; it is never repaired and never taken for a new chain.
#pragma once

#include <functional>

#include "chain/application.h"
#include "chain/sqlite.h"

namespace cloister::chain {

// What kind of file it is; `schema` makes the tables that it has besides.
struct FileKind {
  int64_t application_id = 0;
  int64_t format = 0;
  const char* schema = nullptr;
};

using WriteMore = std::function<Status(Database&)>;

// Fails when there is a file already.
Status create_state_file(const std::string& path, const FileKind& kind,
                         const StoreIdentity& identity, const std::vector<StateRow>& state,
                         const WriteMore& more);

// Makes it first, as above, when it does not exist. Checks SQLite's own structure, the kind, the
// chain and the genesis.
Result<Database> open_state_file(const std::string& path, const FileKind& kind,
                                 const StoreIdentity& identity, const std::vector<StateRow>& state,
                                 const WriteMore& more);

class StateTable {
 public:
  Status prepare(Database& db);
  Status write(const std::vector<StateChange>& changes);
  // Ascending by family and key, until `visit` refuses.
  Status each(const std::function<Status(const StateRow&)>& visit);
  Result<std::vector<StateRow>> rows();

 private:
  Statement put_, erase_, read_;
};

}  // namespace cloister::chain
