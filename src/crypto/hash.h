// SHA-2, SHA-3, HMAC and HKDF. A failure inside OpenSSL here is our own bug or an exhausted
// machine: it aborts.
#pragma once

#include <memory>

#include "base/secret.h"

namespace cloister::crypto {

Hash32 sha256(Bytes data);
Fixed<48> sha384(Bytes data);
Fixed<64> sha512(Bytes data);
Hash32 sha3_256(Bytes data);                           // FIPS 202
SecretBuffer shake256(Bytes data, size_t size_bytes);  // FIPS 202

// SHA-256 of a stream.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256& update(Bytes data);
  Sha256& update(std::string_view text) { return update(as_bytes(text)); }
  Hash32 finish();  // the object may not be used afterwards

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

enum class HashKind { sha256, sha384, sha512 };
size_t size_bytes(HashKind kind);
Buffer hash(HashKind kind, Bytes data);
SecretBuffer hmac(HashKind kind, Bytes key, Bytes data);

// RFC 5869. An empty salt means a string of zeros, as the RFC says.
SecretBuffer hkdf_extract(HashKind kind, Bytes salt, Bytes input_key);
SecretBuffer hkdf_expand(HashKind kind, Bytes pseudo_random_key, Bytes info, size_t size_bytes);

}  // namespace cloister::crypto
