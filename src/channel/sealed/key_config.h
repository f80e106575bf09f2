// The public half of one key epoch: an X-Wing key and an X25519 key, as two key configurations of
// Oblivious HTTP (RFC 9458, 3), each behind its length (media type application/ohttp-keys). These
// are the bytes that the instance signs and the ledger keeps.
#pragma once

#include "channel/sealed/chunks.h"
#include "channel/sealed/error.h"
#include "crypto/hpke/hpke.h"

namespace cloister::sealed {

// key_id: twice the epoch modulo 128, and one more for X25519.
constexpr uint8_t key_id_of(uint64_t epoch, crypto::KemKind kem) {
  return static_cast<uint8_t>((epoch % 128) * 2 + (kem == crypto::KemKind::x25519 ? 1 : 0));
}

struct KeyConfig {
  uint8_t x_wing_id = 0;
  Buffer x_wing;  // public key
  uint8_t x25519_id = 0;
  Buffer x25519;

  uint8_t id(crypto::KemKind kem) const {
    return kem == crypto::KemKind::x_wing ? x_wing_id : x25519_id;
  }
  Bytes public_key(crypto::KemKind kem) const {
    return kem == crypto::KemKind::x_wing ? x_wing : x25519;
  }
};

Buffer encode_key_config(const KeyConfig& config);
// Exactly what encode_key_config writes: both keys, of their sizes, under different ids, each for
// HKDF-SHA256 with AES-256-GCM alone.
Result<KeyConfig> decode_key_config(Bytes encoded);

}  // namespace cloister::sealed
