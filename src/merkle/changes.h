// Batches of changes, brought into the order that trees take them in.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "crypto/hash.h"

namespace cloister::merkle {

// Sorts by `path_of` and keeps the last of several changes of one path.
template <typename Change, typename PathOf>
void keep_last(std::vector<Change>& changes, PathOf path_of) {
  std::vector<size_t> order(changes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Hash32 &one = path_of(changes[a]), &other = path_of(changes[b]);
    return one != other ? one < other : a < b;
  });
  std::vector<Change> kept;
  kept.reserve(changes.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const bool last =
        i + 1 == order.size() || path_of(changes[order[i]]) != path_of(changes[order[i + 1]]);
    if (last) kept.push_back(std::move(changes[order[i]]));
  }
  changes = std::move(kept);
}

}  // namespace cloister::merkle
