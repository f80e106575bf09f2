// A strict reader of DER (X.690) for the structures inside extensions that no library knows:
// Intel's SGX extension, DICE identities. Single-byte tags, definite minimal lengths up to 64 KiB.
// A refused read consumes nothing.
#pragma once

#include "base/bytes.h"

namespace cloister::evidence {

class DerReader {
 public:
  explicit DerReader(Bytes input) : in_(input) {}

  std::optional<Bytes> element(uint8_t tag);  // contents of the next element; it must have this tag
  std::optional<Bytes> sequence() { return element(0x30); }
  std::optional<Bytes> oid() { return element(0x06); }  // encoded arcs, not decoded
  std::optional<Bytes> octets() { return element(0x04); }
  std::optional<uint16_t> u16();        // INTEGER, minimal, 0 to 65535
  std::optional<uint8_t> enumerated();  // one byte, 0 to 127
  std::optional<bool> boolean();        // 00 or FF only

  bool done() const { return in_.done(); }

 private:
  ByteReader in_;
};

}  // namespace cloister::evidence
