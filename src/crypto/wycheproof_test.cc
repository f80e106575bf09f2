// What Wycheproof knows of the primitives behind this folder, whole files. Where our interface
// cannot even express an input (another nonce size, a signature of another length), that is the
// refusal.
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vectors_testing.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/signature.h"
#include "crypto/x25519.h"

namespace cloister::crypto {
namespace {

class Wycheproof : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = vectors_folder(CLOISTER_SOURCE_DIR);
    if (!found) GTEST_SKIP() << "no vectors beside the checkout";
    folder_ = *found / "crypto/wycheproof";
  }
  // `body(group, test)` for each test of the file, whose count must be `count`.
  template <typename Body>
  void for_each(std::string_view file, uint64_t count, Body body) const {
    const auto text = read_file(folder_ / file, 4 << 20);
    ASSERT_TRUE(text);
    const auto document = parse_json(as_text(*text), {8 << 20, 1'000'000, 4096});
    ASSERT_TRUE(document);
    uint64_t seen = 0;
    for (const auto& group : *(*document)["testGroups"].array()) {
      for (const auto& test : *group["tests"].array()) {
        SCOPED_TRACE(*test["tcId"].u64());
        body(group, test);
        ++seen;
      }
    }
    EXPECT_EQ(seen, count);
  }
  std::filesystem::path folder_;
};

Buffer field(const JsonValue& test, std::string_view name) {
  return bytes_of_hex(*test[name].string());
}
bool is(const JsonValue& test, std::string_view result) {
  return *test["result"].string() == result;
}

// Whether our interface can express the input at all; the others are refused by their size.
bool check_aead(AeadKind kind, const JsonValue& test) {
  const Buffer key = field(test, "key"), aad = field(test, "aad"), message = field(test, "msg");
  Buffer sealed = field(test, "ct");
  const Buffer tag = field(test, "tag");
  sealed.insert(sealed.end(), tag.begin(), tag.end());
  const auto nonce = to_fixed<kAeadNonceBytes>(field(test, "iv"));
  if (!nonce || key.size() != aead_key_size(kind)) return false;
  Buffer out(message.size(), 0xa5);
  const bool opened = AeadOpener(kind, key).open(*nonce, aad, sealed, out);
  EXPECT_EQ(opened, is(test, "valid"));
  if (!opened) {
    EXPECT_TRUE(all_zero(out));
    return true;
  }
  EXPECT_EQ(out, message);
  Buffer again(sealed.size());
  AeadSealer(kind, key).seal(*nonce, aad, message, again);
  EXPECT_EQ(again, sealed);
  return true;
}

TEST_F(Wycheproof, AesGcm) {
  size_t checked = 0;
  for_each("aes_gcm_test.json", 316, [&](const JsonValue& group, const JsonValue& test) {
    const auto bits = *group["keySize"].u64();
    if (bits == 128) checked += size_t{check_aead(AeadKind::aes_128_gcm, test)};
    if (bits == 256) checked += size_t{check_aead(AeadKind::aes_256_gcm, test)};
  });
  EXPECT_EQ(checked, 133u);
}

TEST_F(Wycheproof, ChaCha20Poly1305) {
  size_t checked = 0;
  for_each("chacha20_poly1305_test.json", 325, [&](const JsonValue&, const JsonValue& test) {
    checked += size_t{check_aead(AeadKind::chacha20_poly1305, test)};
  });
  EXPECT_EQ(checked, 316u);
}

TEST_F(Wycheproof, X25519) {
  size_t refused = 0;
  for_each("x25519_test.json", 518, [&](const JsonValue&, const JsonValue& test) {
    const X25519Key key(Secret<32>(*to_fixed<32>(field(test, "private"))));
    const auto shared = key.agree(*to_fixed<32>(field(test, "public")));
    const Buffer expected = field(test, "shared");
    // "acceptable" leaves a choice; ours is to refuse zeros and nothing else.
    ASSERT_EQ(shared.has_value(), !all_zero(expected));
    if (shared) {
      EXPECT_TRUE(equal(shared->reveal(), expected));
    } else {
      ++refused;
    }
  });
  EXPECT_EQ(refused, 31u);
}

TEST_F(Wycheproof, HkdfSha256) {
  for_each("hkdf_sha256_test.json", 86, [](const JsonValue&, const JsonValue& test) {
    const auto size = *test["size"].u64();
    if (is(test, "invalid")) {
      ASSERT_GT(size, 255u * 32);  // the caller's fault, which aborts
      return;
    }
    const auto prk = hkdf_extract(HashKind::sha256, field(test, "salt"), field(test, "ikm"));
    const auto okm = hkdf_expand(HashKind::sha256, prk, field(test, "info"), size);
    EXPECT_EQ(to_hex(okm), *test["okm"].string());
  });
}

TEST_F(Wycheproof, Ed25519) {
  for_each("ed25519_test.json", 150, [](const JsonValue& group, const JsonValue& test) {
    const auto key = to_fixed<32>(bytes_of_hex(*group["publicKey"]["pk"].string()));
    const auto signature = to_fixed<64>(field(test, "sig"));
    const bool holds = key && signature && verify_ed25519(*key, field(test, "msg"), *signature);
    EXPECT_EQ(holds, is(test, "valid"));
  });
}

void check_ecdsa(Curve curve, const JsonValue& group, const JsonValue& test) {
  const Buffer point = bytes_of_hex(*group["publicKey"]["uncompressed"].string());
  ASSERT_EQ(point.front(), 4);
  const bool holds =
      verify_ecdsa(curve, Bytes(point).subspan(1), field(test, "msg"), field(test, "sig"));
  EXPECT_EQ(holds, is(test, "valid"));
}

TEST_F(Wycheproof, EcdsaRaw) {
  for_each("ecdsa_secp256r1_sha256_p1363_test.json", 262,
           [](const JsonValue& g, const JsonValue& t) { check_ecdsa(Curve::p256, g, t); });
  for_each("ecdsa_secp384r1_sha384_p1363_test.json", 280,
           [](const JsonValue& g, const JsonValue& t) { check_ecdsa(Curve::p384, g, t); });
}

TEST(X25519, BothSidesAgree) {
  SeededRandom random(1);
  const auto one = X25519Key::generate(random), other = X25519Key::generate(random);
  const auto here = one.agree(other.public_key()), there = other.agree(one.public_key());
  ASSERT_TRUE(here && there);
  EXPECT_TRUE(equal(here->reveal(), there->reveal()));
}

TEST(Aead, OneSealerManyMessages) {
  const Fixed<32> key{1};
  for (AeadKind kind : {AeadKind::aes_256_gcm, AeadKind::chacha20_poly1305}) {
    AeadSealer sealer(kind, key);
    AeadOpener opener(kind, key);
    for (uint8_t i = 0; i < 5; ++i) {
      const Buffer text(i, i);  // an empty one too
      Buffer sealed(text.size() + kAeadTagBytes), out(text.size());
      sealer.seal(AeadNonce{i}, as_bytes("aad"), text, sealed);
      EXPECT_TRUE(opener.open(AeadNonce{i}, as_bytes("aad"), sealed, out));
      EXPECT_EQ(out, text);
      EXPECT_FALSE(opener.open(AeadNonce{i}, as_bytes("aae"), sealed, out));
      EXPECT_FALSE(opener.open(AeadNonce{9}, as_bytes("aad"), sealed, out));
    }
    EXPECT_FALSE(opener.open({}, {}, Buffer(kAeadTagBytes - 1), {}));
  }
}

}  // namespace
}  // namespace cloister::crypto
