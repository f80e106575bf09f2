// The sum tree in memory. Nodes are immutable and shared: a copy is a snapshot that costs one
// pointer, and stays as it was while the original moves on.
#pragma once

#include <memory>

#include "merkle/sum.h"

namespace cloister::merkle {

class SumTree {
 public:
  const SumNode& root() const;
  uint64_t total() const { return root().sum; }
  Weight find(const Hash32& id) const;  // of value 0 when absent

  // All changes at once; value 0 removes. The last change of an id counts. The sum of all weights
  // must fit 64 bits: the caller bounds weights and their number.
  void update(std::vector<Weight> changes);

  SumProof prove(const Hash32& id) const;

  // The weight that holds `point` when the weights of all `trees` lie side by side in the order of
  // their ids. `point` must be below the sum of the totals, and no id be in two of the trees. Costs
  // one step a level and tree.
  struct Hit {
    size_t tree = 0;
    Weight weight;
    uint64_t before = 0;  // sum of all weights of smaller ids, of all trees
  };
  static Hit locate(std::span<const SumTree* const> trees, uint64_t point);

 private:
  // What a subtree sums up to stands beside the link to it, so that a walk from the root looks at
  // nothing but the nodes on its way. At most one of the two is set; none: the empty subtree.
  struct Inner;
  struct Child {
    SumNode summed;
    std::shared_ptr<const Inner> inner;
    std::shared_ptr<const Weight> leaf;
    bool empty() const { return !inner && !leaf; }
  };
  struct Builder;
  static void prefetch(const Child& child);
  static const Child* child_of(const Child& parent, bool right, size_t level);
  Child root_;
};

}  // namespace cloister::merkle
