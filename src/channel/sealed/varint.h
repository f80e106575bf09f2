// Variable-length integers of QUIC (RFC 9000, 16): the first two bits say how many bytes there are.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

namespace cloister::sealed {

constexpr uint64_t kMaxVarint = (uint64_t{1} << 62) - 1;

// Any of the encodings of a number, as the RFC allows.
inline std::optional<uint64_t> read_varint(ByteReader& r) {
  if (r.done()) return std::nullopt;
  const size_t width = size_t{1} << (r.rest().front() >> 6);
  const auto bytes = r.take(width);
  if (!bytes) return std::nullopt;
  uint64_t value = (*bytes)[0] & 0x3f;
  for (size_t i = 1; i < width; ++i) value = value << 8 | (*bytes)[i];
  return value;
}

constexpr size_t varint_size(uint64_t value) {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x40000000 ? 4 : 8;
}

// The shortest encoding. `out` is a Buffer or a SecretBuffer.
template <typename Out>
void write_varint(Out& out, uint64_t value) {
  const size_t width = varint_size(value);
  const uint8_t prefix = width == 1 ? 0x00 : width == 2 ? 0x40 : width == 4 ? 0x80 : 0xc0;
  for (size_t i = width; i-- > 0;) {
    const auto byte = static_cast<uint8_t>(value >> (8 * i));
    out.push_back(i + 1 == width ? static_cast<uint8_t>(byte | prefix) : byte);
  }
}

}  // namespace cloister::sealed
