// Sparse Merkle tree of weights, ordered by id: its root commits to every weight and to their sum,
// so a proof shows where on the line [0, total) an id lies. It is what makes a weighted draw
// logarithmic and still provable.
//
//   leaf  = SHA-256(02 ‖ id ‖ u64be weight ‖ u64be tag)
//   inner = SHA-256(03 ‖ left ‖ u64be sum of left ‖ right ‖ u64be sum of right)
//   empty = 32 zero bytes with sum 0
//
// The path of an id is its own bits, most significant first; a subtree that holds one leaf is that
// leaf. Ids must be outputs of a hash: who grinds a shared prefix gains only depth.
#pragma once

#include "merkle/sparse.h"

namespace cloister::merkle {

struct SumNode {
  Hash32 hash{};
  uint64_t sum = 0;
  bool operator==(const SumNode&) const = default;
};

struct Weight {
  Hash32 id{};
  uint64_t value = 0;  // above zero
  uint64_t tag = 0;    // what else the leaf commits to
  bool operator==(const Weight&) const = default;
};

SumNode sum_leaf(const Weight& weight);
// Nothing when the sums do not fit.
std::optional<SumNode> sum_inner(const SumNode& left, const SumNode& right);

// One path from the root to where an id is or would be.
//
//   wire: u16be depth d ‖ bitmap[ceil(d/8)] ‖ siblings[hash ‖ u64be sum each] ‖ u8 terminal ‖ leaf
//   (id ‖ u64be weight ‖ u64be tag)
//
// Bitmap, order and terminal as in merkle::Proof.
struct SumProof {
  std::vector<bool> has_sibling;  // one for each level; its size is the depth
  std::vector<SumNode> siblings;  // bottom-up, none of them empty
  std::optional<Weight> terminal;
  bool operator==(const SumProof&) const = default;

  Buffer encode() const;
  static std::optional<SumProof> decode(Bytes bytes);  // refuses what merkle::Proof refuses
};
constexpr size_t kMaxSumProofBytes = 2 + 32 + 40 * kMaxDepth + 1 + 48;

// Where an id lies: [before, before + weight). An id that is absent has weight 0.
struct SumPlace {
  uint64_t before = 0;
  uint64_t weight = 0;
  uint64_t tag = 0;
  bool operator==(const SumPlace&) const = default;
};

// The place that `proof` shows for `id` in the tree of `root`; or malformed, wrong_leaf,
// wrong_root.
std::expected<SumPlace, ProofError> verify_place(const SumNode& root, const Hash32& id,
                                                 const SumProof& proof);

}  // namespace cloister::merkle
