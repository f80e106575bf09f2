// What the sparse trees share: paths of 256 bits, and the shape of a proof along one.
#pragma once

#include <expected>

#include "crypto/hash.h"

namespace cloister::merkle {

constexpr Hash32 kEmptyRoot{};
constexpr size_t kMaxDepth = 256;

// Bit 0 at the root, most significant first.
inline bool path_bit(const Hash32& path, size_t i) {
  return path[i / 8] >> (7 - i % 8) & 1;
}
bool shares_prefix(const Hash32& a, const Hash32& b, size_t bits);

// Levels of a proof from the root down; true: the sibling there is not empty.
//
//   wire: u16be depth d ‖ bitmap[ceil(d/8)], most significant first
using Levels = std::vector<bool>;
void write_levels(ByteWriter& out, const Levels& levels);
// Refuses a depth above 256 and padding bits that are set.
std::optional<Levels> read_levels(ByteReader& reader);
size_t siblings_of(const Levels& levels);  // how many are not empty
// As many siblings as the levels say, the deepest of them not empty: a collapsed tree has no other.
bool levels_hold(const Levels& levels, size_t siblings);

}  // namespace cloister::merkle
