#include "merkle/sparse.h"

#include <algorithm>

namespace cloister::merkle {
namespace {

Hash32 hash_pair(uint8_t prefix, const Hash32& a, const Hash32& b) {
  Fixed<65> input;
  input[0] = prefix;
  std::memcpy(input.data() + 1, a.data(), 32);
  std::memcpy(input.data() + 33, b.data(), 32);
  return crypto::sha256(input);
}

bool well_formed(const Proof& proof) {
  return levels_hold(proof.has_sibling, proof.siblings.size()) &&
         std::find(proof.siblings.begin(), proof.siblings.end(), kEmptyRoot) ==
             proof.siblings.end();
}

std::expected<void, ProofError> compare(const Hash32& root, Bytes key, const Proof& proof) {
  auto found = proof_root(key, proof);
  if (!found) return std::unexpected(found.error());
  if (*found != root) return std::unexpected(ProofError::wrong_root);
  return {};
}

}  // namespace

std::string_view describe(ProofError error) {
  switch (error) {
    case ProofError::malformed:
      return "the proof contradicts itself";
    case ProofError::wrong_root:
      return "the proof leads to another root";
    case ProofError::wrong_leaf:
      return "the proof ends off the path of the key";
    case ProofError::wrong_value:
      return "the proof shows another value";
    case ProofError::not_absent:
      return "the proof shows that the key is present";
    case ProofError::not_present:
      return "the proof shows that the key is absent";
  }
  return "unknown";
}

Hash32 path_of(Bytes key) {
  return crypto::sha256(key);
}
Hash32 sparse_leaf_hash(const Leaf& leaf) {
  return hash_pair(0, leaf.path, leaf.value_hash);
}
Hash32 sparse_inner_hash(const Hash32& left, const Hash32& right) {
  return hash_pair(1, left, right);
}

Buffer Proof::encode() const {
  ByteWriter w;
  write_levels(w, has_sibling);
  for (const Hash32& sibling : siblings) w.bytes(sibling);
  w.u8(terminal ? 1 : 0);
  if (terminal) w.bytes(terminal->path).bytes(terminal->value_hash);
  return w.take();
}

std::optional<Proof> Proof::decode(Bytes bytes) {
  ByteReader r(bytes);
  auto levels = read_levels(r);
  if (!levels) return std::nullopt;
  Proof proof;
  proof.has_sibling = std::move(*levels);
  for (size_t i = siblings_of(proof.has_sibling); i > 0; --i) {
    const auto sibling = r.fixed<32>();
    if (!sibling) return std::nullopt;
    proof.siblings.push_back(*sibling);
  }
  auto terminal = r.u8();
  if (!terminal || *terminal > 1) return std::nullopt;
  if (*terminal == 1) {
    auto path = r.fixed<32>(), value_hash = r.fixed<32>();
    if (!path || !value_hash) return std::nullopt;
    proof.terminal = Leaf{*path, *value_hash};
  }
  if (!r.done() || !well_formed(proof)) return std::nullopt;
  return proof;
}

std::expected<Hash32, ProofError> proof_root(Bytes key, const Proof& proof) {
  if (!well_formed(proof)) return std::unexpected(ProofError::malformed);
  const Hash32 path = path_of(key);
  const size_t depth = proof.has_sibling.size();
  if (proof.terminal && !shares_prefix(path, proof.terminal->path, depth)) {
    return std::unexpected(ProofError::wrong_leaf);
  }
  Hash32 hash = proof.terminal ? sparse_leaf_hash(*proof.terminal) : kEmptyRoot;
  size_t next = 0;
  for (size_t level = depth; level-- > 0;) {
    const Hash32& sibling = proof.has_sibling[level] ? proof.siblings[next++] : kEmptyRoot;
    hash =
        path_bit(path, level) ? sparse_inner_hash(sibling, hash) : sparse_inner_hash(hash, sibling);
  }
  return hash;
}

std::expected<void, ProofError> check_present(Bytes key, Bytes value, const Proof& proof) {
  if (!proof.terminal) return std::unexpected(ProofError::not_present);
  if (proof.terminal->path != path_of(key)) return std::unexpected(ProofError::not_present);
  if (proof.terminal->value_hash != crypto::sha256(value)) {
    return std::unexpected(ProofError::wrong_value);
  }
  return {};
}

std::expected<void, ProofError> check_absent(Bytes key, const Proof& proof) {
  if (proof.terminal && proof.terminal->path == path_of(key)) {
    return std::unexpected(ProofError::not_absent);
  }
  return {};
}

std::expected<void, ProofError> verify_inclusion(const Hash32& root, Bytes key, Bytes value,
                                                 const Proof& proof) {
  if (auto rooted = compare(root, key, proof); !rooted) return rooted;
  return check_present(key, value, proof);
}

std::expected<void, ProofError> verify_absence(const Hash32& root, Bytes key, const Proof& proof) {
  if (auto rooted = compare(root, key, proof); !rooted) return rooted;
  return check_absent(key, proof);
}

}  // namespace cloister::merkle
