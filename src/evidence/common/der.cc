#include "evidence/common/der.h"

namespace cloister::evidence {
namespace {

std::optional<size_t> length_of(ByteReader& in) {
  const auto first = in.u8();
  if (!first) return std::nullopt;
  if (*first < 0x80) return *first;
  if (*first == 0x81) {
    const auto length = in.u8();
    return length && *length >= 0x80 ? std::optional<size_t>(*length) : std::nullopt;
  }
  if (*first != 0x82) return std::nullopt;
  const auto length = in.u16_be();
  return length && *length >= 0x100 ? std::optional<size_t>(*length) : std::nullopt;
}

}  // namespace

std::optional<Bytes> DerReader::element(uint8_t tag) {
  ByteReader in = in_;
  const auto found = in.u8();
  if (!found || *found != tag) return std::nullopt;
  const auto length = length_of(in);
  const auto contents = length ? in.take(*length) : std::nullopt;
  if (contents) in_ = in;
  return contents;
}

std::optional<uint16_t> DerReader::u16() {
  DerReader ahead = *this;
  const auto contents = ahead.element(0x02);
  if (!contents || contents->empty() || contents->size() > 3) return std::nullopt;
  Bytes magnitude = *contents;
  if (magnitude[0] >= 0x80) return std::nullopt;  // negative
  if (magnitude[0] == 0 && magnitude.size() > 1) {
    if (magnitude[1] < 0x80) return std::nullopt;  // not minimal
    magnitude = magnitude.subspan(1);
  }
  if (magnitude.size() > 2) return std::nullopt;
  uint16_t value = 0;
  for (uint8_t byte : magnitude) value = static_cast<uint16_t>(value << 8 | byte);
  *this = ahead;
  return value;
}

std::optional<uint8_t> DerReader::enumerated() {
  DerReader ahead = *this;
  const auto contents = ahead.element(0x0a);
  if (!contents || contents->size() != 1 || contents->front() >= 0x80) return std::nullopt;
  *this = ahead;
  return contents->front();
}

std::optional<bool> DerReader::boolean() {
  DerReader ahead = *this;
  const auto contents = ahead.element(0x01);
  if (!contents || contents->size() != 1) return std::nullopt;
  const uint8_t value = contents->front();
  if (value != 0x00 && value != 0xff) return std::nullopt;
  *this = ahead;
  return value == 0xff;
}

}  // namespace cloister::evidence
