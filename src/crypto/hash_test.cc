#include "crypto/hash.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace cloister::crypto {
namespace {

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha384({})).substr(0, 16), "38b060a751ac9638");
  EXPECT_EQ(to_hex(sha512({})).substr(0, 16), "cf83e1357eefb8bd");
}

// FIPS 202, the examples of the empty message.
TEST(Hash, Sha3OfNothing) {
  EXPECT_EQ(to_hex(sha3_256({})),
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
  EXPECT_EQ(to_hex(shake256({}, 32)),
            "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
  EXPECT_EQ(to_hex(shake256({}, 8)), "46b9dd2b0ba88d13");
}

TEST(Hash, StreamEqualsWhole) {
  Sha256 stream;
  stream.update("a").update("").update("bc");
  EXPECT_EQ(stream.finish(), sha256(as_bytes("abc")));
}

TEST(Hkdf, Rfc5869CaseOneAndEmptySalt) {
  Buffer ikm(22, 0x0b);
  auto prk = hkdf_extract(HashKind::sha256, *from_hex("000102030405060708090a0b0c"), ikm);
  auto okm = hkdf_expand(HashKind::sha256, prk, *from_hex("f0f1f2f3f4f5f6f7f8f9"), 42);
  EXPECT_EQ(to_hex(okm),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  auto no_salt = hkdf_extract(HashKind::sha256, {}, ikm);
  EXPECT_EQ(to_hex(hkdf_expand(HashKind::sha256, no_salt, {}, 42)).substr(0, 16),
            "8da4e775a563c18f");
}

}  // namespace
}  // namespace cloister::crypto
