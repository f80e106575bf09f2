// Deterministic CBOR (RFC 8949, 4.2.1), the subset the network uses: unsigned integers, byte and
// text strings, arrays, booleans, and maps with unsigned keys in rising order. No DOM: a record's
// encoder and decoder name its keys in order.
//
//   writer:  w.map(2).key(1).u64(height).key(2).bytes(id);
//   reader:  r.map(2); r.key(1); height = r.u64(); r.key(2); id = r.fixed<32>();  if (!r.finish())
//   …
//
// The reader fails for good at the first item that is not canonical, not of the asked type, or past
// a bound; every later read returns an empty value. `finish` is the only verdict.
#pragma once

#include "base/bytes.h"

namespace cloister {

class CborWriter {
 public:
  CborWriter& u64(uint64_t v) { return head(0, v); }
  CborWriter& boolean(bool v);
  CborWriter& bytes(Bytes b);
  CborWriter& text(std::string_view t);
  CborWriter& array(size_t count) { return head(4, count); }
  CborWriter& map(size_t count) { return head(5, count); }
  CborWriter& key(uint64_t k) { return head(0, k); }
  CborWriter& raw(Bytes encoded);  // one already encoded item

  const Buffer& view() const { return out_.view(); }
  Buffer take() { return out_.take(); }

 private:
  CborWriter& head(uint8_t major, uint64_t value);
  ByteWriter out_;
};

class CborReader {
 public:
  explicit CborReader(Bytes input) : in_(input) {}

  uint64_t u64(uint64_t max = UINT64_MAX);
  uint32_t u32() { return static_cast<uint32_t>(u64(UINT32_MAX)); }
  uint16_t u16() { return static_cast<uint16_t>(u64(UINT16_MAX)); }
  uint8_t u8() { return static_cast<uint8_t>(u64(UINT8_MAX)); }
  bool boolean();
  Bytes bytes(size_t max_bytes);
  std::string_view text_view(size_t max_bytes);  // must be valid UTF-8; lent from the input
  std::string text(size_t max_bytes) { return std::string(text_view(max_bytes)); }
  template <size_t N>
  Fixed<N> fixed() {
    auto out = to_fixed<N>(bytes(N));
    if (!out) failed_ = true;
    return out.value_or(Fixed<N>{});
  }
  size_t array(size_t max_count);       // returns the count
  size_t map(size_t exact_count);       // refuses any other count
  size_t map_up_to(size_t max_count);   // returns the count
  void key(uint64_t expected);          // refuses any other key
  uint64_t any_key() { return u64(); }  // the caller checks that keys rise

  void fail() { failed_ = true; }
  bool ok() const { return !failed_; }
  bool finish() const { return !failed_ && in_.done(); }  // all read, nothing trailing
  size_t remaining() const { return in_.remaining(); }

 private:
  uint64_t head(uint8_t major);
  ByteReader in_;
  bool failed_ = false;
};

bool valid_utf8(std::string_view text);  // no surrogates, no overlong forms (RFC 3629)

}  // namespace cloister
