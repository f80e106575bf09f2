#include "cli/nearest.h"

#include <algorithm>
#include <numeric>

namespace cloister::cli {
namespace {

constexpr size_t kMaxTypedBytes = 64;  // longer words are no typing mistakes

// Levenshtein's distance, one row at a time.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string> nearest(std::string_view typed, const std::vector<std::string>& names) {
  if (typed.size() > kMaxTypedBytes) return std::nullopt;
  std::optional<std::string> best;
  size_t best_distance = 0;
  for (const std::string& name : names) {
    const size_t edits = distance(typed, name);
    if (edits > std::max<size_t>(1, name.size() / 2)) continue;
    if (!best || edits < best_distance) {
      best = name;
      best_distance = edits;
    }
  }
  return best;
}

std::string suggestion(std::string_view typed, const std::vector<std::string>& names) {
  const auto name = nearest(typed, names);
  return name ? "; did you mean " + *name + "?" : "";
}

}  // namespace cloister::cli
