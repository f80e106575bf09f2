// A public key that came by itself (PEM, JWK), and the signatures that the formats of attestation
// make with such keys.
#pragma once

#include "crypto/x509.h"

namespace cloister::crypto {

// ECDSA signatures are raw r‖s, RSA signatures as long as the modulus.
enum class SignatureScheme : uint8_t {
  ecdsa_p256_sha256,
  ecdsa_p384_sha384,
  rsassa_pkcs1_sha256,  // RFC 8017, 8.2
  rsassa_pkcs1_sha384,
};

class PublicKey {
 public:
  // SubjectPublicKeyInfo, DER or one PEM block: EC P-256 or P-384, or RSA of 2048 to 4096 bits.
  // Nothing for anything else, a point off its curve, or trailing bytes.
  static std::optional<PublicKey> from_spki_der(Bytes der);
  static std::optional<PublicKey> from_pem(std::string_view pem);
  static std::optional<PublicKey> from_ec_point(Curve curve, Bytes xy);
  // RSA, both big-endian without leading zeros. The exponent is odd and from 3 to 2^32 - 1.
  static std::optional<PublicKey> from_rsa(Bytes modulus, Bytes exponent);

  std::string to_pem() const;

  KeyKind kind() const;
  const Buffer& spki_der() const;
  Hash32 spki_sha256() const;
  Buffer public_xy() const;  // EC keys; empty for RSA

  // False also when the scheme does not suit the key.
  bool verify(SignatureScheme scheme, Bytes message, Bytes signature) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;  // immutable, so copies share it
};

}  // namespace cloister::crypto
