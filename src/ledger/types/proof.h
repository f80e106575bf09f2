// A read of the ledger with its proof: key → root of the family → application hash.
#pragma once

#include <array>

#include "ledger/types/enums.h"
#include "merkle/simple.h"
#include "merkle/sparse.h"

namespace cloister::ledger {

using SubRoots = std::array<Hash32, kFamilyCount>;  // by Family

// RFC 6962 root over one "simple:v" leaf a family, in the order of their names (41-consensus, 4.2).
Hash32 app_hash(const SubRoots& roots);

// Both steps, as the two proof operators "smt:v1" and "simple:v" carry them.
struct StoreProof {
  merkle::Proof in_family;
  merkle::SimpleProof of_family;

  Buffer smt_op() const { return in_family.encode(); }
  Buffer simple_op(Family family) const;
  static std::optional<StoreProof> from_ops(Family family, Bytes smt_op, Bytes simple_op);
};

StoreProof make_store_proof(const SubRoots& roots, Family family, merkle::Proof in_family);

// Whether under `app_hash` the family holds `value` at `key`, or, with no value, nothing at `key`.
std::expected<void, merkle::ProofError> verify_read(const Hash32& app_hash, Family family,
                                                    Bytes key, std::optional<Bytes> value,
                                                    const StoreProof& proof);

}  // namespace cloister::ledger
