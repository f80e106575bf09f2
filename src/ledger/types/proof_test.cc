#include "ledger/types/proof.h"

#include <gtest/gtest.h>

#include "merkle/tree.h"

namespace cloister::ledger {
namespace {

using merkle::ProofError;

struct Fixture {
  merkle::Tree tree;
  SubRoots roots{};
  Hash32 app{};
  StoreProof proof;
};

Fixture make() {
  Fixture f;
  for (const char* key : {"a", "b", "c", "d"}) f.tree.put(as_bytes(key), as_bytes("value"));
  f.roots[static_cast<size_t>(Family::instances)] = f.tree.root();
  f.app = app_hash(f.roots);
  f.proof = make_store_proof(f.roots, Family::instances, f.tree.prove(as_bytes("b")));
  return f;
}

TEST(StoreProof, ShowsValueAndAbsence) {
  const Fixture f = make();
  EXPECT_TRUE(verify_read(f.app, Family::instances, as_bytes("b"), as_bytes("value"), f.proof));
  const auto absent = make_store_proof(f.roots, Family::instances, f.tree.prove(as_bytes("x")));
  EXPECT_TRUE(verify_read(f.app, Family::instances, as_bytes("x"), std::nullopt, absent));
  const auto empty = make_store_proof(f.roots, Family::jobs, {});
  EXPECT_TRUE(verify_read(f.app, Family::jobs, as_bytes("x"), std::nullopt, empty));
  const auto again = StoreProof::from_ops(Family::instances, f.proof.smt_op(),
                                          f.proof.simple_op(Family::instances));
  ASSERT_TRUE(again);
  EXPECT_TRUE(verify_read(f.app, Family::instances, as_bytes("b"), as_bytes("value"), *again));
  EXPECT_FALSE(
      StoreProof::from_ops(Family::jobs, f.proof.smt_op(), f.proof.simple_op(Family::instances)));
}

TEST(StoreProof, EachSingleFaultIsRefused) {
  const Fixture f = make();
  const Bytes key = as_bytes("b"), value = as_bytes("value");
  auto error = [&](Family family, const StoreProof& proof, std::optional<Bytes> shown) {
    return verify_read(f.app, family, key, shown, proof).error();
  };
  EXPECT_EQ(error(Family::instances, f.proof, as_bytes("other")), ProofError::wrong_value);
  EXPECT_EQ(error(Family::instances, f.proof, std::nullopt), ProofError::not_absent);
  EXPECT_EQ(error(Family::sessions, f.proof, value), ProofError::malformed);
  // The proof of an empty family does not show that another is empty.
  const auto empty = make_store_proof(f.roots, Family::jobs, {});
  EXPECT_EQ(error(Family::instances, empty, std::nullopt), ProofError::malformed);
  StoreProof bad = f.proof;
  bad.of_family.total += 1;
  EXPECT_EQ(error(Family::instances, bad, value), ProofError::malformed);
  bad = f.proof;
  bad.of_family.leaf_hash[0] ^= 1;
  EXPECT_EQ(error(Family::instances, bad, value), ProofError::wrong_root);
  bad = f.proof;
  bad.of_family.aunts[0][0] ^= 1;
  EXPECT_EQ(error(Family::instances, bad, value), ProofError::wrong_root);
  bad = f.proof;
  bad.of_family.aunts.pop_back();
  EXPECT_EQ(error(Family::instances, bad, value), ProofError::malformed);
}

}  // namespace
}  // namespace cloister::ledger
