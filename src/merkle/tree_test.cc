#include "merkle/tree.h"

#include <gtest/gtest.h>

#include <map>

#include "base/seams.h"
#include "base/text.h"

namespace cloister::merkle {
namespace {

struct BytesLess {
  bool operator()(const Buffer& a, const Buffer& b) const { return less(a, b); }
};
using Model = std::map<Buffer, Buffer, BytesLess>;

Buffer key_of(uint64_t n) {
  return ByteWriter().u64_be(n).take();
}

// The definition, with no sharing and no order of updates.
Hash32 naive_root(const std::vector<Leaf>& leaves, size_t depth) {
  if (leaves.empty()) return kEmptyRoot;
  if (leaves.size() == 1) return sparse_leaf_hash(leaves[0]);
  std::vector<Leaf> left, right;
  for (const Leaf& leaf : leaves) (path_bit(leaf.path, depth) ? right : left).push_back(leaf);
  return sparse_inner_hash(naive_root(left, depth + 1), naive_root(right, depth + 1));
}

Hash32 naive_root(const Model& values) {
  std::vector<Leaf> leaves;
  for (const auto& [key, value] : values) {
    leaves.push_back({path_of(key), crypto::sha256(value)});
  }
  return naive_root(leaves, 0);
}

TEST(Tree, EmptyAndSingle) {
  Tree tree;
  EXPECT_EQ(tree.root(), kEmptyRoot);
  tree.put(as_bytes("key"), as_bytes("value"));
  EXPECT_EQ(tree.root(),
            sparse_leaf_hash({path_of(as_bytes("key")), crypto::sha256(as_bytes("value"))}));
  EXPECT_TRUE(verify_inclusion(tree.root(), as_bytes("key"), as_bytes("value"),
                               tree.prove(as_bytes("key"))));
  tree.erase(as_bytes("key"));
  EXPECT_EQ(tree.root(), kEmptyRoot);
  EXPECT_TRUE(verify_absence(tree.root(), as_bytes("key"), tree.prove(as_bytes("key"))));
}

TEST(Tree, RandomStreamsAgreeWithTheDefinitionAndProveEveryKey) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    Tree tree;
    Model model;
    for (int step = 0; step < 12; ++step) {
      std::vector<Tree::Change> changes;
      for (uint64_t i = random.next() % 12; i > 0; --i) {
        const Buffer key = key_of(random.next() % 40);
        if (random.next() % 3 == 0) {
          model.erase(key);
          changes.push_back(Tree::unset(key));
        } else {
          model[key] = key_of(random.next());
          changes.push_back({path_of(key), crypto::sha256(model[key]), nullptr});
        }
      }
      tree.update(std::move(changes));
      ASSERT_EQ(tree.root(), naive_root(model));
    }
    for (uint64_t n = 0; n < 60; ++n) {
      const Buffer key = key_of(n);
      const Proof proof = tree.prove(key);
      ASSERT_EQ(Proof::decode(proof.encode()), proof);
      const auto found = model.find(key);
      const bool present = found != model.end();
      const Buffer value = present ? found->second : Buffer{1};
      ASSERT_EQ(verify_inclusion(tree.root(), key, value, proof).has_value(), present);
      ASSERT_EQ(verify_absence(tree.root(), key, proof).has_value(), !present);
    }
  }
}

TEST(Tree, ACopyIsASnapshot) {
  Tree tree;
  for (uint64_t i = 0; i < 100; ++i) tree.put(key_of(i), key_of(i));
  const Tree before = tree;
  const Hash32 root = before.root();
  for (uint64_t i = 0; i < 100; i += 2) tree.erase(key_of(i));
  EXPECT_NE(tree.root(), root);
  EXPECT_EQ(before.root(), root);
  EXPECT_TRUE(verify_inclusion(root, key_of(4), key_of(4), before.prove(key_of(4))));
  ASSERT_TRUE(before.find(key_of(4)));
  EXPECT_EQ(before.find(key_of(4))->value, key_of(4));
  EXPECT_FALSE(tree.find(key_of(4)));
  EXPECT_FALSE(before.find(key_of(100)));
  size_t before_count = 0, after_count = 0;
  before.for_each([&](const Entry&) { ++before_count; });
  tree.for_each([&](const Entry& entry) {
    ++after_count;
    EXPECT_EQ(entry.key, entry.value);
  });
  EXPECT_EQ(before_count, 100u);
  EXPECT_EQ(after_count, 50u);
}

TEST(Tree, DeepNeighboursWithEmptySiblings) {
  // Paths that part at the last bit only: every sibling between is empty.
  Hash32 a{}, b{};
  b[31] = 1;
  Tree tree;
  tree.update({{a, Hash32{9}, {}}, {b, Hash32{8}, {}}});
  EXPECT_EQ(tree.root(), naive_root({{a, Hash32{9}}, {b, Hash32{8}}}, 0));
  tree.update({{b, std::nullopt, {}}});
  EXPECT_EQ(tree.root(), sparse_leaf_hash({a, Hash32{9}}));
}

TEST(Tree, TheLastChangeOfAPathCounts) {
  Tree tree;
  tree.update({{Hash32{1}, Hash32{2}, {}}, {Hash32{1}, Hash32{3}, {}}});
  EXPECT_EQ(tree.root(), sparse_leaf_hash({Hash32{1}, Hash32{3}}));
}

}  // namespace
}  // namespace cloister::merkle
