#include "light/json_form.h"

#include <gtest/gtest.h>

#include <functional>

#include "light/light_testing.h"

namespace cloister::light {
namespace {

LightBlock sample() {
  static const TestValidator kFirst = test_validator(1, 10);
  static const TestValidator kSecond = test_validator(2, 20);
  TestChain chain("c");
  chain.append({&kFirst, &kSecond}, {&kFirst, &kSecond});
  chain.append({&kFirst, &kSecond}, {&kFirst, &kSecond});
  return chain.at(2);
}

JsonValue reparsed(const JsonValue& value) {
  return *parse_json(value.dump());
}

TEST(JsonForm, SignedHeadersSurviveTheWay) {
  SignedHeader header = sample().signed_header;
  header.commit.signatures[1] = CommitSig{};  // an absent validator
  const auto got = parse_signed_header(reparsed(to_json(header)));
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, header);
  EXPECT_EQ(to_json(*got).dump(), to_json(header).dump());
}

TEST(JsonForm, ValidatorsSurviveTheWay) {
  const ValidatorsPage page{2, 2, sample().validators};
  const auto got = parse_validators_page(reparsed(to_json(page)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->validators, page.validators);
  EXPECT_EQ(got->total, 2U);
  EXPECT_EQ(got->height, 2);
}

TEST(JsonForm, QueryResponsesSurviveTheWay) {
  QueryResponse response;
  response.key = {1, 2, 3};
  response.value = Buffer{4, 5};
  response.height = 7;
  response.proof = {{"smt:v1", {1, 2, 3}, {9}}, {"simple:v", {8}, {7, 6}}};
  EXPECT_EQ(parse_query_response(reparsed(to_json(response))).value(), response);
  response.value.reset();
  EXPECT_EQ(parse_query_response(reparsed(to_json(response))).value(), response);
  response.value = Buffer();
  EXPECT_EQ(parse_query_response(reparsed(to_json(response))).value(), response);
}

TEST(JsonForm, Times) {
  EXPECT_EQ(time_text({1570983284, 0}), "2019-10-13T16:14:44Z");
  EXPECT_EQ(time_text({1514170801, 234'000'000}), "2017-12-25T03:00:01.234Z");
  EXPECT_EQ(time_text(Timestamp{}), "0001-01-01T00:00:00Z");
  for (const char* text : {"2019-10-13T16:14:44Z", "2017-12-25T03:00:01.234Z",
                           "0001-01-01T00:00:00Z", "2024-02-29T23:59:59.999999999Z"}) {
    const auto time = time_from(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(time_text(*time), text);
  }
  for (const char* text :
       {"", "Z", "2019-10-13T16:14:44", "2019-10-13T16:14:44+00:00", "2019-13-13T16:14:44Z",
        "2019-02-29T16:14:44Z", "2019-10-13T24:14:44Z", "2019-10-13T16:60:44Z",
        "2019-10-13T16:14:60Z", "2019-10-13t16:14:44Z", "2019-10-13T16:14:44.Z",
        "2019-10-13T16:14:44.10Z", "2019-10-13T16:14:44.0Z", "2019-10-13T16:14:44.1234567891Z",
        "2019-10-13T16:14:44.12a4Z", "0000-01-01T00:00:00Z", "2019-10-13T16:14:4-Z"}) {
    EXPECT_FALSE(time_from(text)) << text;
  }
}

TEST(JsonForm, Integers) {
  EXPECT_EQ(int64_from("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(int64_from("0"), 0);
  for (const char* text :
       {"", "-", "-0", "00", "01", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "9223372036854775808"}) {
    EXPECT_FALSE(int64_from(text)) << text;
  }
  EXPECT_FALSE(int64_from(JsonValue(1)));
}

// Every required member, removed or of another kind, is refused.
void expect_each_member_is_needed(const JsonValue& whole, std::vector<std::string> path,
                                  const std::function<bool(const JsonValue&)>& accepts) {
  ASSERT_TRUE(accepts(whole));
  const auto rebuild = [&](auto&& self, const JsonValue& node, size_t depth,
                           const JsonValue* leaf) -> JsonValue {
    JsonValue out = JsonValue::Object();
    for (const auto& [key, value] : *node.members()) {
      if (key != path[depth]) {
        out.set(key, value);
      } else if (depth + 1 < path.size()) {
        out.set(key, self(self, value, depth + 1, leaf));
      } else if (leaf) {
        out.set(key, *leaf);
      }
    }
    return out;
  };
  const JsonValue wrong[] = {JsonValue(), JsonValue(true), JsonValue("?"), JsonValue(-1),
                             JsonValue(JsonValue::Array())};
  EXPECT_FALSE(accepts(rebuild(rebuild, whole, 0, nullptr))) << path.back();
  for (const JsonValue& leaf : wrong) {
    EXPECT_FALSE(accepts(rebuild(rebuild, whole, 0, &leaf))) << path.back() << leaf.dump();
  }
}

TEST(JsonForm, EachMemberOfASignedHeaderIsNeeded) {
  const JsonValue whole = to_json(sample().signed_header);
  const auto accepts = [](const JsonValue& v) { return parse_signed_header(v).has_value(); };
  for (const auto& [key, value] : *whole["header"].members()) {
    if (key == "chain_id") continue;  // any text is a chain id; the verifier compares it
    expect_each_member_is_needed(whole, {"header", key}, accepts);
  }
  for (const auto& [key, value] : *whole["commit"].members()) {
    if (key == "signatures") continue;  // an empty list has the form; the verifier counts
    expect_each_member_is_needed(whole, {"commit", key}, accepts);
  }
  expect_each_member_is_needed(whole, {"header", "version", "block"}, accepts);
  expect_each_member_is_needed(whole, {"header", "last_block_id", "parts"}, accepts);
  expect_each_member_is_needed(whole, {"commit", "block_id", "parts", "total"}, accepts);
}

TEST(JsonForm, HostileFormsAreRefused) {
  const std::string good = to_json(sample().signed_header).dump();
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const auto value = parse_json(text);
    return value && parse_signed_header(*value);
  };
  EXPECT_TRUE(replaced("\"height\":\"2\"", "\"height\":\"2\""));
  EXPECT_FALSE(replaced("\"height\":\"2\"", "\"height\":2"));
  EXPECT_FALSE(replaced("\"height\":\"2\"", "\"height\":\"02\""));
  EXPECT_FALSE(replaced("\"height\":\"2\"", "\"height\":\"2\",\"height\":\"2\""));
  EXPECT_FALSE(replaced("\"block\":\"11\"", "\"block\":\"-11\""));
  EXPECT_FALSE(replaced("\"block_id_flag\":2", "\"block_id_flag\":4"));
  EXPECT_FALSE(replaced("\"block_id_flag\":2", "\"block_id_flag\":0"));
  EXPECT_FALSE(replaced("\"data_hash\":\"E3", "\"data_hash\":\"e3"));
  EXPECT_FALSE(replaced("\"data_hash\":\"E3", "\"data_hash\":\"E3E3"));
  EXPECT_FALSE(replaced("==\"", "=\""));
}

TEST(JsonForm, ListsAreBounded) {
  Commit many;
  many.signatures.resize(kMaxValidators + 1);
  SignedHeader header = sample().signed_header;
  header.commit.signatures = many.signatures;
  EXPECT_FALSE(parse_signed_header(to_json(header)));
  header.commit.signatures.pop_back();
  EXPECT_TRUE(parse_signed_header(to_json(header)));

  ValidatorsPage page{2, 2, ValidatorSet(kValidatorsPerPage + 1, sample().validators[0])};
  EXPECT_FALSE(parse_validators_page(to_json(page)));
  page.validators.pop_back();
  EXPECT_TRUE(parse_validators_page(to_json(page)));
  page.total = kMaxValidators + 1;
  EXPECT_FALSE(parse_validators_page(to_json(page)));

  QueryResponse response;
  response.proof.resize(kMaxProofOps + 1);
  EXPECT_FALSE(parse_query_response(to_json(response)));
}

}  // namespace
}  // namespace cloister::light
