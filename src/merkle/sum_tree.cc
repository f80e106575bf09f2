#include "merkle/sum_tree.h"

#include <algorithm>
#include <cstdlib>

#include "merkle/changes.h"

namespace cloister::merkle {

struct SumTree::Inner {
  Child left, right;  // at least one is not empty
};

struct SumTree::Builder {
  using Changes = std::span<const Weight>;  // ascending by id, each id once

  static Child make_leaf(const Weight& weight) {
    return {sum_leaf(weight), nullptr, std::make_shared<const Weight>(weight)};
  }

  // A subtree with one leaf is that leaf.
  static Child join(Child left, Child right) {
    if (left.empty() && !right.inner) return right;
    if (right.empty() && left.leaf) return left;
    const auto summed = sum_inner(left.summed, right.summed);
    if (!summed) std::abort();  // the caller's bound does not hold
    return {*summed, std::make_shared<const Inner>(std::move(left), std::move(right)), nullptr};
  }

  static size_t count_left(Changes changes, size_t depth) {
    const auto split = std::partition_point(
        changes.begin(), changes.end(), [&](const Weight& w) { return !path_bit(w.id, depth); });
    return static_cast<size_t>(split - changes.begin());
  }

  static Child build(Changes changes, size_t depth) {
    if (changes.empty()) return {};
    if (changes.size() == 1) return changes[0].value > 0 ? make_leaf(changes[0]) : Child();
    const size_t split = count_left(changes, depth);
    return join(build(changes.first(split), depth + 1), build(changes.subspan(split), depth + 1));
  }

  static Child build_beside(const Weight& leaf, Changes changes, size_t depth) {
    std::vector<Weight> all(changes.begin(), changes.end());
    const auto at = std::lower_bound(all.begin(), all.end(), leaf.id,
                                     [](const Weight& w, const Hash32& id) { return w.id < id; });
    if (at == all.end() || at->id != leaf.id) all.insert(at, leaf);
    return build(all, depth);
  }

  static Child apply(const Child& node, Changes changes, size_t depth) {
    if (changes.empty()) return node;
    if (node.empty()) return build(changes, depth);
    if (node.leaf) return build_beside(*node.leaf, changes, depth);
    const size_t split = count_left(changes, depth);
    return join(apply(node.inner->left, changes.first(split), depth + 1),
                apply(node.inner->right, changes.subspan(split), depth + 1));
  }
};

const SumNode& SumTree::root() const {
  return root_.summed;
}

Weight SumTree::find(const Hash32& id) const {
  const Child* node = &root_;
  for (size_t level = 0; node->inner; ++level) {
    node = path_bit(id, level) ? &node->inner->right : &node->inner->left;
  }
  return node->leaf && node->leaf->id == id ? *node->leaf : Weight{id, 0, 0};
}

void SumTree::update(std::vector<Weight> changes) {
  keep_last(changes, [](const Weight& change) -> const Hash32& { return change.id; });
  root_ = Builder::apply(root_, changes, 0);
}

SumProof SumTree::prove(const Hash32& id) const {
  SumProof proof;
  const Child* node = &root_;
  for (size_t level = 0; node->inner; ++level) {
    const bool right = path_bit(id, level);
    const Child& sibling = right ? node->inner->left : node->inner->right;
    proof.has_sibling.push_back(!sibling.empty());
    if (!sibling.empty()) proof.siblings.push_back(sibling.summed);
    node = right ? &node->inner->right : &node->inner->left;
  }
  std::reverse(proof.siblings.begin(), proof.siblings.end());
  if (node->leaf) proof.terminal = *node->leaf;
  return proof;
}

// Null when it is empty. A leaf that stands for a whole subtree is its own child.
const SumTree::Child* SumTree::child_of(const Child& parent, bool right, size_t level) {
  if (parent.leaf) return path_bit(parent.leaf->id, level) == right ? &parent : nullptr;
  const Child& child = right ? parent.inner->right : parent.inner->left;
  return child.empty() ? nullptr : &child;
}

// The trees' next nodes lie anywhere in memory: asked for together, they come together.
void SumTree::prefetch(const Child& child) {
  constexpr size_t kLine = 64;
  const auto* const at = reinterpret_cast<const char*>(child.inner.get());
  for (size_t i = 0; at && i < sizeof(Inner); i += kLine) __builtin_prefetch(at + i);
}

SumTree::Hit SumTree::locate(std::span<const SumTree* const> trees, uint64_t point) {
  struct Branch {
    size_t tree;
    const Child* node;
  };
  std::vector<Branch> branches;
  for (size_t i = 0; i < trees.size(); ++i) {
    if (!trees[i]->root_.empty()) branches.push_back({i, &trees[i]->root_});
  }
  uint64_t before = 0;
  for (size_t level = 0; branches.size() > 1 || !branches.at(0).node->leaf; ++level) {
    uint64_t left = 0;
    for (const Branch& b : branches) {
      if (const Child* node = child_of(*b.node, false, level)) left += node->summed.sum;
    }
    const bool right = point - before >= left;
    if (right) before += left;
    std::erase_if(branches, [&](Branch& b) {
      b.node = child_of(*b.node, right, level);
      if (b.node) prefetch(*b.node);
      return b.node == nullptr;
    });
  }
  const Branch& found = branches.at(0);
  return {found.tree, *found.node->leaf, before};
}

}  // namespace cloister::merkle
