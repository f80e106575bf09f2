#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/cbor.h"
#include "base/json.h"
#include "base/seams.h"
#include "base/secret.h"
#include "base/text.h"

namespace cloister {
namespace {

TEST(ByteReader, RefusedReadConsumesNothing) {
  const Buffer data{1, 2, 3};
  ByteReader r(data);
  EXPECT_FALSE(r.u32_le());
  EXPECT_EQ(r.u16_le(), 0x0201);
  EXPECT_EQ(r.u8(), 3);
  EXPECT_TRUE(r.done());
  EXPECT_FALSE(r.u8());
}

TEST(ByteReader, EndiannessMatchesTheWriter) {
  ByteWriter w;
  w.u16_be(0x0102).u16_le(0x0102).u24_be(0x010203).u32_be(1).u64_le(2).u64_be(3);
  ByteReader r(w.view());
  EXPECT_EQ(r.u16_be(), 0x0102);
  EXPECT_EQ(r.u16_le(), 0x0102);
  EXPECT_EQ(r.u24_be(), 0x010203u);
  EXPECT_EQ(r.u32_be(), 1u);
  EXPECT_EQ(r.u64_le(), 2u);
  EXPECT_EQ(r.u64_be(), 3u);
  EXPECT_TRUE(r.done());
}

TEST(Text, HexAndBase64RoundTripAndRefuseTheRest) {
  EXPECT_EQ(to_hex(as_bytes("\x01\xff")), "01ff");
  EXPECT_EQ(from_hex("01fF"), (Buffer{1, 255}));
  for (const char* bad : {"1", "0g", "0x01", " 01"}) EXPECT_FALSE(from_hex(bad)) << bad;
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(as_text(*from_base64(to_base64(as_bytes(text)))), text);
  }
  EXPECT_EQ(to_base64(as_bytes("fooba")), "Zm9vYmE=");
  for (std::string_view text : {"", "f", "fo", "foo", "\xfb\xff\xbf"}) {
    EXPECT_EQ(as_text(*from_base64url(to_base64url(as_bytes(text)))), text);
  }
  EXPECT_EQ(to_base64url(as_bytes("\xfb\xff\xbf\xfb")), "-_-_-w");
  for (const char* bad : {"Zg==", "Zh", "+/+/", "A"}) EXPECT_FALSE(from_base64url(bad)) << bad;
  for (const char* bad : {"Zg", "Zh==", "Zm9=", "=Zm9", "Zm9vYm E", "Zg==Zg=="}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

TEST(Text, TimesForPeople) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(1'709'210'096), "2024-02-29T12:34:56Z");
  EXPECT_EQ(utc_text(253'402'300'799), "9999-12-31T23:59:59Z");
  EXPECT_EQ(utc_text(253'402'300'800), "253402300800 seconds");
  EXPECT_EQ(utc_text(-1), "-1 seconds");
}

TEST(Cbor, WritesTheShortestFormAndReadsItBack) {
  CborWriter w;
  w.map(3).key(1).u64(500).key(2).bytes(as_bytes("ab")).key(24).array(2).boolean(true).text("é");
  EXPECT_EQ(to_hex(w.view()), "a3011901f402426162181882f562c3a9");
  CborReader r(w.view());
  r.map(3);
  r.key(1);
  EXPECT_EQ(r.u64(), 500u);
  r.key(2);
  EXPECT_EQ(as_text(r.bytes(2)), "ab");
  r.key(24);
  EXPECT_EQ(r.array(2), 2u);
  EXPECT_TRUE(r.boolean());
  EXPECT_EQ(r.text(2), "é");
  EXPECT_TRUE(r.finish());
}

TEST(Cbor, EachWidthOfAHeadIsWrittenAndRead) {
  for (uint64_t value : {uint64_t{23}, uint64_t{24}, uint64_t{255}, uint64_t{256}, uint64_t{65535},
                         uint64_t{65536}, uint64_t{UINT32_MAX}, uint64_t{1} << 32, UINT64_MAX}) {
    CborWriter w;
    w.u64(value);
    CborReader r(w.view());
    EXPECT_EQ(r.u64(), value);
    EXPECT_TRUE(r.finish());
  }
}

TEST(Cbor, AMapMayHaveABoundRatherThanACount) {
  CborWriter inner;
  inner.u64(7);
  CborWriter w;
  w.map(1).key(3).raw(inner.view());
  CborReader r(w.view());
  EXPECT_EQ(r.map_up_to(1), 1u);
  r.key(3);
  EXPECT_EQ(r.u64(), 7u);
  EXPECT_TRUE(r.finish());
  CborReader narrow(w.view());
  narrow.map_up_to(0);
  EXPECT_FALSE(narrow.ok());
}

TEST(Cbor, RefusesWhatIsNotCanonical) {
  struct Case {
    const char* name;
    const char* hex;
  };
  const Case cases[] = {
      {"long zero", "1800"},
      {"long 23", "1817"},
      {"16-bit 255", "1900ff"},
      {"32-bit 65535", "1a0000ffff"},
      {"64-bit 2^32-1", "1b00000000ffffffff"},
      {"indefinite", "5f"},
      {"reserved info", "1c"},
      {"negative", "20"},
      {"truncated", "19ff"},
      {"trailing", "0000"},
      {"empty", ""},
  };
  for (const Case& c : cases) {
    Buffer raw = *from_hex(c.hex);
    CborReader r(raw);
    r.u64();
    EXPECT_FALSE(r.finish()) << c.name;
  }
}

TEST(Cbor, BoundsAreCheckedBeforeAnythingIsTaken) {
  Buffer huge = *from_hex("5b7fffffffffffffff");
  CborReader r(huge);
  EXPECT_TRUE(r.bytes(SIZE_MAX).empty());
  EXPECT_FALSE(r.ok());
  Buffer three = *from_hex("43010203");
  CborReader limited(three);
  limited.bytes(2);
  EXPECT_FALSE(limited.ok());
}

TEST(Utf8, RefusesSurrogatesOverlongFormsAndStrayBytes) {
  EXPECT_TRUE(valid_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(valid_utf8(bad));
  }
}

TEST(Json, ReadsWhatItWrote) {
  auto value =
      JsonValue::object({{"a", 1}, {"b", JsonValue::Array{true, {}, "x\n\"\x01"}}, {"c", 1.5}});
  auto text = value.dump();
  EXPECT_EQ(text, R"({"a":1,"b":[true,null,"x\n\"\u0001"],"c":1.5})");
  auto back = parse_json(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dump(), text);
  EXPECT_EQ((*back)["a"].u64(), 1u);
  EXPECT_TRUE((*back)["nothing"]["here"].is_null());
}

TEST(Json, WritesEveryKindForMachinesAndForPeople) {
  const auto value = JsonValue::object({{"text", "\\ \r \t"},
                                        {"flags", JsonValue::Array{true, false}},
                                        {"none", JsonValue::Object{}},
                                        {"large", UINT64_MAX},
                                        {"small", -1}});
  EXPECT_EQ(
      value.dump(),
      R"({"text":"\\ \r \t","flags":[true,false],"none":{},"large":18446744073709551615,"small":-1})");
  EXPECT_EQ(value.dump_pretty(), R"({
  "text": "\\ \r \t",
  "flags": [
    true,
    false
  ],
  "none": {},
  "large": 18446744073709551615,
  "small": -1
})");
  EXPECT_EQ(parse_json(value.dump_pretty())->dump(), value.dump());
}

TEST(Json, AValueAnswersOnlyForItsOwnKind) {
  const auto value = parse_json(R"([true, -1, 18446744073709551615, 0.5, "s", null])").value();
  const auto& items = *value.array();
  EXPECT_EQ(items[0].boolean(), true);
  EXPECT_FALSE(items[0].is_number() || items[0].u64() || items[0].string());
  EXPECT_TRUE(items[1].is_number() && !items[1].u64());
  EXPECT_EQ(items[1].i64(), -1);
  EXPECT_EQ(items[2].u64(), UINT64_MAX);
  EXPECT_FALSE(items[2].i64());
  EXPECT_EQ(items[2].number(), 18446744073709551616.0);
  EXPECT_TRUE(items[3].is_number() && !items[3].i64() && !items[3].boolean());
  EXPECT_EQ(items[4].string(), "s");
  EXPECT_TRUE(items[5].is_null() && !items[5].number());
}

TEST(Json, EveryErrorHasItsSentence) {
  for (auto error : {JsonError::too_large, JsonError::too_deep, JsonError::too_many_values,
                     JsonError::duplicate_key, JsonError::bad_number, JsonError::syntax}) {
    EXPECT_GT(describe(error).size(), 10u);
  }
}

TEST(Json, ManyMembersOfOneObjectAreABoundNotAnHourOfComparing) {
  const auto object_of = [](size_t members) {
    std::string text = "{";
    for (size_t i = 0; i < members; ++i) text += fmt::format("{}\"{}\":0", i == 0 ? "" : ",", i);
    return text + "}";
  };
  EXPECT_TRUE(parse_json(object_of(1024)));
  const auto refused = parse_json(object_of(1025));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error, JsonError::too_many_values);
}

TEST(Json, AStringThatArrivesInPartsIsWhole) {
  std::string text = "\"";
  for (int i = 0; i < 5000; ++i) text += "\\u00e9x";
  const auto value = parse_json(text + "\"");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->string()->size(), 15000u);
}

TEST(Json, RefusesEachLibertyByItsOwnError) {
  struct Case {
    const char* name;
    std::string text;
    JsonError want;
  };
  const Case cases[] = {
      {"duplicate key", R"({"a":1,"a":2})", JsonError::duplicate_key},
      {"duplicate by escape", R"({"a":1,"\u0061":2})", JsonError::duplicate_key},
      {"infinite", "[1e400]", JsonError::bad_number},
      {"30 digits", "123456789012345678901234567890", JsonError::bad_number},
      {"33 deep", std::string(33, '[') + std::string(33, ']'), JsonError::too_deep},
      {"trailing", "1 1", JsonError::syntax},
      {"empty", "", JsonError::syntax},
      {"cut", R"({"a":)", JsonError::syntax},
      {"comment", "/**/1", JsonError::syntax},
      {"byte order mark",
       "\xEF\xBB\xBF"
       "1",
       JsonError::syntax},
      {"lone surrogate", R"("\ud800")", JsonError::syntax},
      {"bad UTF-8", "\"\xFF\"", JsonError::syntax},
      {"NaN", "NaN", JsonError::syntax},
      {"too many",
       R"([1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1])",
       JsonError::too_many_values},
      {"too large", std::string(2000, ' '), JsonError::too_large},
  };
  for (const Case& c : cases) {
    auto got = parse_json(c.text, {.max_bytes = 1000, .max_values = 40});
    ASSERT_FALSE(got) << c.name;
    EXPECT_EQ(got.error().error, c.want) << c.name;
  }
}

TEST(Json, RawMemberGivesTheReceivedBytes) {
  constexpr std::string_view text =
      R"( {"x":"a\"tcb\":{", "tcb" : {"v": [1, {"tcb":2}]} ,"s":"f"} )";
  ASSERT_TRUE(parse_json(text));
  EXPECT_EQ(raw_member(text, "tcb"), R"({"v": [1, {"tcb":2}]})");
  EXPECT_EQ(raw_member(text, "s"), R"("f")");
  EXPECT_FALSE(raw_member(text, "v"));
}

TEST(Secret, MovesWipeTheSource) {
  Secret<4> a(Fixed<4>{1, 2, 3, 4});
  Secret<4> b = std::move(a);
  EXPECT_EQ(b.reveal()[3], 4);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): the wipe is tested
  EXPECT_TRUE(all_zero(a.reveal()));
}

TEST(Secret, ConstantTimeEqualityIsEquality) {
  EXPECT_TRUE(equal_constant_time(as_bytes("same"), as_bytes("same")));
  EXPECT_FALSE(equal_constant_time(as_bytes("same"), as_bytes("sama")));
  EXPECT_FALSE(equal_constant_time(as_bytes("same"), as_bytes("sam")));
}

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!Printable<UserText> && !Printable<Secret<32>>);
static_assert(!std::is_convertible_v<UserText, std::string_view>);
static_assert(!std::is_copy_constructible_v<UserText> && !std::is_copy_constructible_v<Secret<32>>);

}  // namespace
}  // namespace cloister
