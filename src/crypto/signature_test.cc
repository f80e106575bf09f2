#include "crypto/signature.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::crypto {
namespace {

TEST(Ed25519, SignsVerifiesAndRefusesEachChange) {
  SeededRandom random(1);
  auto key = Ed25519Key::generate(random);
  auto signature = key.sign(as_bytes("message"));
  EXPECT_TRUE(verify_ed25519(key.public_key(), as_bytes("message"), signature));
  EXPECT_FALSE(verify_ed25519(key.public_key(), as_bytes("massage"), signature));
  for (size_t i = 0; i < 64; ++i) {
    auto bad = signature;
    bad[i] ^= 1;
    EXPECT_FALSE(verify_ed25519(key.public_key(), as_bytes("message"), bad)) << i;
  }
}

TEST(Ed25519, RefusesSmallOrderKeys) {
  Ed25519Public identity{1};
  Ed25519Signature signature{1};  // R = identity, S = 0 satisfies the cofactored equation
  EXPECT_FALSE(verify_ed25519(identity, as_bytes("anything"), signature));
}

TEST(Ecdsa, BothCurvesRefuseFlipsAndForeignPoints) {
  for (Curve curve : {Curve::p256, Curve::p384}) {
    auto key = PrivateKey::generate_ec(curve);
    auto xy = key.public_xy();
    auto rs = key.sign_ecdsa(as_bytes("m"));
    EXPECT_TRUE(on_curve(curve, xy));
    EXPECT_TRUE(verify_ecdsa(curve, xy, as_bytes("m"), rs));
    EXPECT_FALSE(verify_ecdsa(curve, xy, as_bytes("n"), rs));
    auto bad = rs;
    bad.back() ^= 1;
    EXPECT_FALSE(verify_ecdsa(curve, xy, as_bytes("m"), bad));
    EXPECT_FALSE(verify_ecdsa(curve, xy, as_bytes("m"), Buffer(rs.size(), 0)));
    EXPECT_FALSE(verify_ecdsa(curve, xy, as_bytes("m"), Bytes(rs).first(rs.size() - 1)));
    auto off = xy;
    off.back() ^= 1;
    EXPECT_FALSE(on_curve(curve, off));
    EXPECT_FALSE(verify_ecdsa(curve, off, as_bytes("m"), rs));
  }
}

TEST(PrivateKey, PemRoundTrip) {
  auto key = PrivateKey::generate_ec(Curve::p256);
  auto pem = key.to_pem();
  auto back = PrivateKey::from_pem({reinterpret_cast<const char*>(pem.data()), pem.size()});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->spki_der(), key.spki_der());
  EXPECT_FALSE(
      PrivateKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
}

}  // namespace
}  // namespace cloister::crypto
