// Batches of changes, brought into the order that trees take them in.
#pragma once

#include <algorithm>
#include <vector>

#include "crypto/hash.h"

namespace cloister::merkle {

// Sorts by `path_of` and keeps the last of several changes of one path.
template <typename Change, typename PathOf>
void keep_last(std::vector<Change>& changes, PathOf path_of) {
  std::stable_sort(changes.begin(), changes.end(),
                   [&](const Change& a, const Change& b) { return path_of(a) < path_of(b); });
  size_t kept = 0;
  for (size_t i = 0; i < changes.size(); ++i) {
    const bool last = i + 1 == changes.size() || path_of(changes[i]) != path_of(changes[i + 1]);
    if (last && kept != i) changes[kept] = std::move(changes[i]);
    kept += last;
  }
  changes.resize(kept);
}

}  // namespace cloister::merkle
