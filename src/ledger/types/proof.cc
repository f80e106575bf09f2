#include "ledger/types/proof.h"

namespace cloister::ledger {
namespace {

std::vector<Buffer> leaves_of(const SubRoots& roots) {
  std::vector<Buffer> leaves;
  leaves.reserve(kFamilyCount);
  for (size_t i = 0; i < kFamilyCount; ++i) {
    leaves.push_back(merkle::simple_value_leaf(name(static_cast<Family>(i)), roots[i]));
  }
  return leaves;
}

}  // namespace

Hash32 app_hash(const SubRoots& roots) {
  return merkle::simple_root(leaves_of(roots));
}

Buffer StoreProof::simple_op(Family family) const {
  return merkle::encode_value_op({std::string(name(family)), of_family});
}

std::optional<StoreProof> StoreProof::from_ops(Family family, Bytes smt_op, Bytes simple_op) {
  auto inner = merkle::Proof::decode(smt_op);
  auto outer = merkle::decode_value_op(simple_op);
  if (!inner || !outer || outer->key != name(family)) return std::nullopt;
  return StoreProof{std::move(*inner), std::move(outer->proof)};
}

StoreProof make_store_proof(const SubRoots& roots, Family family, merkle::Proof in_family) {
  return {std::move(in_family),
          merkle::simple_prove(leaves_of(roots), static_cast<size_t>(family))};
}

std::expected<void, merkle::ProofError> verify_read(const Hash32& app_hash, Family family,
                                                    Bytes key, std::optional<Bytes> value,
                                                    const StoreProof& proof) {
  using merkle::ProofError;
  const auto sub_root = merkle::proof_root(key, proof.in_family);
  if (!sub_root) return std::unexpected(sub_root.error());
  const merkle::SimpleProof& outer = proof.of_family;
  if (outer.total != kFamilyCount || outer.index != static_cast<uint64_t>(family)) {
    return std::unexpected(ProofError::malformed);
  }
  const Buffer leaf = merkle::simple_value_leaf(name(family), *sub_root);
  if (outer.leaf_hash != merkle::simple_leaf_hash(leaf)) {
    return std::unexpected(ProofError::wrong_root);
  }
  const auto root = merkle::simple_proof_root(outer);
  if (!root) return std::unexpected(ProofError::malformed);
  if (*root != app_hash) return std::unexpected(ProofError::wrong_root);
  return value ? merkle::check_present(key, *value, proof.in_family)
               : merkle::check_absent(key, proof.in_family);
}

}  // namespace cloister::ledger
