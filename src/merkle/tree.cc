#include "merkle/tree.h"

#include <algorithm>

#include "merkle/changes.h"

namespace cloister::merkle {

struct Tree::Node {
  Hash32 hash{};
  Leaf leaf{};       // of a leaf
  EntryPtr entry;    // of a leaf, if kept
  Link left, right;  // of an inner node: at least one
  bool is_leaf() const { return !left && !right; }
};

struct Tree::Builder {
  using Changes = std::span<const Change>;  // sorted by path, each path once

  static Link make_leaf(const Change& change) {
    auto node = std::make_shared<Node>();
    node->leaf = {change.path, *change.value_hash};
    node->entry = change.entry;
    node->hash = sparse_leaf_hash(node->leaf);
    return node;
  }

  // A subtree with one leaf is that leaf.
  static Link join(Link left, Link right) {
    if (!left && (!right || right->is_leaf())) return right;
    if (!right && left->is_leaf()) return left;
    auto node = std::make_shared<Node>();
    node->hash = sparse_inner_hash(hash_of(left), hash_of(right));
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }

  static const Hash32& hash_of(const Link& node) { return node ? node->hash : kEmptyRoot; }

  static size_t count_left(Changes changes, size_t depth) {
    const auto split = std::partition_point(
        changes.begin(), changes.end(), [&](const Change& c) { return !path_bit(c.path, depth); });
    return static_cast<size_t>(split - changes.begin());
  }

  // A fresh subtree of what `changes` set.
  static Link build(Changes changes, size_t depth) {
    if (changes.empty()) return nullptr;
    if (changes.size() == 1) {
      const Change& only = changes[0];
      return only.value_hash ? make_leaf(only) : nullptr;
    }
    const size_t split = count_left(changes, depth);
    return join(build(changes.first(split), depth + 1), build(changes.subspan(split), depth + 1));
  }

  static Link build_beside(const Link& leaf, Changes changes, size_t depth) {
    std::vector<Change> all(changes.begin(), changes.end());
    const auto at =
        std::lower_bound(all.begin(), all.end(), leaf->leaf.path,
                         [](const Change& c, const Hash32& path) { return c.path < path; });
    if (at == all.end() || at->path != leaf->leaf.path) {
      all.insert(at, Change{leaf->leaf.path, leaf->leaf.value_hash, leaf->entry});
    }
    return build(all, depth);
  }

  static Link apply(const Link& node, Changes changes, size_t depth) {
    if (changes.empty()) return node;
    if (!node) return build(changes, depth);
    if (node->is_leaf()) return build_beside(node, changes, depth);
    const size_t split = count_left(changes, depth);
    Link left = apply(node->left, changes.first(split), depth + 1);
    Link right = apply(node->right, changes.subspan(split), depth + 1);
    if (left == node->left && right == node->right) return node;
    return join(std::move(left), std::move(right));
  }

  static void visit(const Node* node, const std::function<void(const Entry&)>& each) {
    if (!node) return;
    if (node->entry) each(*node->entry);
    visit(node->left.get(), each);
    visit(node->right.get(), each);
  }
};

Tree::Change Tree::set(EntryPtr entry) {
  const Hash32 path = path_of(entry->key), value_hash = crypto::sha256(entry->value);
  return {path, value_hash, std::move(entry)};
}
Tree::Change Tree::unset(Bytes key) {
  return {path_of(key), std::nullopt, nullptr};
}

Hash32 Tree::root() const {
  return Builder::hash_of(root_);
}

void Tree::put(Bytes key, Bytes value) {
  update({set(std::make_shared<const Entry>(Entry{to_buffer(key), to_buffer(value)}))});
}
void Tree::erase(Bytes key) {
  update({unset(key)});
}

void Tree::update(std::vector<Change> changes) {
  keep_last(changes, [](const Change& change) -> const Hash32& { return change.path; });
  root_ = Builder::apply(root_, changes, 0);
}

Proof Tree::prove(Bytes key) const {
  const Hash32 path = path_of(key);
  Proof proof;
  const Node* node = root_.get();
  for (size_t level = 0; node && !node->is_leaf(); ++level) {
    const bool right = path_bit(path, level);
    const Link& sibling = right ? node->left : node->right;
    proof.has_sibling.push_back(sibling != nullptr);
    if (sibling) proof.siblings.push_back(sibling->hash);
    node = right ? node->right.get() : node->left.get();
  }
  std::reverse(proof.siblings.begin(), proof.siblings.end());
  if (node) proof.terminal = node->leaf;
  return proof;
}

EntryPtr Tree::find(Bytes key) const {
  const Hash32 path = path_of(key);
  const Node* node = root_.get();
  for (size_t level = 0; node && !node->is_leaf(); ++level) {
    node = path_bit(path, level) ? node->right.get() : node->left.get();
  }
  return node && node->leaf.path == path ? node->entry : nullptr;
}

void Tree::for_each(const std::function<void(const Entry&)>& visit) const {
  Builder::visit(root_.get(), visit);
}

}  // namespace cloister::merkle
