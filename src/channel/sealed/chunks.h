// What all chunked encryption here shares: one AEAD, one chunk size, the mark of the last chunk,
// and keys out of a secret and a salt.
#pragma once

#include <string_view>

#include "crypto/aead.h"

namespace cloister::sealed {

constexpr crypto::AeadKind kAead = crypto::AeadKind::aes_256_gcm;  // the one beside every KEM
constexpr size_t kMaxChunkBytes = 64 * 1024;                       // plaintext
constexpr size_t kMaxSealedChunkBytes = kMaxChunkBytes + crypto::kAeadTagBytes;

// The associated data of a chunk: whoever cuts the last one off has no other that says so.
inline Bytes chunk_mark(bool last) {
  return last ? as_bytes("final") : Bytes();
}

struct ChunkKey {
  SecretBuffer key;
  crypto::AeadNonce base_nonce{};  // chunk i: XOR i
};
// HKDF-SHA256: the two labels are the infos of key and nonce.
ChunkKey derive_chunk_key(Bytes salt, Bytes secret, std::string_view key_label,
                          std::string_view nonce_label);

}  // namespace cloister::sealed
