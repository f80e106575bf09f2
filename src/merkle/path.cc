#include "merkle/path.h"

#include <algorithm>

namespace cloister::merkle {

bool shares_prefix(const Hash32& a, const Hash32& b, size_t bits) {
  for (size_t i = 0; i < bits; ++i) {
    if (path_bit(a, i) != path_bit(b, i)) return false;
  }
  return true;
}

void write_levels(ByteWriter& out, const Levels& levels) {
  out.u16_be(static_cast<uint16_t>(levels.size()));
  Buffer bitmap((levels.size() + 7) / 8);
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i]) bitmap[i / 8] |= static_cast<uint8_t>(0x80 >> i % 8);
  }
  out.bytes(bitmap);
}

std::optional<Levels> read_levels(ByteReader& reader) {
  const auto depth = reader.u16_be();
  if (!depth || *depth > kMaxDepth) return std::nullopt;
  const auto bitmap = reader.take((size_t{*depth} + 7) / 8);
  if (!bitmap) return std::nullopt;
  Levels out;
  for (size_t i = 0; i < bitmap->size() * 8; ++i) {
    const bool set = (*bitmap)[i / 8] >> (7 - i % 8) & 1;
    if (set && i >= *depth) return std::nullopt;
    if (i < *depth) out.push_back(set);
  }
  return out;
}

size_t siblings_of(const Levels& levels) {
  return static_cast<size_t>(std::count(levels.begin(), levels.end(), true));
}

bool levels_hold(const Levels& levels, size_t siblings) {
  return levels.size() <= kMaxDepth && siblings_of(levels) == siblings &&
         (levels.empty() || levels.back());
}

}  // namespace cloister::merkle
