#include <gtest/gtest.h>

#include <map>

#include "base/seams.h"
#include "merkle/sum_tree.h"

namespace cloister::merkle {
namespace {

using Model = std::map<Hash32, uint64_t>;

// Ids that share long prefixes as well as ones that do not.
Hash32 id_of(uint64_t n) {
  Hash32 id = crypto::sha256(ByteWriter().u64_be(n / 4).view());
  id[31] = static_cast<uint8_t>(n % 4);
  return id;
}

SumNode naive(const std::vector<Weight>& weights, size_t depth) {
  if (weights.empty()) return {};
  if (weights.size() == 1) return sum_leaf(weights[0]);
  std::vector<Weight> left, right;
  for (const Weight& w : weights) (path_bit(w.id, depth) ? right : left).push_back(w);
  return *sum_inner(naive(left, depth + 1), naive(right, depth + 1));
}

SumNode naive(const Model& model) {
  std::vector<Weight> weights;
  for (const auto& [id, value] : model) weights.push_back({id, value, value + 1});
  return naive(weights, 0);
}

uint64_t before(const Model& model, const Hash32& id) {
  uint64_t sum = 0;
  for (const auto& [other, value] : model) sum += other < id ? value : 0;
  return sum;
}

TEST(SumTree, RandomStreamsAgreeWithTheDefinitionAndShowEveryPlace) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    SumTree tree;
    Model model;
    for (int step = 0; step < 12; ++step) {
      const SumTree snapshot = tree;
      const SumNode old_root = tree.root();
      std::vector<Weight> changes;
      for (uint64_t i = random.next() % 12; i > 0; --i) {
        const uint64_t value = random.next() % 3 * (random.next() % 99);
        const Weight change{id_of(random.next() % 60), value, value + 1};
        changes.push_back(change);
        model.erase(change.id);
        if (change.value > 0) model[change.id] = change.value;
      }
      tree.update(changes);
      EXPECT_EQ(snapshot.root(), old_root);
      ASSERT_EQ(tree.root(), naive(model));
    }
    for (uint64_t n = 0; n < 60; ++n) {
      const Hash32 id = id_of(n);
      const uint64_t weight = model.contains(id) ? model[id] : 0;
      EXPECT_EQ(tree.find(id).value, weight);
      const SumProof proof = tree.prove(id);
      EXPECT_EQ(SumProof::decode(proof.encode()), proof);
      const auto place = verify_place(tree.root(), id, proof);
      ASSERT_TRUE(place);
      const uint64_t tag = weight > 0 ? weight + 1 : 0;
      EXPECT_EQ(*place, (SumPlace{before(model, id), weight, tag}));
    }
  }
}

TEST(SumTree, LocateIsTheWalkOverAllTreesInTheOrderOfIds) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    std::vector<SumTree> trees(1 + random.next() % 4);
    std::map<Hash32, std::pair<size_t, uint64_t>> all;
    for (uint64_t n = 0; n < 30; ++n) {
      const size_t tree = random.next() % trees.size();
      const uint64_t value = 1 + random.next() % 9;
      trees[tree].update({{id_of(n), value, 7}});
      all[id_of(n)] = {tree, value};
    }
    std::vector<const SumTree*> pointers;
    for (const SumTree& tree : trees) pointers.push_back(&tree);
    uint64_t point = 0;
    for (const auto& [id, entry] : all) {
      const uint64_t start = point;
      for (uint64_t i = 0; i < entry.second; ++i, ++point) {
        const SumTree::Hit hit = SumTree::locate(pointers, point);
        ASSERT_EQ(hit.weight, (Weight{id, entry.second, 7}));
        ASSERT_EQ(hit.tree, entry.first);
        ASSERT_EQ(hit.before, start);
      }
    }
  }
}

struct Scene {
  SumTree tree;
  Hash32 id = id_of(5);
  Scene() {
    for (uint64_t n = 0; n < 20; ++n) tree.update({{id_of(n), n + 1, n}});
  }
};

TEST(SumProof, EachSingleFaultIsRefused) {
  const Scene s;
  const SumProof good = s.tree.prove(s.id);
  ASSERT_TRUE(verify_place(s.tree.root(), s.id, good));
  struct Case {
    const char* name;
    ProofError want;
    void (*spoil)(SumProof&);
  };
  const Case cases[] = {
      {"weight", ProofError::wrong_root, [](SumProof& p) { p.terminal->value += 1; }},
      {"tag", ProofError::wrong_root, [](SumProof& p) { p.terminal->tag += 1; }},
      {"weight zero", ProofError::malformed, [](SumProof& p) { p.terminal->value = 0; }},
      {"no leaf", ProofError::wrong_root, [](SumProof& p) { p.terminal.reset(); }},
      {"another's leaf", ProofError::wrong_leaf, [](SumProof& p) { p.terminal->id = id_of(8); }},
      {"sum of a sibling", ProofError::wrong_root, [](SumProof& p) { p.siblings[0].sum += 1; }},
      {"hash of a sibling", ProofError::wrong_root,
       [](SumProof& p) { p.siblings[0].hash[0] ^= 1; }},
      {"sums that do not fit", ProofError::malformed,
       [](SumProof& p) { p.siblings[0].sum = UINT64_MAX; }},
      {"empty sibling", ProofError::malformed, [](SumProof& p) { p.siblings[0].sum = 0; }},
      {"sibling missing", ProofError::malformed, [](SumProof& p) { p.siblings.pop_back(); }},
      {"too deep", ProofError::malformed,
       [](SumProof& p) { p.has_sibling.insert(p.has_sibling.begin(), 256, false); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    SumProof proof = good;
    c.spoil(proof);
    const auto got = verify_place(s.tree.root(), s.id, proof);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), c.want);
  }
  SumNode other_total = s.tree.root();
  other_total.sum += 1;
  EXPECT_EQ(verify_place(other_total, s.id, good).error(), ProofError::wrong_root);
}

TEST(SumProof, NothingCutOrBentDecodesToTheSameBytes) {
  const Scene s;
  const Buffer good = s.tree.prove(s.id).encode();
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(SumProof::decode(Bytes(good).first(size))) << size;
  }
  Buffer longer = good;
  longer.push_back(0);
  EXPECT_FALSE(SumProof::decode(longer));
  for (size_t i = 0; i < good.size(); ++i) {
    Buffer bent = good;
    bent[i] ^= 1;
    const auto proof = SumProof::decode(bent);
    if (!proof) continue;
    EXPECT_EQ(proof->encode(), bent);
    EXPECT_FALSE(verify_place(s.tree.root(), s.id, *proof)) << i;
  }
}

}  // namespace
}  // namespace cloister::merkle
