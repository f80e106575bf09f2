// Authenticated encryption with associated data (RFC 5116): AES-GCM and ChaCha20-Poly1305. One key
// each way; the caller owns the nonces and must never use one twice under a key.
#pragma once

#include <memory>

#include "base/secret.h"

namespace cloister::crypto {

// HPKE's numbers (RFC 9180, 7.3).
enum class AeadKind : uint16_t { aes_128_gcm = 1, aes_256_gcm = 2, chacha20_poly1305 = 3 };
constexpr size_t aead_key_size(AeadKind kind) {
  return kind == AeadKind::aes_128_gcm ? 16 : 32;
}
constexpr size_t kAeadNonceBytes = 12;
constexpr size_t kAeadTagBytes = 16;
using AeadNonce = Fixed<kAeadNonceBytes>;

struct AeadContext;  // OpenSSL's; wiped when it ends

// `key` must have aead_key_size(kind) bytes.
class AeadSealer {
 public:
  AeadSealer(AeadKind kind, Bytes key);
  ~AeadSealer();
  AeadSealer(AeadSealer&&) noexcept;
  AeadSealer& operator=(AeadSealer&&) noexcept;
  // Writes the ciphertext and then the tag; `out` has the plaintext's size and kAeadTagBytes more.
  void seal(const AeadNonce& nonce, Bytes associated, Bytes plaintext, std::span<uint8_t> out);

 private:
  std::unique_ptr<AeadContext> context_;
};

class AeadOpener {
 public:
  AeadOpener(AeadKind kind, Bytes key);
  ~AeadOpener();
  AeadOpener(AeadOpener&&) noexcept;
  AeadOpener& operator=(AeadOpener&&) noexcept;
  // False when the tag does not hold or `sealed` is shorter than one; `out`, kAeadTagBytes shorter
  // than `sealed`, then holds zeros: nothing unauthenticated is handed out.
  [[nodiscard]] bool open(const AeadNonce& nonce, Bytes associated, Bytes sealed,
                          std::span<uint8_t> out);

 private:
  std::unique_ptr<AeadContext> context_;
};

}  // namespace cloister::crypto
