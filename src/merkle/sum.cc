#include "merkle/sum.h"

#include <algorithm>

namespace cloister::merkle {
namespace {

constexpr uint8_t kLeafPrefix = 2, kInnerPrefix = 3;

bool is_empty(const SumNode& node) {
  return node.hash == kEmptyRoot || node.sum == 0;
}

bool well_formed(const SumProof& proof) {
  return levels_hold(proof.has_sibling, proof.siblings.size()) &&
         std::none_of(proof.siblings.begin(), proof.siblings.end(), is_empty) &&
         (!proof.terminal || proof.terminal->value > 0);
}

}  // namespace

SumNode sum_leaf(const Weight& weight) {
  ByteWriter w;
  w.u8(kLeafPrefix).bytes(weight.id).u64_be(weight.value).u64_be(weight.tag);
  return {crypto::sha256(w.view()), weight.value};
}

std::optional<SumNode> sum_inner(const SumNode& left, const SumNode& right) {
  if (right.sum > UINT64_MAX - left.sum) return std::nullopt;
  ByteWriter w;
  w.u8(kInnerPrefix).bytes(left.hash).u64_be(left.sum).bytes(right.hash).u64_be(right.sum);
  return SumNode{crypto::sha256(w.view()), left.sum + right.sum};
}

Buffer SumProof::encode() const {
  ByteWriter w;
  write_levels(w, has_sibling);
  for (const SumNode& sibling : siblings) w.bytes(sibling.hash).u64_be(sibling.sum);
  w.u8(terminal ? 1 : 0);
  if (terminal) w.bytes(terminal->id).u64_be(terminal->value).u64_be(terminal->tag);
  return w.take();
}

std::optional<SumProof> SumProof::decode(Bytes bytes) {
  ByteReader r(bytes);
  auto levels = read_levels(r);
  if (!levels) return std::nullopt;
  SumProof proof;
  proof.has_sibling = std::move(*levels);
  for (size_t i = siblings_of(proof.has_sibling); i > 0; --i) {
    const auto hash = r.fixed<32>();
    const auto sum = r.u64_be();
    if (!hash || !sum) return std::nullopt;
    proof.siblings.push_back({*hash, *sum});
  }
  const auto terminal = r.u8();
  if (!terminal || *terminal > 1) return std::nullopt;
  if (*terminal == 1) {
    const auto id = r.fixed<32>();
    const auto value = r.u64_be();
    const auto tag = r.u64_be();
    if (!id || !value || !tag) return std::nullopt;
    proof.terminal = Weight{*id, *value, *tag};
  }
  if (!r.done() || !well_formed(proof)) return std::nullopt;
  return proof;
}

std::expected<SumPlace, ProofError> verify_place(const SumNode& root, const Hash32& id,
                                                 const SumProof& proof) {
  if (!well_formed(proof)) return std::unexpected(ProofError::malformed);
  const size_t depth = proof.has_sibling.size();
  SumPlace place;
  SumNode node;
  if (proof.terminal) {
    if (!shares_prefix(id, proof.terminal->id, depth)) {
      return std::unexpected(ProofError::wrong_leaf);
    }
    node = sum_leaf(*proof.terminal);
    if (proof.terminal->id == id) place = {0, node.sum, proof.terminal->tag};
    if (proof.terminal->id < id) place.before = node.sum;
  }
  size_t next = 0;
  for (size_t level = depth; level-- > 0;) {
    const SumNode sibling = proof.has_sibling[level] ? proof.siblings[next++] : SumNode();
    const bool right = path_bit(id, level);
    if (right) place.before += sibling.sum;  // below the sum of the two, which is checked to fit
    const auto joined = right ? sum_inner(sibling, node) : sum_inner(node, sibling);
    if (!joined) return std::unexpected(ProofError::malformed);
    node = *joined;
  }
  if (node != root) return std::unexpected(ProofError::wrong_root);
  return place;
}

}  // namespace cloister::merkle
