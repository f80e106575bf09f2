#include "crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/openssl.h"

namespace cloister::crypto {
namespace {

// Fetched once: OpenSSL 3 otherwise looks the implementation up at each use, which takes longer
// than to hash a short message. They live as long as the process.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  require(md != nullptr);
  return md;
}

const EVP_MD* md_of(HashKind kind) {
  static const EVP_MD* const kSha256 = fetched("SHA256");
  static const EVP_MD* const kSha384 = fetched("SHA384");
  static const EVP_MD* const kSha512 = fetched("SHA512");
  switch (kind) {
    case HashKind::sha256:
      return kSha256;
    case HashKind::sha384:
      return kSha384;
    case HashKind::sha512:
      return kSha512;
  }
  std::abort();
}

// `out` has the hash's size.
void digest(HashKind kind, Bytes data, uint8_t* out) {
  thread_local const Owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
  require(EVP_DigestInit_ex(context.get(), md_of(kind), nullptr) == 1 &&
          EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
          EVP_DigestFinal_ex(context.get(), out, nullptr) == 1);
}

template <size_t N>
Fixed<N> digest(HashKind kind, Bytes data) {
  Fixed<N> out;
  digest(kind, data, out.data());
  return out;
}

}  // namespace

Hash32 sha256(Bytes data) {
  return digest<32>(HashKind::sha256, data);
}
Fixed<48> sha384(Bytes data) {
  return digest<48>(HashKind::sha384, data);
}
Fixed<64> sha512(Bytes data) {
  return digest<64>(HashKind::sha512, data);
}

namespace {

// One digest of SHA-3's family; an extendable one fills `out`, another has its size.
void sha3_family(const EVP_MD* md, bool extendable, Bytes data, std::span<uint8_t> out) {
  Owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
  require(EVP_DigestInit_ex(context.get(), md, nullptr) == 1 &&
          EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1);
  require((extendable ? EVP_DigestFinalXOF(context.get(), out.data(), out.size())
                      : EVP_DigestFinal_ex(context.get(), out.data(), nullptr)) == 1);
}

}  // namespace

Hash32 sha3_256(Bytes data) {
  static const EVP_MD* const kSha3 = fetched("SHA3-256");
  Hash32 out;
  sha3_family(kSha3, false, data, out);
  return out;
}

SecretBuffer shake256(Bytes data, size_t size) {
  static const EVP_MD* const kShake = fetched("SHAKE256");
  SecretBuffer out(size);
  sha3_family(kShake, true, data, out);
  return out;
}

struct Sha256::Context {
  Owned<EVP_MD_CTX> md{EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  require(EVP_DigestInit_ex(context_->md.get(), md_of(HashKind::sha256), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(Bytes data) {
  require(EVP_DigestUpdate(context_->md.get(), data.data(), data.size()) == 1);
  return *this;
}

Hash32 Sha256::finish() {
  Hash32 out;
  require(EVP_DigestFinal_ex(context_->md.get(), out.data(), nullptr) == 1);
  return out;
}

size_t size_bytes(HashKind kind) {
  return static_cast<size_t>(EVP_MD_get_size(md_of(kind)));
}

Buffer hash(HashKind kind, Bytes data) {
  Buffer out(size_bytes(kind));
  digest(kind, data, out.data());
  return out;
}

SecretBuffer hmac(HashKind kind, Bytes key, Bytes data) {
  SecretBuffer out(size_bytes(kind));
  // OpenSSL refuses a null key pointer even when the length is zero.
  const uint8_t* key_data = key.empty() ? reinterpret_cast<const uint8_t*>("") : key.data();
  require(HMAC(md_of(kind), key_data, static_cast<int>(key.size()), data.data(), data.size(),
               out.data(), nullptr) != nullptr);
  return out;
}

SecretBuffer hkdf_extract(HashKind kind, Bytes salt, Bytes input_key) {
  return hmac(kind, salt, input_key);  // OpenSSL 3.0's KDF cannot take an empty salt
}

SecretBuffer hkdf_expand(HashKind kind, Bytes pseudo_random_key, Bytes info, size_t size) {
  static EVP_KDF* const kHkdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);  // as long as the process
  Owned<EVP_KDF_CTX> ctx{EVP_KDF_CTX_new(kHkdf)};
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  auto octets = [](const char* name, Bytes value) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(value.data()),
                                             value.size());
  };
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                       const_cast<char*>(EVP_MD_get0_name(md_of(kind))), 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      octets(OSSL_KDF_PARAM_KEY, pseudo_random_key), octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end()};
  SecretBuffer out(size);
  require(EVP_KDF_derive(ctx.get(), out.data(), out.size(), params) == 1);
  return out;
}

}  // namespace cloister::crypto
