#include "crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/hash.h"
#include "crypto/x509_internal.h"

namespace cloister::crypto {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 4096;
constexpr size_t kMaxSpkiBytes = 1024;

bool usable(KeyKind kind, const EVP_PKEY* key) {
  if (kind == KeyKind::ec_p256 || kind == KeyKind::ec_p384) {
    return !public_xy_of(key, kind).empty();  // uncompressed
  }
  const int bits = EVP_PKEY_get_bits(key);
  return kind == KeyKind::rsa && bits >= kMinRsaBits && bits <= kMaxRsaBits;
}

Owned<EVP_PKEY> rsa_public(Bytes modulus, Bytes exponent) {
  Owned<BIGNUM> n{BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr)};
  Owned<BIGNUM> e{BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr)};
  Owned<OSSL_PARAM_BLD> builder{OSSL_PARAM_BLD_new()};
  require(n && e && builder &&
          OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
          OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  Owned<OSSL_PARAM> parameters{OSSL_PARAM_BLD_to_param(builder.get())};
  Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Owned<EVP_PKEY>{key};
}

bool verify_rsassa(EVP_PKEY* key, const EVP_MD* digest, Bytes message, Bytes signature) {
  if (signature.size() != static_cast<size_t>(EVP_PKEY_get_size(key))) return false;
  Owned<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* parameters = nullptr;  // owned by ctx
  return EVP_DigestVerifyInit(ctx.get(), &parameters, digest, nullptr, key) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) == 1 &&
         EVP_DigestVerify(ctx.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace

struct PublicKey::Impl {
  Owned<EVP_PKEY> key;
  KeyKind kind{};
  Buffer spki;
};

std::optional<PublicKey> PublicKey::from_spki_der(Bytes der) {
  ClearErrors clear;
  if (der.size() > kMaxSpkiBytes) return std::nullopt;
  const uint8_t* cursor = der.data();
  auto impl = std::make_shared<Impl>();
  impl->key.reset(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(der.size())));
  if (!impl->key || cursor != der.data() + der.size()) return std::nullopt;
  impl->kind = key_kind_of(impl->key.get());
  if (!usable(impl->kind, impl->key.get())) return std::nullopt;
  if (!equal(der_of(impl->key.get(), i2d_PUBKEY), der)) return std::nullopt;
  impl->spki = to_buffer(der);
  PublicKey out;
  out.impl_ = std::move(impl);
  return out;
}

std::optional<PublicKey> PublicKey::from_pem(std::string_view pem) {
  ClearErrors clear;
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----",
                             kEnd = "-----END PUBLIC KEY-----";
  const size_t end = pem.find(kEnd);
  if (!pem.starts_with(kBegin) || end == std::string_view::npos) return std::nullopt;
  if (pem.find_first_not_of("\r\n", end + kEnd.size()) != std::string_view::npos) {
    return std::nullopt;
  }
  Owned<BIO> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  Owned<EVP_PKEY> key{PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
  if (!key) return std::nullopt;
  return from_spki_der(der_of(key.get(), i2d_PUBKEY));
}

std::optional<PublicKey> PublicKey::from_ec_point(Curve curve, Bytes xy) {
  ClearErrors clear;
  const auto key = public_from_xy(curve, xy);
  if (!key) return std::nullopt;
  return from_spki_der(der_of(key.get(), i2d_PUBKEY));
}

std::optional<PublicKey> PublicKey::from_rsa(Bytes modulus, Bytes exponent) {
  ClearErrors clear;
  const auto minimal = [](Bytes number, size_t max_bytes) {
    return !number.empty() && number.size() <= max_bytes && number.front() != 0;
  };
  if (!minimal(modulus, kMaxRsaBits / 8) || !minimal(exponent, 4)) return std::nullopt;
  if (exponent.back() % 2 == 0 || (exponent.size() == 1 && exponent[0] < 3)) return std::nullopt;
  const auto key = rsa_public(modulus, exponent);
  if (!key) return std::nullopt;
  return from_spki_der(der_of(key.get(), i2d_PUBKEY));
}

std::string PublicKey::to_pem() const {
  Owned<BIO> bio{BIO_new(BIO_s_mem())};
  require(bio && PEM_write_bio_PUBKEY(bio.get(), impl_->key.get()) == 1);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

KeyKind PublicKey::kind() const {
  return impl_->kind;
}
const Buffer& PublicKey::spki_der() const {
  return impl_->spki;
}
Hash32 PublicKey::spki_sha256() const {
  return sha256(impl_->spki);
}
Buffer PublicKey::public_xy() const {
  return public_xy_of(impl_->key.get(), impl_->kind);
}

bool PublicKey::verify(SignatureScheme scheme, Bytes message, Bytes signature) const {
  ClearErrors clear;
  EVP_PKEY* key = impl_->key.get();
  const KeyKind kind = impl_->kind;
  switch (scheme) {
    case SignatureScheme::ecdsa_p256_sha256:
      return kind == KeyKind::ec_p256 && verify_rs(key, Curve::p256, message, signature);
    case SignatureScheme::ecdsa_p384_sha384:
      return kind == KeyKind::ec_p384 && verify_rs(key, Curve::p384, message, signature);
    case SignatureScheme::rsassa_pkcs1_sha256:
      return kind == KeyKind::rsa && verify_rsassa(key, EVP_sha256(), message, signature);
    case SignatureScheme::rsassa_pkcs1_sha384:
      return kind == KeyKind::rsa && verify_rsassa(key, EVP_sha384(), message, signature);
  }
  std::abort();
}

}  // namespace cloister::crypto
