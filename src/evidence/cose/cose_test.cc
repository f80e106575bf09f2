#include <gtest/gtest.h>

#include "base/text.h"
#include "evidence/cose/sign1.h"

namespace cloister::evidence::cose {
namespace {

std::optional<CborValue> read(std::string_view hex) {
  static std::vector<Buffer> kept;  // values are views
  kept.push_back(from_hex(hex).value());
  auto value = read_cbor(kept.back());
  return value ? std::optional(*value) : std::nullopt;
}

TEST(CborTree, ReadsEachKindAndAnswersOnlyForIt) {
  EXPECT_EQ(read("00")->integer(), 0);
  EXPECT_EQ(read("3822")->integer(), -35);
  EXPECT_EQ(read("1b7fffffffffffffff")->integer(), INT64_MAX);
  EXPECT_EQ(read("3b7fffffffffffffff")->integer(), INT64_MIN);
  EXPECT_EQ(to_hex(*read("420102")->bytes()), "0102");
  EXPECT_EQ(read("62c3a9")->text(), "é");
  EXPECT_TRUE(read("f6")->is_null());
  EXPECT_FALSE(read("f5")->is_null() || read("f5")->integer() || read("00")->text());
  EXPECT_EQ(read("d20a")->tagged()->tag, 18u);
  EXPECT_EQ(read("83010203")->array()->size(), 3u);
  EXPECT_EQ(read("9f0102ff")->array()->size(), 2u);
  const auto map = read(
                       "bf0161616162ff"
                       "")
                       .value_or(CborValue());
  EXPECT_TRUE(map.is_null());  // an odd number of items
  EXPECT_EQ(read("bf01616161610aff")->find(1)->text(), "a");
  EXPECT_EQ(read("a201616161610a")->find("a")->integer(), 10);
  EXPECT_EQ(read("a10102")->find(3), nullptr);
  EXPECT_EQ(read("80")->find(3), nullptr);
}

TEST(CborTree, RefusesEveryLiberty) {
  struct Row {
    const char* name;
    std::string hex;
  };
  std::string deep, wide = "9a00000401";
  for (int i = 0; i < 9; ++i) deep += "81";
  for (int i = 0; i < 1025; ++i) wide += "00";
  const Row rows[] = {
      {"empty", ""},
      {"cut", "4201"},
      {"something after it", "0000"},
      {"a head longer than needed", "1817"},
      {"sixteen bits for eight", "1900ff"},
      {"thirty-two for sixteen", "1a0000ffff"},
      {"sixty-four for thirty-two", "1b00000000ffffffff"},
      {"past 63 bits", "1b8000000000000000"},
      {"a string in chunks", "5f4101ff"},
      {"a text in chunks", "7f6161ff"},
      {"an integer of no length", "1f"},
      {"a tag of no length", "df00"},
      {"half float", "f93c00"},
      {"float", "fa3f800000"},
      {"double", "fb3ff0000000000000"},
      {"undefined", "f7"},
      {"another simple value", "e0"},
      {"a simple value in two bytes", "f820"},
      {"a break outside", "ff"},
      {"reserved additional information", "1c"},
      {"invalid UTF-8", "61ff"},
      {"a key twice", "a201000100"},
      {"a text key twice", "a2616100616100"},
      {"a byte string as key", "a1410100"},
      {"an array as key", "a18000"},
      {"an open array", "9f01"},
      {"an open map", "bf01"},
      {"a map of a million", "ba000f4240"},
      {"a byte string of 2^63", "5b7fffffffffffffff"},
      {"nine deep", deep + "00"},
      {"1026 items", wide},
  };
  for (const Row& row : rows) EXPECT_FALSE(read(row.hex)) << row.name;
  EXPECT_TRUE(read(deep.substr(2) + "00"));  // eight deep
}

TEST(Sign1, OnlyTheKeyThatSignedVerifies) {
  for (const auto curve : {crypto::Curve::p256, crypto::Curve::p384}) {
    const auto key = crypto::PrivateKey::generate_ec(curve);
    const auto other = crypto::PrivateKey::generate_ec(curve);
    const bool p384 = curve == crypto::Curve::p384;
    const Buffer header = from_hex(p384 ? "a1013822" : "a10126").value();
    const Buffer payload = {1, 2, 3};
    const Buffer signature = key.sign_ecdsa(sig_structure(header, payload));
    const std::string hex = "84" + std::string(p384 ? "44" : "43") + to_hex(header) + "a0" + "43" +
                            to_hex(payload) + (p384 ? "5860" : "5840") + to_hex(signature);
    const Buffer bytes = from_hex(hex).value();
    const auto message = parse_sign1(bytes, Tag::optional);
    ASSERT_TRUE(message);
    EXPECT_FALSE(parse_sign1(bytes, Tag::required));
    const auto public_of = [](const crypto::PrivateKey& k) {
      return crypto::PublicKey::from_spki_der(k.spki_der()).value();
    };
    EXPECT_TRUE(verify(*message, public_of(key)));
    EXPECT_FALSE(verify(*message, public_of(other)));
    const auto odd =
        crypto::PrivateKey::generate_ec(p384 ? crypto::Curve::p256 : crypto::Curve::p384);
    EXPECT_FALSE(verify(*message, public_of(odd)));
  }
}

TEST(Sign1, PartsOfOtherKindsAreMalformed) {
  const std::string header = "44a1013822", signature = "5860" + std::string(192, '0');
  const std::string good = "84" + header + "a0" + "4101" + signature;
  ASSERT_TRUE(parse_sign1(from_hex(good).value(), Tag::optional));
  const std::string bad[] = {
      "83" + header + "a0" + "4101",
      "84" + header + "80" + "4101" + signature,
      "84" + header + "a0" + "f6" + signature,
      "84" + header + "a0" + "4101" + "00",
      "84"
      "a1013822"
      "a0"
      "4101" +
          signature,
      "84"
      "41ff"
      "a0"
      "4101" +
          signature,
      "d18100",
      "a0",
  };
  for (const std::string& hex : bad) {
    const Buffer bytes = from_hex(hex).value();
    const auto got = parse_sign1(bytes, Tag::optional);
    ASSERT_FALSE(got) << hex;
    EXPECT_EQ(got.error().error, Error::malformed) << hex;
  }
}

}  // namespace
}  // namespace cloister::evidence::cose
