#include "merkle/sparse.h"

#include <gtest/gtest.h>

#include "merkle/tree.h"

namespace cloister::merkle {
namespace {

const Bytes kKey = as_bytes("key"), kValue = as_bytes("value");

Tree sample() {
  Tree tree;
  for (const char* key : {"a", "b", "c", "d", "e", "f", "g", "h", "key"}) {
    tree.put(as_bytes(key), kValue);
  }
  return tree;
}

TEST(Proof, EachSingleFaultOfAnInclusionIsRefused) {
  const Tree tree = sample();
  const Proof good = tree.prove(kKey);
  ASSERT_TRUE(verify_inclusion(tree.root(), kKey, kValue, good));
  ASSERT_GE(good.siblings.size(), 2u);
  struct Case {
    const char* name;
    void (*spoil)(Proof&);
    ProofError want;
  };
  const Case cases[] = {
      {"sibling changed", [](Proof& p) { p.siblings[0][3] ^= 1; }, ProofError::wrong_root},
      {"siblings swapped", [](Proof& p) { std::swap(p.siblings[0], p.siblings[1]); },
       ProofError::wrong_root},
      {"sibling missing", [](Proof& p) { p.siblings.pop_back(); }, ProofError::malformed},
      {"sibling added", [](Proof& p) { p.siblings.push_back({1}); }, ProofError::malformed},
      {"sibling empty", [](Proof& p) { p.siblings[0] = kEmptyRoot; }, ProofError::malformed},
      {"deepest sibling empty", [](Proof& p) { p.has_sibling.push_back(false); },
       ProofError::malformed},
      {"too deep",
       [](Proof& p) {
         p.has_sibling.assign(257, true);
         p.siblings.assign(257, {1});
       },
       ProofError::malformed},
      {"value hash changed", [](Proof& p) { p.terminal->value_hash[0] ^= 1; },
       ProofError::wrong_root},
      {"leaf elsewhere", [](Proof& p) { p.terminal->path[0] ^= 0x80; }, ProofError::wrong_leaf},
      {"no leaf", [](Proof& p) { p.terminal.reset(); }, ProofError::wrong_root},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Proof proof = good;
    c.spoil(proof);
    const auto got = verify_inclusion(tree.root(), kKey, kValue, proof);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), c.want);
  }
  EXPECT_EQ(verify_inclusion(tree.root(), kKey, as_bytes("other"), good).error(),
            ProofError::wrong_value);
  EXPECT_EQ(verify_absence(tree.root(), kKey, good).error(), ProofError::not_absent);
}

TEST(Proof, AbsenceIsNotInclusion) {
  const Tree tree = sample();
  for (const char* key : {"x", "y", "z", "w"}) {
    const Proof proof = tree.prove(as_bytes(key));
    ASSERT_TRUE(verify_absence(tree.root(), as_bytes(key), proof));
    EXPECT_EQ(verify_inclusion(tree.root(), as_bytes(key), kValue, proof).error(),
              ProofError::not_present);
    Hash32 other = tree.root();
    other[31] ^= 1;
    EXPECT_EQ(verify_absence(other, as_bytes(key), proof).error(), ProofError::wrong_root);
  }
}

TEST(Proof, DecoderRefusesTruncationPaddingAndTrailingBytes) {
  const Proof proof = sample().prove(kKey);
  const Buffer good = proof.encode();
  ASSERT_EQ(Proof::decode(good), proof);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(Proof::decode(Bytes(good).first(size))) << size;
  }
  Buffer bad = good;
  bad.push_back(0);
  EXPECT_FALSE(Proof::decode(bad)) << "trailing byte";
  ASSERT_NE(proof.has_sibling.size() % 8, 0u);
  bad = good;
  bad[2 + (proof.has_sibling.size() - 1) / 8] |= 1;
  EXPECT_FALSE(Proof::decode(bad)) << "padding bit";
  bad = good;
  bad[good.size() - 65] = 2;
  EXPECT_FALSE(Proof::decode(bad)) << "unknown terminal";
  bad = good;
  bad[0] = 1, bad[1] = 1;
  EXPECT_FALSE(Proof::decode(bad)) << "depth 257";
}

}  // namespace
}  // namespace cloister::merkle
