#include "light/proof.h"

namespace cloister::light {
namespace {

LightError cause_of(merkle::ProofError error) {
  switch (error) {
    case merkle::ProofError::malformed:
      return LightError::bad_proof;
    case merkle::ProofError::wrong_root:
      return LightError::wrong_root;
    case merkle::ProofError::wrong_leaf:
      return LightError::wrong_proof_key;
    case merkle::ProofError::wrong_value:
    case merkle::ProofError::not_absent:
    case merkle::ProofError::not_present:
      return LightError::wrong_proof_value;
  }
  return LightError::bad_proof;
}

}  // namespace

std::vector<ProofOp> proof_ops(ledger::Family family, Bytes key, const ledger::StoreProof& proof) {
  return {
      {std::string(kSparseOp), to_buffer(key), proof.smt_op()},
      {std::string(kSimpleOp), to_buffer(as_bytes(ledger::name(family))), proof.simple_op(family)}};
}

std::expected<void, LightError> verify_read(std::span<const ProofOp> proof, ledger::Family family,
                                            Bytes key, std::optional<Bytes> value, Bytes app_hash) {
  const auto refuse = [](LightError error) { return std::unexpected(error); };
  if (proof.size() != 2 || proof[0].type != kSparseOp || proof[1].type != kSimpleOp) {
    return refuse(LightError::bad_proof);
  }
  if (!equal(proof[0].key, key)) return refuse(LightError::wrong_proof_key);
  if (!equal(proof[1].key, as_bytes(ledger::name(family)))) {
    return refuse(LightError::wrong_proof_family);
  }
  const auto parsed = ledger::StoreProof::from_ops(family, proof[0].data, proof[1].data);
  if (!parsed) return refuse(LightError::bad_proof);
  const auto root = to_fixed<32>(app_hash);
  if (!root) return refuse(LightError::wrong_root);
  const auto held = ledger::verify_read(*root, family, key, value, *parsed);
  if (!held) return refuse(cause_of(held.error()));
  return {};
}

}  // namespace cloister::light
