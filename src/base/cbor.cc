#include "base/cbor.h"

namespace cloister {
namespace {

constexpr uint8_t kUnsigned = 0, kByteString = 2, kTextString = 3, kArray = 4, kMap = 5;
constexpr uint8_t kFalse = 0xF4, kTrue = 0xF5;

}  // namespace

CborWriter& CborWriter::head(uint8_t major, uint64_t value) {
  auto first = [&](uint8_t info) { out_.u8(static_cast<uint8_t>(major << 5 | info)); };
  if (value < 24) {
    first(static_cast<uint8_t>(value));
  } else if (value <= UINT8_MAX) {
    first(24);
    out_.u8(static_cast<uint8_t>(value));
  } else if (value <= UINT16_MAX) {
    first(25);
    out_.u16_be(static_cast<uint16_t>(value));
  } else if (value <= UINT32_MAX) {
    first(26);
    out_.u32_be(static_cast<uint32_t>(value));
  } else {
    first(27);
    out_.u64_be(value);
  }
  return *this;
}

CborWriter& CborWriter::boolean(bool v) {
  out_.u8(v ? kTrue : kFalse);
  return *this;
}

CborWriter& CborWriter::bytes(Bytes b) {
  head(kByteString, b.size());
  out_.bytes(b);
  return *this;
}

CborWriter& CborWriter::text(std::string_view t) {
  head(kTextString, t.size());
  out_.text(t);
  return *this;
}

CborWriter& CborWriter::raw(Bytes encoded) {
  out_.bytes(encoded);
  return *this;
}

uint64_t CborReader::head(uint8_t major) {
  auto first = failed_ ? std::nullopt : in_.u8();
  if (!first || *first >> 5 != major) return fail(), 0;
  uint8_t info = *first & 31;
  if (info < 24) return info;
  std::optional<uint64_t> value;
  uint64_t smallest = 24;  // the least value that may need this width
  if (info == 24) value = in_.u8();
  if (info == 25) value = in_.u16_be(), smallest = uint64_t{UINT8_MAX} + 1;
  if (info == 26) value = in_.u32_be(), smallest = uint64_t{UINT16_MAX} + 1;
  if (info == 27) value = in_.u64_be(), smallest = uint64_t{UINT32_MAX} + 1;
  if (!value || *value < smallest) return fail(), 0;
  return *value;
}

uint64_t CborReader::u64(uint64_t max) {
  uint64_t value = head(kUnsigned);
  if (value > max) return fail(), 0;
  return value;
}

bool CborReader::boolean() {
  auto first = failed_ ? std::nullopt : in_.u8();
  if (first != kTrue && first != kFalse) return fail(), false;
  return first == kTrue;
}

Bytes CborReader::bytes(size_t max_bytes) {
  uint64_t size = head(kByteString);
  auto taken = failed_ || size > max_bytes ? std::nullopt : in_.take(size);
  if (!taken) return fail(), Bytes{};
  return *taken;
}

std::string_view CborReader::text_view(size_t max_bytes) {
  uint64_t size = head(kTextString);
  auto taken = failed_ || size > max_bytes ? std::nullopt : in_.take(size);
  if (!taken || !valid_utf8(as_text(*taken))) return fail(), std::string_view{};
  return as_text(*taken);
}

size_t CborReader::array(size_t max_count) {
  uint64_t count = head(kArray);
  if (count > max_count) return fail(), 0;
  return count;
}

size_t CborReader::map(size_t exact_count) {
  uint64_t count = head(kMap);
  if (count != exact_count) return fail(), 0;
  return count;
}

size_t CborReader::map_up_to(size_t max_count) {
  uint64_t count = head(kMap);
  if (count > max_count) return fail(), 0;
  return count;
}

void CborReader::key(uint64_t expected) {
  if (u64() != expected) fail();
}

bool valid_utf8(std::string_view text) {
  auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    uint8_t lead = at(i);
    size_t width = lead < 0x80       ? 1
                   : lead >> 5 == 6  ? 2
                   : lead >> 4 == 14 ? 3
                   : lead >> 3 == 30 ? 4
                                     : 0;
    if (width == 0 || i + width > text.size()) return false;
    uint32_t point = width == 1 ? lead : lead & (0x7Fu >> width);
    for (size_t j = 1; j < width; ++j) {
      if (at(i + j) >> 6 != 2) return false;
      point = point << 6 | (at(i + j) & 63u);
    }
    constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[width] || point > 0x10FFFF) return false;
    if (point >= 0xD800 && point <= 0xDFFF) return false;
    i += width;
  }
  return true;
}

}  // namespace cloister
