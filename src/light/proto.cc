#include "light/proto.h"

namespace cloister::light {
namespace {

constexpr uint32_t kWireVarint = 0;
constexpr uint32_t kWireFixed64 = 1;
constexpr uint32_t kWireBytes = 2;

}  // namespace

void append_varint(ByteWriter& out, uint64_t value) {
  while (value >= 0x80) {
    out.u8(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.u8(static_cast<uint8_t>(value));
}

ProtoWriter& ProtoWriter::varint(uint32_t field, uint64_t value) {
  if (value == 0) return *this;
  append_varint(out_, field << 3 | kWireVarint);
  append_varint(out_, value);
  return *this;
}

ProtoWriter& ProtoWriter::sfixed64(uint32_t field, int64_t value) {
  if (value == 0) return *this;
  append_varint(out_, field << 3 | kWireFixed64);
  out_.u64_le(static_cast<uint64_t>(value));
  return *this;
}

ProtoWriter& ProtoWriter::bytes(uint32_t field, Bytes value) {
  return value.empty() ? *this : message(field, value);
}

ProtoWriter& ProtoWriter::message(uint32_t field, Bytes encoded) {
  append_varint(out_, field << 3 | kWireBytes);
  append_varint(out_, encoded.size());
  out_.bytes(encoded);
  return *this;
}

Buffer length_prefixed(Bytes message) {
  ByteWriter out;
  append_varint(out, message.size());
  out.bytes(message);
  return out.take();
}

}  // namespace cloister::light
