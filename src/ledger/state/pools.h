// The weights that sessions are drawn by: one sum tree a pool, and what it was at the heights that
// requests wait for. All of it follows from the store: weights as they are now, and for each height
// that is held, the weights that have changed since.
#pragma once

#include <map>

#include "ledger/state/store.h"
#include "ledger/types/draw.h"
#include "ledger/types/params.h"
#include "merkle/sum_tree.h"

namespace cloister::ledger {

class Pools {
 public:
  struct Member {
    PoolKey key;
    merkle::SumTree tree;
  };
  using Members =
      std::vector<Member>;  // of one model, ascending by key, none empty; at most kMaxPoolsPerModel

  Pools() = default;
  static Pools load(const Store& store);

  // Weights of instances that changed since the last seal, and of those whose operator is worth
  // less; or of all. Once at the end of a block.
  void refresh(Store& store, const Params& params, bool all);

  // What the model's pools are now, for a request of `height`: it holds the height until it is
  // released.
  const Members& hold(uint64_t height, const ModelRoot& model);
  // As they were at the end of `height`, which must be held.
  const Members& held(uint64_t height, const ModelRoot& model) const;
  void release(Store& store, uint64_t height);

 private:
  struct Held {
    uint64_t requests = 0;
    std::map<ModelRoot, Members> models;
  };
  Members of_model(const ModelRoot& model) const;
  void set(Store& store, const PoolKey& key, const merkle::Weight& weight);

  std::map<PoolKey, merkle::SumTree> now_;
  std::map<uint64_t, Held> held_;
};

// Free capacity × reputation in tens; 0: not drawn.
uint64_t draw_weight(const Instance& instance, const Operator& op, const Params& params);

}  // namespace cloister::ledger
