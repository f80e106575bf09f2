#include "merkle/simple.h"

#include <bit>

namespace cloister::merkle {
namespace {

constexpr uint8_t kLeafPrefix = 0, kInnerPrefix = 1;

Hash32 inner_hash(const Hash32& left, const Hash32& right) {
  Fixed<65> input;
  input[0] = kInnerPrefix;
  std::memcpy(input.data() + 1, left.data(), 32);
  std::memcpy(input.data() + 33, right.data(), 32);
  return crypto::sha256(input);
}

// Largest power of two strictly below `count`; count >= 2.
uint64_t split_point(uint64_t count) {
  return std::bit_floor(count - 1);
}

Hash32 root_of(std::span<const Hash32> hashes) {
  if (hashes.size() == 1) return hashes[0];
  const size_t split = split_point(hashes.size());
  return inner_hash(root_of(hashes.first(split)), root_of(hashes.subspan(split)));
}

std::vector<Hash32> leaf_hashes(std::span<const Buffer> leaves) {
  std::vector<Hash32> out;
  out.reserve(leaves.size());
  for (const Buffer& leaf : leaves) out.push_back(simple_leaf_hash(leaf));
  return out;
}

void collect_aunts(std::span<const Hash32> hashes, size_t index, std::vector<Hash32>& aunts) {
  if (hashes.size() == 1) return;
  const size_t split = split_point(hashes.size());
  if (index < split) {
    collect_aunts(hashes.first(split), index, aunts);
    aunts.push_back(root_of(hashes.subspan(split)));
  } else {
    collect_aunts(hashes.subspan(split), index - split, aunts);
    aunts.push_back(root_of(hashes.first(split)));
  }
}

}  // namespace

Hash32 simple_leaf_hash(Bytes leaf) {
  return crypto::Sha256().update(Bytes(&kLeafPrefix, 1)).update(leaf).finish();
}

Hash32 simple_root(std::span<const Buffer> leaves) {
  if (leaves.empty()) return crypto::sha256({});
  return root_of(leaf_hashes(leaves));
}

SimpleProof simple_prove(std::span<const Buffer> leaves, size_t index) {
  const std::vector<Hash32> hashes = leaf_hashes(leaves);
  SimpleProof proof{leaves.size(), index, hashes[index], {}};
  collect_aunts(hashes, index, proof.aunts);
  return proof;
}

std::optional<Hash32> simple_proof_root(const SimpleProof& proof) {
  if (proof.index >= proof.total) return std::nullopt;
  // Which side the node stands on at each level, from the root down.
  std::vector<bool> node_is_left;
  uint64_t index = proof.index, total = proof.total;
  while (total > 1) {
    const uint64_t split = split_point(total);
    node_is_left.push_back(index < split);
    if (index < split) {
      total = split;
    } else {
      index -= split;
      total -= split;
    }
  }
  if (node_is_left.size() != proof.aunts.size()) return std::nullopt;
  Hash32 hash = proof.leaf_hash;
  for (size_t i = 0; i < proof.aunts.size(); ++i) {
    const bool left = node_is_left[node_is_left.size() - 1 - i];
    hash = left ? inner_hash(hash, proof.aunts[i]) : inner_hash(proof.aunts[i], hash);
  }
  return hash;
}

}  // namespace cloister::merkle
