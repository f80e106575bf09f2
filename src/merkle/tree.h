// The sparse Merkle tree itself, in memory. Nodes are immutable and shared: a copy of a Tree is a
// snapshot that costs one pointer and may be read from another thread while the original moves on.
#pragma once

#include <functional>

#include "merkle/sparse.h"

namespace cloister::merkle {

// A value and its key, kept beside the leaf so that a snapshot can be read as well as proved.
struct Entry {
  Buffer key;
  Buffer value;
};
using EntryPtr = std::shared_ptr<const Entry>;

class Tree {
 public:
  // Sets (value_hash present) or removes (absent) the leaf at `path`.
  struct Change {
    Hash32 path{};
    std::optional<Hash32> value_hash;
    EntryPtr entry{};  // may be null: then only proofs are answered for this leaf
  };
  static Change set(EntryPtr entry);
  static Change unset(Bytes key);

  Hash32 root() const;
  void put(Bytes key, Bytes value);
  void erase(Bytes key);  // a key that is absent stays absent

  // All changes at once: each node on the way is hashed once. The last change of a path counts.
  void update(std::vector<Change> changes);

  Proof prove(Bytes key) const;
  EntryPtr find(Bytes key) const;  // null when absent or kept without its entry

  // Every entry that was kept, in the order of paths.
  void for_each(const std::function<void(const Entry&)>& visit) const;

 private:
  struct Node;
  using Link = std::shared_ptr<const Node>;  // null is the empty subtree
  struct Builder;
  Link root_;
};

}  // namespace cloister::merkle
