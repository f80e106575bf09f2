#include "crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "crypto/x509_internal.h"

namespace cloister::crypto {
namespace {

const char* group_name(Curve curve) {
  return curve == Curve::p256 ? "prime256v1" : "secp384r1";
}
const EVP_MD* md_of(Curve curve) {
  return curve == Curve::p256 ? EVP_sha256() : EVP_sha384();
}

Buffer der_from_rs(Bytes rs) {
  size_t half = rs.size() / 2;
  Owned<ECDSA_SIG> sig{ECDSA_SIG_new()};
  BIGNUM* r = BN_bin2bn(rs.data(), static_cast<int>(half), nullptr);
  BIGNUM* s = BN_bin2bn(rs.data() + half, static_cast<int>(half), nullptr);
  require(sig && r && s && ECDSA_SIG_set0(sig.get(), r, s) == 1);
  uint8_t* der = nullptr;
  int size = i2d_ECDSA_SIG(sig.get(), &der);
  require(size > 0);
  Buffer out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace

Owned<EVP_PKEY> public_from_xy(Curve curve, Bytes xy) {
  if (xy.size() != 2 * coordinate_size(curve)) return nullptr;
  Buffer point{0x04};  // uncompressed, SEC 1 section 2.3.3
  point.insert(point.end(), xy.begin(), xy.end());
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                       const_cast<char*>(group_name(curve)), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  Owned<EVP_PKEY_CTX> ctx{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(ctx.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) return nullptr;
  return Owned<EVP_PKEY>(key);
}

bool on_curve(Curve curve, Bytes public_xy) {
  ClearErrors clear;
  return public_from_xy(curve, public_xy) != nullptr;
}

bool verify_rs(EVP_PKEY* key, Curve curve, Bytes message, Bytes signature_rs) {
  if (signature_rs.size() != 2 * coordinate_size(curve)) return false;
  const Buffer der = der_from_rs(signature_rs);
  const Owned<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
  return EVP_DigestVerifyInit(ctx.get(), nullptr, md_of(curve), nullptr, key) == 1 &&
         EVP_DigestVerify(ctx.get(), der.data(), der.size(), message.data(), message.size()) == 1;
}

bool verify_ecdsa(Curve curve, Bytes public_xy, Bytes message, Bytes signature_rs) {
  ClearErrors clear;
  const auto key = public_from_xy(curve, public_xy);
  return key && verify_rs(key.get(), curve, message, signature_rs);
}

struct PrivateKey::Impl {
  Owned<EVP_PKEY> key;
};

PrivateKey::PrivateKey() : impl_(std::make_unique<Impl>()) {}
PrivateKey::~PrivateKey() = default;
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
void* PrivateKey::handle() const {
  return impl_->key.get();
}

PrivateKey PrivateKey::generate_ec(Curve curve) {
  PrivateKey out;
  out.impl_->key.reset(EVP_EC_gen(group_name(curve)));
  require(out.impl_->key != nullptr);
  return out;
}

PrivateKey PrivateKey::generate_rsa(int bits) {
  PrivateKey out;
  out.impl_->key.reset(EVP_RSA_gen(static_cast<unsigned>(bits)));
  require(out.impl_->key != nullptr);
  return out;
}

std::optional<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  ClearErrors clear;
  Owned<BIO> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  // The empty password keeps OpenSSL from asking on the terminal for an encrypted file.
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, const_cast<char*>(""));
  if (key == nullptr) return std::nullopt;
  PrivateKey out;
  out.impl_->key.reset(key);
  return out;
}

Buffer PrivateKey::spki_der() const {
  uint8_t* der = nullptr;
  int size = i2d_PUBKEY(impl_->key.get(), &der);
  require(size > 0);
  Buffer out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Buffer PrivateKey::public_xy() const {
  size_t size = 0;
  require(EVP_PKEY_get_octet_string_param(impl_->key.get(), OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0,
                                          &size) == 1);
  Buffer point(size);
  require(EVP_PKEY_get_octet_string_param(impl_->key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                          point.size(), &size) == 1);
  require(point.size() % 2 == 1 && point[0] == 0x04);
  return Buffer(point.begin() + 1, point.end());
}

Buffer PrivateKey::sign_ecdsa(Bytes message) const {
  size_t half = public_xy().size() / 2;
  const EVP_MD* md = half == 32 ? EVP_sha256() : EVP_sha384();
  Owned<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
  size_t size = 0;
  require(EVP_DigestSignInit(ctx.get(), nullptr, md, nullptr, impl_->key.get()) == 1);
  require(EVP_DigestSign(ctx.get(), nullptr, &size, message.data(), message.size()) == 1);
  Buffer der(size);
  require(EVP_DigestSign(ctx.get(), der.data(), &size, message.data(), message.size()) == 1);
  const uint8_t* cursor = der.data();
  Owned<ECDSA_SIG> sig{d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size))};
  require(sig != nullptr);
  Buffer out(2 * half);
  int width = static_cast<int>(half);
  require(BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), out.data(), width) == width);
  require(BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), out.data() + half, width) == width);
  return out;
}

SecretBuffer PrivateKey::to_pem() const {
  Owned<BIO> bio{BIO_new(BIO_s_secmem())};
  require(PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return SecretBuffer(data, data + size);
}

}  // namespace cloister::crypto
