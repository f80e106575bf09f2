// Merkle tree over a list (RFC 6962, section 2.1, SHA-256), as CometBFT hashes headers,
// transactions, results and the named sub-roots of the ledger.
//
//   leaf = SHA-256(00 ‖ x)   inner = SHA-256(01 ‖ left ‖ right)   empty list = SHA-256("")
//   split at the largest power of two strictly smaller than the count
#pragma once

#include "crypto/hash.h"

namespace cloister::merkle {

Hash32 simple_leaf_hash(Bytes leaf);
Hash32 simple_root(std::span<const Buffer> leaves);

// Leaf of the proof operator "simple:v": uvarint(len key) ‖ key ‖ 20 ‖ SHA-256(value). It commits
// to a name and a value of a map that is kept as a sorted list.
Buffer simple_value_leaf(std::string_view key, Bytes value);

// A leaf's way to the root. `aunts` are the siblings from the leaf upwards.
struct SimpleProof {
  uint64_t total = 0;
  uint64_t index = 0;
  Hash32 leaf_hash{};
  std::vector<Hash32> aunts;
  bool operator==(const SimpleProof&) const = default;
};
constexpr size_t kMaxSimpleAunts = 64;

// `index` must be below the number of leaves.
SimpleProof simple_prove(std::span<const Buffer> leaves, size_t index);

// Nothing when index >= total or the number of aunts is not the one that (index, total) demands.
// The caller compares the root, and `total` and `index` where it knows them.
std::optional<Hash32> simple_proof_root(const SimpleProof& proof);

// The protobuf message ValueOp {key = 1, proof = 2 {total = 1, index = 2, leaf_hash = 3, aunts =
// 4}} that CometBFT carries in ProofOp.data of a "simple:v" operator. The decoder accepts only
// bytes that the encoder would write.
struct ValueOp {
  std::string key;
  SimpleProof proof;
  bool operator==(const ValueOp&) const = default;
};
Buffer encode_value_op(const ValueOp& op);
std::optional<ValueOp> decode_value_op(Bytes bytes);

}  // namespace cloister::merkle
