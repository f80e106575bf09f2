// Hybrid public key encryption (RFC 9180), base mode, HKDF-SHA256: what one side seals for the
// owner of a key, in order, and secrets that both sides export. Nothing here proves who sent a
// message.
#pragma once

#include <expected>

#include "crypto/aead.h"
#include "crypto/hpke/kem.h"

namespace cloister::crypto {

constexpr uint16_t kHpkeKdfSha256 = 0x0001;

enum class HpkeError : uint8_t {
  bad_public_key = 1,    // of another size, or one that the mechanism refuses
  bad_encapsulated = 2,  // the same of `enc`
  not_authentic = 3,     // a tag does not hold: changed, out of order, or for another key
};
std::string_view describe(HpkeError error);

// What both contexts have after the key schedule (RFC 9180, 5.1).
struct HpkeSecrets {
  SecretBuffer key;  // gone once the cipher has it
  AeadNonce base_nonce{};
  SecretBuffer exporter;
  Buffer suite_id;
};

class HpkeSender {
 public:
  // `info` must be the same on both sides.
  static std::expected<HpkeSender, HpkeError> setup(KemKind kem, AeadKind aead, Bytes public_key,
                                                    Bytes info, Random& random);
  Bytes encapsulated() const { return encapsulated_; }
  // Ciphertext, then tag; `out` has the plaintext's size and kAeadTagBytes more. Aborts after
  // 2^64 - 1 messages, before a nonce would come twice.
  void seal(Bytes associated, Bytes plaintext, std::span<uint8_t> out);
  SecretBuffer export_secret(std::string_view context, size_t size_bytes) const;

 private:
  HpkeSender(Buffer encapsulated, AeadKind aead, HpkeSecrets secrets);
  Buffer encapsulated_;
  HpkeSecrets secrets_;
  AeadSealer sealer_;
  uint64_t sequence_ = 0;
};

class HpkeRecipient {
 public:
  static std::expected<HpkeRecipient, HpkeError> setup(const KemKey& key, AeadKind aead,
                                                       Bytes encapsulated, Bytes info);
  // Messages in the order in which they were sealed; a refused one does not advance it, and leaves
  // zeros in `out`, which is kAeadTagBytes shorter than `sealed`.
  std::expected<void, HpkeError> open(Bytes associated, Bytes sealed, std::span<uint8_t> out);
  SecretBuffer export_secret(std::string_view context, size_t size_bytes) const;

 private:
  HpkeRecipient(AeadKind aead, HpkeSecrets secrets);
  HpkeSecrets secrets_;
  AeadOpener opener_;
  uint64_t sequence_ = 0;
};

// base_nonce XOR sequence (RFC 9180, 5.2), also as Oblivious HTTP numbers its chunks.
AeadNonce numbered_nonce(const AeadNonce& base, uint64_t sequence);

}  // namespace cloister::crypto
