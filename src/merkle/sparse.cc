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
  const size_t depth = proof.has_sibling.size();
  const auto set = std::count(proof.has_sibling.begin(), proof.has_sibling.end(), true);
  return depth <= kMaxDepth && static_cast<size_t>(set) == proof.siblings.size() &&
         (depth == 0 || proof.has_sibling.back()) &&
         std::find(proof.siblings.begin(), proof.siblings.end(), kEmptyRoot) ==
             proof.siblings.end();
}

bool shares_prefix(const Hash32& a, const Hash32& b, size_t bits) {
  for (size_t i = 0; i < bits; ++i) {
    if (path_bit(a, i) != path_bit(b, i)) return false;
  }
  return true;
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
  const size_t depth = has_sibling.size();
  w.u16_be(static_cast<uint16_t>(depth));
  Buffer bitmap((depth + 7) / 8);
  for (size_t i = 0; i < depth; ++i) {
    if (has_sibling[i]) bitmap[i / 8] |= static_cast<uint8_t>(0x80 >> i % 8);
  }
  w.bytes(bitmap);
  for (const Hash32& sibling : siblings) w.bytes(sibling);
  w.u8(terminal ? 1 : 0);
  if (terminal) w.bytes(terminal->path).bytes(terminal->value_hash);
  return w.take();
}

std::optional<Proof> Proof::decode(Bytes bytes) {
  ByteReader r(bytes);
  Proof proof;
  auto depth = r.u16_be();
  if (!depth || *depth > kMaxDepth) return std::nullopt;
  auto bitmap = r.take((size_t{*depth} + 7) / 8);
  if (!bitmap) return std::nullopt;
  for (size_t i = 0; i < bitmap->size() * 8; ++i) {
    const bool set = (*bitmap)[i / 8] >> (7 - i % 8) & 1;
    if (i < *depth) proof.has_sibling.push_back(set);
    if (i >= *depth && set) return std::nullopt;
    if (!set || i >= *depth) continue;
    proof.siblings.emplace_back();
  }
  for (Hash32& sibling : proof.siblings) {
    auto hash = r.fixed<32>();
    if (!hash) return std::nullopt;
    sibling = *hash;
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
