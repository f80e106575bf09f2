#include "merkle/sum_tree.h"

#include <algorithm>
#include <cstdlib>

#include "merkle/changes.h"

namespace cloister::merkle {

struct SumTree::Node {
  SumNode summed;
  Weight weight;     // of a leaf
  Link left, right;  // of an inner node: at least one
  bool is_leaf() const { return !left && !right; }
};

struct SumTree::Builder {
  using Changes = std::span<const Weight>;  // ascending by id, each id once

  static SumNode sum_of(const Link& node) { return node ? node->summed : SumNode(); }

  static Link make_leaf(const Weight& weight) {
    auto node = std::make_shared<Node>();
    node->summed = sum_leaf(weight);
    node->weight = weight;
    return node;
  }

  // A subtree with one leaf is that leaf.
  static Link join(Link left, Link right) {
    if (!left && (!right || right->is_leaf())) return right;
    if (!right && left->is_leaf()) return left;
    const auto summed = sum_inner(sum_of(left), sum_of(right));
    if (!summed) std::abort();  // the caller's bound does not hold
    auto node = std::make_shared<Node>();
    node->summed = *summed;
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }

  static size_t count_left(Changes changes, size_t depth) {
    const auto split = std::partition_point(
        changes.begin(), changes.end(), [&](const Weight& w) { return !path_bit(w.id, depth); });
    return static_cast<size_t>(split - changes.begin());
  }

  static Link build(Changes changes, size_t depth) {
    if (changes.empty()) return nullptr;
    if (changes.size() == 1) return changes[0].value > 0 ? make_leaf(changes[0]) : nullptr;
    const size_t split = count_left(changes, depth);
    return join(build(changes.first(split), depth + 1), build(changes.subspan(split), depth + 1));
  }

  static Link build_beside(const Link& leaf, Changes changes, size_t depth) {
    std::vector<Weight> all(changes.begin(), changes.end());
    const auto at = std::lower_bound(all.begin(), all.end(), leaf->weight.id,
                                     [](const Weight& w, const Hash32& id) { return w.id < id; });
    if (at == all.end() || at->id != leaf->weight.id) all.insert(at, leaf->weight);
    return build(all, depth);
  }

  static Link apply(const Link& node, Changes changes, size_t depth) {
    if (changes.empty()) return node;
    if (!node) return build(changes, depth);
    if (node->is_leaf()) return build_beside(node, changes, depth);
    const size_t split = count_left(changes, depth);
    return join(apply(node->left, changes.first(split), depth + 1),
                apply(node->right, changes.subspan(split), depth + 1));
  }
};

const SumNode& SumTree::root() const {
  static const SumNode empty;
  return root_ ? root_->summed : empty;
}

Weight SumTree::find(const Hash32& id) const {
  const Node* node = root_.get();
  for (size_t level = 0; node && !node->is_leaf(); ++level) {
    node = path_bit(id, level) ? node->right.get() : node->left.get();
  }
  return node && node->weight.id == id ? node->weight : Weight{id, 0, 0};
}

void SumTree::update(std::vector<Weight> changes) {
  keep_last(changes, [](const Weight& change) -> const Hash32& { return change.id; });
  root_ = Builder::apply(root_, changes, 0);
}

SumProof SumTree::prove(const Hash32& id) const {
  SumProof proof;
  const Node* node = root_.get();
  for (size_t level = 0; node && !node->is_leaf(); ++level) {
    const bool right = path_bit(id, level);
    const Link& sibling = right ? node->left : node->right;
    proof.has_sibling.push_back(sibling != nullptr);
    if (sibling) proof.siblings.push_back(sibling->summed);
    node = right ? node->right.get() : node->left.get();
  }
  std::reverse(proof.siblings.begin(), proof.siblings.end());
  if (node) proof.terminal = node->weight;
  return proof;
}

SumTree::Hit SumTree::locate(std::span<const SumTree* const> trees, uint64_t point) {
  struct Branch {
    size_t tree;
    const Node* node;
  };
  std::vector<Branch> branches;
  for (size_t i = 0; i < trees.size(); ++i) {
    if (trees[i]->root_) branches.push_back({i, trees[i]->root_.get()});
  }
  const auto child = [](const Branch& b, bool right, size_t level) -> const Node* {
    if (b.node->is_leaf()) return path_bit(b.node->weight.id, level) == right ? b.node : nullptr;
    return right ? b.node->right.get() : b.node->left.get();
  };
  uint64_t before = 0;
  for (size_t level = 0; branches.size() > 1 || !branches.at(0).node->is_leaf(); ++level) {
    uint64_t left = 0;
    for (const Branch& b : branches) {
      if (const Node* node = child(b, false, level)) left += node->summed.sum;
    }
    const bool right = point - before >= left;
    if (right) before += left;
    std::erase_if(branches, [&](Branch& b) {
      b.node = child(b, right, level);
      return b.node == nullptr;
    });
  }
  const Branch& found = branches.at(0);
  return {found.tree, found.node->weight, before};
}

}  // namespace cloister::merkle
