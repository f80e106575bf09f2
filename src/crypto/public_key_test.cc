#include "crypto/public_key.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "crypto/x509_internal.h"

namespace cloister::crypto {
namespace {

std::string pem_of(const PrivateKey& key) {
  Owned<BIO> bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PUBKEY(bio.get(), static_cast<EVP_PKEY*>(key.handle()));
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

Buffer rsa_signature(const PrivateKey& key, const EVP_MD* digest, Bytes message) {
  Owned<EVP_MD_CTX> ctx{EVP_MD_CTX_new()};
  EVP_DigestSignInit(ctx.get(), nullptr, digest, nullptr, static_cast<EVP_PKEY*>(key.handle()));
  size_t size = 0;
  EVP_DigestSign(ctx.get(), nullptr, &size, message.data(), message.size());
  Buffer out(size);
  EVP_DigestSign(ctx.get(), out.data(), &size, message.data(), message.size());
  out.resize(size);
  return out;
}

TEST(PublicKey, OneKeyInThreeFormsIsOneKey) {
  for (Curve curve : {Curve::p256, Curve::p384}) {
    const auto key = PrivateKey::generate_ec(curve);
    const auto from_der = PublicKey::from_spki_der(key.spki_der());
    const auto from_pem = PublicKey::from_pem(pem_of(key));
    const auto from_point = PublicKey::from_ec_point(curve, key.public_xy());
    ASSERT_TRUE(from_der && from_pem && from_point);
    EXPECT_EQ(from_der->spki_sha256(), from_pem->spki_sha256());
    EXPECT_EQ(from_der->spki_sha256(), from_point->spki_sha256());
    EXPECT_EQ(from_der->public_xy(), key.public_xy());
    EXPECT_EQ(from_der->to_pem(), pem_of(key));
  }
}

TEST(PublicKey, AnRsaKeyIsItsModulusAndExponent) {
  const auto key = PrivateKey::generate_rsa(2048);
  const Buffer spki = key.spki_der();
  // SubjectPublicKeyInfo of RSA-2048: … INTEGER 00 ‖ n, INTEGER 010001.
  const Buffer n(spki.end() - 5 - 256, spki.end() - 5), e = {1, 0, 1};
  const auto made = PublicKey::from_rsa(n, e);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->spki_der(), spki);
  Buffer padded = n;
  padded.insert(padded.begin(), 0);
  EXPECT_FALSE(PublicKey::from_rsa(padded, e));
  EXPECT_FALSE(PublicKey::from_rsa(n, Buffer{0, 1, 0, 1}));
  EXPECT_FALSE(PublicKey::from_rsa(n, Buffer{1}));
  EXPECT_FALSE(PublicKey::from_rsa(n, Buffer{1, 0, 0}));
  EXPECT_FALSE(PublicKey::from_rsa(n, Buffer{1, 0, 0, 0, 1}));
  EXPECT_FALSE(PublicKey::from_rsa({}, e));
  EXPECT_FALSE(PublicKey::from_rsa(n, {}));
  EXPECT_FALSE(PublicKey::from_rsa(Bytes(n).first(255), e));  // 2040 bits
  EXPECT_FALSE(PublicKey::from_rsa(Buffer(513, 0xFF), e));
}

TEST(PublicKey, ASchemeVerifiesOnlyWithItsOwnKindOfKey) {
  const Buffer message = to_buffer(as_bytes("what was signed"));
  const auto p256 = PrivateKey::generate_ec(Curve::p256);
  const auto p384 = PrivateKey::generate_ec(Curve::p384);
  const auto rsa = PrivateKey::generate_rsa(2048);
  struct Signed {
    SignatureScheme scheme;
    const PrivateKey* key;
    Buffer signature;
  };
  const Signed all[] = {
      {SignatureScheme::ecdsa_p256_sha256, &p256, p256.sign_ecdsa(message)},
      {SignatureScheme::ecdsa_p384_sha384, &p384, p384.sign_ecdsa(message)},
      {SignatureScheme::rsassa_pkcs1_sha256, &rsa, rsa_signature(rsa, EVP_sha256(), message)},
      {SignatureScheme::rsassa_pkcs1_sha384, &rsa, rsa_signature(rsa, EVP_sha384(), message)},
  };
  for (const Signed& made : all) {
    const auto key = PublicKey::from_spki_der(made.key->spki_der()).value();
    for (const Signed& other : all) {
      EXPECT_EQ(key.verify(other.scheme, message, made.signature), made.scheme == other.scheme);
    }
    Buffer spoilt = made.signature;
    spoilt.back() ^= 1;
    EXPECT_FALSE(key.verify(made.scheme, message, spoilt));
    spoilt = made.signature;
    spoilt.push_back(0);
    EXPECT_FALSE(key.verify(made.scheme, message, spoilt));
    EXPECT_FALSE(key.verify(made.scheme, as_bytes("something else"), made.signature));
  }
}

TEST(PublicKey, RefusesEveryOtherKeyAndForm) {
  const auto p256 = PrivateKey::generate_ec(Curve::p256);
  const Buffer good = p256.spki_der();
  Buffer trailing = good;
  trailing.push_back(0);
  EXPECT_FALSE(PublicKey::from_spki_der(trailing));
  EXPECT_FALSE(PublicKey::from_spki_der(Buffer(2000)));
  EXPECT_FALSE(PublicKey::from_spki_der(PrivateKey::generate_rsa(1024).spki_der()));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(PublicKey::from_spki_der(Bytes(good).first(size))) << size;
  }
  Buffer off_curve = p256.public_xy();
  off_curve.back() ^= 1;
  EXPECT_FALSE(PublicKey::from_ec_point(Curve::p256, off_curve));
  EXPECT_FALSE(PublicKey::from_ec_point(Curve::p384, p256.public_xy()));

  // The same point in compressed form: SEC 1, 2.3.3.
  Buffer compressed = from_hex("3039301306072a8648ce3d020106082a8648ce3d030107032200").value();
  compressed.push_back(p256.public_xy().back() % 2 == 0 ? 2 : 3);
  const Buffer xy = p256.public_xy();
  compressed.insert(compressed.end(), xy.begin(), xy.begin() + 32);
  EXPECT_FALSE(PublicKey::from_spki_der(compressed));

  const std::string pem = pem_of(p256);
  EXPECT_TRUE(PublicKey::from_pem(pem));
  EXPECT_FALSE(PublicKey::from_pem("text before\n" + pem));
  EXPECT_FALSE(PublicKey::from_pem(pem + pem));
  EXPECT_FALSE(PublicKey::from_pem(pem.substr(0, pem.size() / 2)));
  EXPECT_FALSE(PublicKey::from_pem(""));
}

}  // namespace
}  // namespace cloister::crypto
