#include "evidence/common/version_floor.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

namespace cloister::evidence {
namespace {

std::optional<std::vector<uint32_t>> groups_of(std::string_view version) {
  std::vector<uint32_t> out;
  for (size_t from = 0; from <= version.size();) {
    const size_t dot = std::min(version.find('.', from), version.size());
    const char *begin = version.data() + from, *end = version.data() + dot;
    uint32_t value = 0;
    const auto [at, fault] = std::from_chars(begin, end, value, 16);
    if (fault != std::errc() || at != end) return std::nullopt;
    out.push_back(value);
    from = dot + 1;
  }
  return out;
}

}  // namespace

bool at_least(std::string_view version, std::string_view floor) {
  if (floor.empty()) return true;
  const auto have = groups_of(version), least = groups_of(floor);
  return have && least && *have >= *least;
}

}  // namespace cloister::evidence
