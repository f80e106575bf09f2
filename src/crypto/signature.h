// Signatures and their keys. Verifiers answer bool because a signature has one way to be wrong;
// what a refusal means is the caller's error. Verifiers take hostile keys and signatures of any
// content.
#pragma once

#include <memory>

#include "base/seams.h"
#include "base/secret.h"

namespace cloister::crypto {

// --- Ed25519 (RFC 8032), libsodium, strict: canonical S, no small-order keys
// -------------------------
using Ed25519Public = Fixed<32>;
using Ed25519Signature = Fixed<64>;

class Ed25519Key {
 public:
  static Ed25519Key generate(Random& random);
  static Ed25519Key from_seed(const Secret<32>& seed);
  const Ed25519Public& public_key() const { return public_; }
  Ed25519Signature sign(Bytes message) const;
  Secret<32> seed() const;

 private:
  Ed25519Key() = default;
  Secret<64> secret_;
  Ed25519Public public_{};
};

bool verify_ed25519(const Ed25519Public& key, Bytes message, const Ed25519Signature& signature);

// --- ECDSA on NIST curves; keys X‖Y and signatures r‖s are raw, big-endian
// ---------------------------
enum class Curve { p256, p384 };
constexpr size_t coordinate_size(Curve curve) {
  return curve == Curve::p256 ? 32 : 48;
}

// Hash: SHA-256 for P-256, SHA-384 for P-384. A point off the curve, r or s outside [1, n-1]:
// false. High s is accepted: Intel's quoting enclave emits it.
bool verify_ecdsa(Curve curve, Bytes public_xy, Bytes message, Bytes signature_rs);
bool on_curve(Curve curve, Bytes public_xy);

// A key of OpenSSL: EC P-256 or P-384, RSA. Move-only; the private half is optional.
class PrivateKey {
 public:
  static PrivateKey generate_ec(Curve curve);
  static PrivateKey generate_rsa(int bits);
  static std::optional<PrivateKey> from_pem(std::string_view pem);
  ~PrivateKey();
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;

  Buffer spki_der() const;                 // SubjectPublicKeyInfo
  Buffer public_xy() const;                // EC only
  Buffer sign_ecdsa(Bytes message) const;  // raw r‖s with the curve's hash
  SecretBuffer to_pem() const;             // PKCS#8, unencrypted
  void* handle() const;                    // EVP_PKEY*, lent, for src/crypto and src/channel only

 private:
  PrivateKey();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::crypto
