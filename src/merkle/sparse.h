// Sparse Merkle tree over path = SHA-256(key), bits most significant first; a subtree that holds
// one leaf is that leaf. Here: its hashing, and compact proofs of inclusion and of absence.
//
//   leaf  = SHA-256(00 ‖ path ‖ SHA-256(value))
//   inner = SHA-256(01 ‖ left ‖ right)
//   empty = 32 zero bytes
#pragma once

#include "merkle/path.h"

namespace cloister::merkle {

struct Leaf {
  Hash32 path{};
  Hash32 value_hash{};
  bool operator==(const Leaf&) const = default;
};

Hash32 path_of(Bytes key);
Hash32 sparse_leaf_hash(const Leaf& leaf);
Hash32 sparse_inner_hash(const Hash32& left, const Hash32& right);

// One path from the root to where `key` is or would be.
//
//   wire: levels ‖ siblings[32 each] ‖ u8 terminal ‖ leaf (path ‖ value hash)
//
// terminal: 0 = empty, 1 = a leaf follows.
struct Proof {
  Levels has_sibling;
  std::vector<Hash32> siblings;  // bottom-up, none of them empty
  std::optional<Leaf> terminal;
  bool operator==(const Proof&) const = default;

  Buffer encode() const;
  // Refuses: depth > 256, padding bits that are set, an explicit empty sibling, an empty deepest
  // sibling at depth > 0 (a collapsed tree has none), an unknown terminal, trailing bytes.
  static std::optional<Proof> decode(Bytes bytes);
};
constexpr size_t kMaxProofBytes = 2 + 32 + 32 * kMaxDepth + 1 + 64;

// Why a proof was refused.
enum class ProofError : uint8_t {
  malformed = 1,    // counts that contradict each other
  wrong_root = 2,   // hashes to another root
  wrong_leaf = 3,   // ends at a leaf that is not the key's, or outside the key's path
  wrong_value = 4,  // ends at the key with another value
  not_absent = 5,   // claims absence but shows the key
  not_present = 6,  // claims inclusion but shows that the key is absent
};
std::string_view describe(ProofError error);

// The root that `proof` leads to for `key`; the caller compares it. Nothing when malformed or when
// the terminal leaf does not lie on the key's path.
std::expected<Hash32, ProofError> proof_root(Bytes key, const Proof& proof);

// What the terminal says about `key`, with no look at the root.
std::expected<void, ProofError> check_present(Bytes key, Bytes value, const Proof& proof);
std::expected<void, ProofError> check_absent(Bytes key, const Proof& proof);

std::expected<void, ProofError> verify_inclusion(const Hash32& root, Bytes key, Bytes value,
                                                 const Proof& proof);
std::expected<void, ProofError> verify_absence(const Hash32& root, Bytes key, const Proof& proof);

}  // namespace cloister::merkle
