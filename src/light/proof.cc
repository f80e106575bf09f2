#include "light/proof.h"

#include <algorithm>

#include "merkle/simple.h"
#include "merkle/sparse.h"

namespace cloister::light {
namespace {

std::unexpected<LightError> refuse(LightError error) {
  return std::unexpected(error);
}

// The root of the family's tree, if the terminal says of `key` what is claimed.
std::expected<Hash32, LightError> family_root(const ProofOp& op, Bytes key,
                                              std::optional<Bytes> value) {
  if (op.type != kSparseOp) return refuse(LightError::bad_proof);
  if (!equal(op.key, key)) return refuse(LightError::wrong_proof_key);
  const auto proof = merkle::Proof::decode(op.data);
  if (!proof) return refuse(LightError::bad_proof);
  const auto claim =
      value ? merkle::check_present(key, *value, *proof) : merkle::check_absent(key, *proof);
  if (!claim) return refuse(LightError::wrong_proof_value);
  const auto root = merkle::proof_root(key, *proof);
  if (!root) return refuse(LightError::bad_proof);
  return *root;
}

// The application hash, if the operator is about `family` and stands where its name belongs.
std::expected<Hash32, LightError> state_root(const ProofOp& op, Families families,
                                             std::string_view family, const Hash32& root) {
  if (op.type != kSimpleOp) return refuse(LightError::bad_proof);
  if (!equal(op.key, as_bytes(family))) return refuse(LightError::wrong_proof_family);
  const auto decoded = merkle::decode_value_op(op.data);
  if (!decoded) return refuse(LightError::bad_proof);
  const auto place = std::find(families.begin(), families.end(), family);
  if (decoded->key != family || place == families.end()) {
    return refuse(LightError::wrong_proof_family);
  }
  const merkle::SimpleProof& proof = decoded->proof;
  if (proof.total != families.size() ||
      proof.index != static_cast<uint64_t>(place - families.begin())) {
    return refuse(LightError::wrong_proof_family);
  }
  const Hash32 leaf = merkle::simple_leaf_hash(merkle::simple_value_leaf(family, root));
  if (proof.leaf_hash != leaf) return refuse(LightError::wrong_root);
  const auto out = merkle::simple_proof_root(proof);
  if (!out) return refuse(LightError::bad_proof);
  return *out;
}

}  // namespace

std::expected<void, LightError> verify_read(std::span<const ProofOp> proof, Families families,
                                            std::string_view family, Bytes key,
                                            std::optional<Bytes> value, Bytes app_hash) {
  if (proof.size() != 2) return refuse(LightError::bad_proof);
  const auto root = family_root(proof[0], key, value);
  if (!root) return refuse(root.error());
  const auto state = state_root(proof[1], families, family, *root);
  if (!state) return refuse(state.error());
  if (!equal(*state, app_hash)) return refuse(LightError::wrong_root);
  return {};
}

}  // namespace cloister::light
