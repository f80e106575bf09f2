// Views, owners and cursors of raw bytes. Hostile bytes are read through ByteReader only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cloister {

using Bytes = std::span<const uint8_t>;  // lent
using Buffer = std::vector<uint8_t>;     // owned
template <size_t N>
using Fixed = std::array<uint8_t, N>;
using Hash32 = Fixed<32>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Buffer to_buffer(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// Nothing when the lengths differ.
template <size_t N>
std::optional<Fixed<N>> to_fixed(Bytes bytes) {
  if (bytes.size() != N) return std::nullopt;
  Fixed<N> out;
  std::memcpy(out.data(), bytes.data(), N);
  return out;
}

inline bool equal(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Lexicographic, as all sorted encodings use it.
inline bool less(Bytes a, Bytes b) {
  return as_text(a) < as_text(b);
}

inline bool all_zero(Bytes bytes) {
  for (uint8_t b : bytes) {
    if (b != 0) return false;
  }
  return true;
}

// Reads from the front of untrusted bytes. A refused read consumes nothing.
class ByteReader {
 public:
  explicit ByteReader(Bytes input) : rest_(input) {}

  std::optional<Bytes> take(size_t count) {
    if (count > rest_.size()) return std::nullopt;
    Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  template <size_t N>
  std::optional<Fixed<N>> fixed() {
    auto b = take(N);
    if (!b) return std::nullopt;
    return to_fixed<N>(*b);
  }
  std::optional<uint8_t> u8() { return number<uint8_t>(1, false); }
  std::optional<uint16_t> u16_le() { return number<uint16_t>(2, false); }
  std::optional<uint32_t> u32_le() { return number<uint32_t>(4, false); }
  std::optional<uint64_t> u64_le() { return number<uint64_t>(8, false); }
  std::optional<uint16_t> u16_be() { return number<uint16_t>(2, true); }
  std::optional<uint32_t> u24_be() { return number<uint32_t>(3, true); }
  std::optional<uint32_t> u32_be() { return number<uint32_t>(4, true); }
  std::optional<uint64_t> u64_be() { return number<uint64_t>(8, true); }

  Bytes rest() const { return rest_; }
  size_t remaining() const { return rest_.size(); }
  bool done() const { return rest_.empty(); }  // a parser ends by asking this

 private:
  template <typename T>
  std::optional<T> number(size_t width, bool big_endian) {
    auto b = take(width);
    if (!b) return std::nullopt;
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) {
      value = value << 8 | (*b)[big_endian ? i : width - 1 - i];
    }
    return static_cast<T>(value);
  }

  Bytes rest_;
};

// Appends to an owned buffer.
class ByteWriter {
 public:
  ByteWriter& bytes(Bytes b) {
    out_.insert(out_.end(), b.begin(), b.end());
    return *this;
  }
  ByteWriter& text(std::string_view t) { return bytes(as_bytes(t)); }
  ByteWriter& u8(uint8_t v) { return number(v, 1, false); }
  ByteWriter& u16_le(uint16_t v) { return number(v, 2, false); }
  ByteWriter& u32_le(uint32_t v) { return number(v, 4, false); }
  ByteWriter& u64_le(uint64_t v) { return number(v, 8, false); }
  ByteWriter& u16_be(uint16_t v) { return number(v, 2, true); }
  ByteWriter& u24_be(uint32_t v) { return number(v, 3, true); }
  ByteWriter& u32_be(uint32_t v) { return number(v, 4, true); }
  ByteWriter& u64_be(uint64_t v) { return number(v, 8, true); }
  ByteWriter& zeros(size_t count) {
    out_.insert(out_.end(), count, uint8_t{0});
    return *this;
  }

  size_t size() const { return out_.size(); }
  const Buffer& view() const { return out_; }
  Buffer take() { return std::move(out_); }

 private:
  ByteWriter& number(uint64_t value, size_t width, bool big_endian) {
    for (size_t i = 0; i < width; ++i) {
      size_t shift = 8 * (big_endian ? width - 1 - i : i);
      out_.push_back(static_cast<uint8_t>(value >> shift));
    }
    return *this;
  }

  Buffer out_;
};

}  // namespace cloister
