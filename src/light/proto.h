// Protocol-buffer bytes as CometBFT hashes and signs them (proto3): fields in rising order, zero
// scalars and empty strings left out, sub-messages marked ALWAYS written even when empty.
// Hand-written because what is hashed must not depend on a generator's options (docs: 41-consensus,
// 2.5 and 3.1).
#pragma once

#include "base/bytes.h"

namespace cloister::light {

void append_varint(ByteWriter& out, uint64_t value);

class ProtoWriter {
 public:
  ProtoWriter& varint(uint32_t field, uint64_t value);  // left out when zero
  // Negative values take ten bytes, as int32 and int64 do.
  ProtoWriter& signed_varint(uint32_t field, int64_t value) {
    return varint(field, static_cast<uint64_t>(value));
  }
  ProtoWriter& sfixed64(uint32_t field, int64_t value);  // left out when zero
  ProtoWriter& bytes(uint32_t field, Bytes value);       // left out when empty
  ProtoWriter& text(uint32_t field, std::string_view value) {
    return bytes(field, as_bytes(value));
  }
  ProtoWriter& message(uint32_t field, Bytes encoded);  // ALWAYS written

  Buffer take() { return out_.take(); }

 private:
  ByteWriter out_;
};

Buffer length_prefixed(Bytes message);  // uvarint(len) || message: what a vote's signature covers

}  // namespace cloister::light
