#include "light/proof.h"

#include <gtest/gtest.h>

#include "light/light_testing.h"
#include "merkle/tree.h"

namespace cloister::light {
namespace {

using ledger::Family;

Buffer text(std::string_view t) {
  return to_buffer(as_bytes(t));
}

// A state of which only "instances" is filled, with keys k0..k99.
class ReadProof : public testing::Test {
 protected:
  ReadProof() {
    for (int i = 0; i < 100; ++i) {
      instances_.put(text("k" + std::to_string(i)), text("v" + std::to_string(i)));
    }
    roots_[static_cast<size_t>(Family::instances)] = instances_.root();
    app_hash_ = ledger::app_hash(roots_);
  }
  std::vector<ProofOp> prove(Bytes key, Family family = Family::instances) const {
    const merkle::Tree empty;
    const merkle::Tree& tree = family == Family::instances ? instances_ : empty;
    return proof_ops(family, key, ledger::make_store_proof(roots_, family, tree.prove(key)));
  }
  std::expected<void, LightError> check(const std::vector<ProofOp>& proof, std::string_view key,
                                        std::optional<std::string_view> value,
                                        Family family = Family::instances) const {
    std::optional<Bytes> bytes;
    if (value) bytes = as_bytes(*value);
    return verify_read(proof, family, as_bytes(key), bytes, app_hash_);
  }

  ledger::SubRoots roots_{};
  merkle::Tree instances_;
  Hash32 app_hash_{};
};

TEST_F(ReadProof, ProvesValuesAndAbsence) {
  EXPECT_TRUE(check(prove(as_bytes("k7")), "k7", "v7"));
  EXPECT_TRUE(check(prove(as_bytes("nobody")), "nobody", std::nullopt));
  EXPECT_TRUE(check(prove(as_bytes("k7"), Family::jobs), "k7", std::nullopt, Family::jobs));
}

TEST_F(ReadProof, EachSingleFaultIsRefusedByItsOwnError) {
  const std::vector<ProofOp> good = prove(as_bytes("k7"));
  const auto spoiled = [&](auto spoil) {
    std::vector<ProofOp> proof = good;
    spoil(proof);
    return check(proof, "k7", "v7").error();
  };
  using P = std::vector<ProofOp>&;
  EXPECT_EQ(spoiled([](P p) { p.clear(); }), LightError::bad_proof);
  EXPECT_EQ(spoiled([](P p) { p.pop_back(); }), LightError::bad_proof);
  EXPECT_EQ(spoiled([](P p) { p.push_back(p[1]); }), LightError::bad_proof);
  EXPECT_EQ(spoiled([](P p) { std::swap(p[0], p[1]); }), LightError::bad_proof);
  EXPECT_EQ(spoiled([](P p) { p[0].type = "iavl:v"; }), LightError::bad_proof);
  EXPECT_EQ(spoiled([](P p) { p[0].key[1] = '8'; }), LightError::wrong_proof_key);
  EXPECT_EQ(spoiled([](P p) { p[1].key = text("jobs"); }), LightError::wrong_proof_family);
  EXPECT_EQ(check(good, "k8", "v8").error(), LightError::wrong_proof_key);
  EXPECT_EQ(check(good, "k7", "v8").error(), LightError::wrong_proof_value);
  EXPECT_EQ(check(good, "k7", std::nullopt).error(), LightError::wrong_proof_value);
  EXPECT_EQ(check(prove(as_bytes("x")), "x", "").error(), LightError::wrong_proof_value);
  EXPECT_EQ(check(good, "k7", "v7", Family::jobs).error(), LightError::wrong_proof_family);
  // The absence in one family proves nothing about another.
  EXPECT_EQ(check(prove(as_bytes("k7"), Family::jobs), "k7", std::nullopt).error(),
            LightError::wrong_proof_family);
  Hash32 other = app_hash_;
  other[0] ^= 1;
  const auto elsewhere = verify_read(good, Family::instances, text("k7"), text("v7"), other);
  EXPECT_EQ(elsewhere.error(), LightError::wrong_root);
  EXPECT_EQ(verify_read(good, Family::instances, text("k7"), text("v7"), {}).error(),
            LightError::wrong_root);
}

TEST_F(ReadProof, ForgedAbsenceIsRefused) {
  // The path of a neighbour that is absent, shown for a key that is there.
  std::vector<ProofOp> proof = prove(as_bytes("nobody"));
  proof[0].key = text("k7");
  EXPECT_FALSE(check(proof, "k7", std::nullopt));
  // An empty tree's proof.
  proof[0].data = merkle::Tree().prove(as_bytes("k7")).encode();
  EXPECT_EQ(check(proof, "k7", std::nullopt).error(), LightError::wrong_root);
}

TEST_F(ReadProof, EveryTruncationIsRefused) {
  const std::vector<ProofOp> good = prove(as_bytes("k7"));
  for (size_t op = 0; op < good.size(); ++op) {
    for (size_t size = 0; size < good[op].data.size(); ++size) {
      std::vector<ProofOp> proof = good;
      proof[op].data.resize(size);
      EXPECT_EQ(check(proof, "k7", "v7").error(), LightError::bad_proof) << op << " " << size;
    }
  }
}

TEST_F(ReadProof, MutatedProofsAreNeverAccepted) {
  SeededRandom random(42);
  int accepted = 0;
  for (int i = 0; i < mutations(); ++i) {
    const bool absent = random.next() % 2 == 0;
    const std::string key = absent ? "nobody" : "k7";
    std::vector<ProofOp> proof = prove(as_bytes(key));
    Buffer& data = proof[random.next() % 2].data;
    const uint64_t draw = random.next();
    data[draw / 8 % data.size()] ^= static_cast<uint8_t>(1U << draw % 8);
    if (check(proof, key, absent ? std::nullopt : std::optional<std::string_view>("v7"))) {
      ++accepted;
    }
  }
  EXPECT_EQ(accepted, 0);
}

}  // namespace
}  // namespace cloister::light
