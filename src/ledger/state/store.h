// The authenticated store: families of ordered key-values, each under its own sparse Merkle tree.
//
// Writes take effect at once for readers of the same Store. `seal` ends a block: it brings the
// trees and the application hash up to date. Between two seals, `mark` and `rollback` undo the
// writes of one transaction. A Snapshot is the sealed state: cheap to take, immutable, readable
// from other threads.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "ledger/types/proof.h"
#include "merkle/tree.h"

namespace cloister::ledger {

// One key-value of the state, or its removal. What is persisted in one atomic step a block.
struct StoreChange {
  Family family{};
  Buffer key;
  std::optional<Buffer> value;
};

class Snapshot {
 public:
  const Hash32& app_hash() const { return app_hash_; }
  const SubRoots& roots() const { return roots_; }
  std::optional<Buffer> get(Family family, Bytes key) const;
  StoreProof prove(Family family, Bytes key) const;
  // Every key-value of the family, in the order of hashed keys.
  void for_each(Family family, const std::function<void(Bytes key, Bytes value)>& visit) const;

 private:
  friend class Store;
  std::array<merkle::Tree, kFamilyCount> trees_;
  SubRoots roots_{};
  Hash32 app_hash_{};
};

class Store {
 public:
  Store();
  // From all key-values of a sealed state, in any order.
  static Store load(std::span<const StoreChange> values);

  // The view lives until the next write to this key.
  std::optional<Bytes> get(Family family, Bytes key) const;
  void put(Family family, Buffer key, Buffer value);
  void erase(Family family, Bytes key);

  // Key-values whose key starts with `prefix`, ascending, until `visit` returns false. `visit` must
  // not write.
  void for_each(Family family, Bytes prefix,
                const std::function<bool(Bytes key, Bytes value)>& visit) const;

  void mark();  // what `rollback` returns to
  void rollback();

  // What differs from the last seal: before and after. What was written and written back does not.
  struct Difference {
    Family family;
    Bytes key;
    std::optional<Bytes> before, after;
  };
  void for_each_difference(const std::function<void(const Difference&)>& visit) const;

  void seal();
  const Snapshot& sealed() const { return sealed_; }
  // Changes of all seals since the last call, in the order of families and keys.
  std::vector<StoreChange> take_changes();

 private:
  using EntryPtr = merkle::EntryPtr;
  // A value, which knows its key. The key's first eight bytes stand beside the pointer, so that
  // most comparisons need no other memory.
  struct Item {
    uint64_t head;
    mutable EntryPtr entry;  // another one only with the same key
  };
  struct Sought {
    uint64_t head;
    Bytes key;
  };
  struct ItemLess {
    using is_transparent = void;
    bool operator()(const Item& a, const Item& b) const;
    bool operator()(const Item& a, const Sought& b) const;
    bool operator()(const Sought& a, const Item& b) const;
  };
  using Values = std::set<Item, ItemLess>;
  struct BytesLess {
    using is_transparent = void;
    bool operator()(Bytes a, Bytes b) const { return less(a, b); }
  };
  template <typename T>
  using Ordered = std::map<Buffer, T, BytesLess>;
  struct Written {
    EntryPtr before, after;  // as sealed, as it is now; null when absent
  };
  struct Undo {
    Family family;
    EntryPtr before, after;  // one of them may be null
  };

  static uint64_t head_of(Bytes key);
  static Sought sought(Bytes key) { return {head_of(key), key}; }
  void load_family(size_t family, std::span<const StoreChange* const> rows);
  EntryPtr find(Family family, Bytes key) const;
  void note(Family family, EntryPtr before, EntryPtr after);

  std::array<Values, kFamilyCount> values_;
  std::array<Ordered<Written>, kFamilyCount> written_;   // since the last seal
  std::array<Ordered<EntryPtr>, kFamilyCount> unsaved_;  // sealed but not yet taken
  std::vector<Undo> undo_;
  Snapshot sealed_;
};

}  // namespace cloister::ledger
