// Shared by the source files of this folder.
#pragma once

#include "crypto/openssl.h"
#include "crypto/signer_memo.h"
#include "crypto/x509.h"

namespace cloister::crypto {

struct Certificate::Impl {
  Owned<X509> x509;
  Buffer der, subject, issuer, spki, public_xy;
  KeyKind key_kind{};
  SignatureKind signature_kind{};
  mutable SignerMemo signer;
};

struct Crl::Impl {
  Owned<X509_CRL> crl;
  Buffer der, issuer;
  std::vector<Buffer> revoked;  // sorted
  mutable SignerMemo signer;
};

Buffer name_der(const X509_NAME* name);
Buffer magnitude(const ASN1_INTEGER* number);
std::optional<UnixSeconds> seconds_of(const ASN1_TIME* time);
KeyKind key_kind_of(const EVP_PKEY* key);
Buffer public_xy_of(const EVP_PKEY* key, KeyKind kind);  // empty unless EC
Owned<EVP_PKEY> public_from_xy(Curve curve, Bytes xy);   // null: not on the curve
SignatureKind signature_kind_of(const X509_ALGOR* algorithm);
// The issuer's key suits the signature's algorithm: ECDSA only with the curve's own hash.
bool key_suits(KeyKind issuer_key, SignatureKind signature);
// ECDSA with the hash of the key's curve; the signature is raw r‖s.
bool verify_rs(EVP_PKEY* key, Curve curve, Bytes message, Bytes signature_rs);

template <typename T, typename Encode>
Buffer der_of(T* object, Encode encode) {
  uint8_t* data = nullptr;
  int size = encode(object, &data);
  require(size >= 0);
  Buffer out(data, data + size);
  OPENSSL_free(data);
  return out;
}

}  // namespace cloister::crypto
