// Starts a domain-separated SHA-256 or message: "tag" ‖ 00. For the source files of this folder.
#pragma once

#include "crypto/hash.h"

namespace cloister::ledger {

inline ByteWriter tagged(std::string_view tag) {
  ByteWriter out;
  out.text(tag).u8(0);
  return out;
}

inline Hash32 chain_hash(std::string_view chain_id) {
  return crypto::sha256(as_bytes(chain_id));
}

}  // namespace cloister::ledger
