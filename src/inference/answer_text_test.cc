#include "inference/answer_text.h"

#include <gtest/gtest.h>

#include "base/cbor.h"

namespace cloister::inference {
namespace {

std::vector<UserText> texts(std::initializer_list<std::string_view> list) {
  std::vector<UserText> out;
  for (std::string_view text : list) out.emplace_back(text);
  return out;
}

// Feeds `bytes` in pieces of `size` and joins what comes out; each delta must be UTF-8 by itself.
std::string through(const std::vector<UserText>& stops, std::string_view bytes, size_t size) {
  AnswerText text(stops);
  std::string out;
  const auto take = [&](const UserText& delta) {
    EXPECT_TRUE(valid_utf8(delta.reveal()));
    out += delta.reveal();
  };
  for (size_t at = 0; at < bytes.size() && !text.met_stop(); at += size) {
    take(text.add(bytes.substr(at, size)));
  }
  take(text.finish());
  return out;
}

TEST(AnswerText, NoDeltaSplitsACharacterHoweverThePiecesFall) {
  const std::string_view all = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";  // a é € 😀 z
  for (size_t size = 1; size <= all.size(); ++size) EXPECT_EQ(through({}, all, size), all) << size;
}

TEST(AnswerText, WhatIsNotUtf8BecomesTheReplacementCharacter) {
  struct Case {
    std::string_view bytes, want;
  };
  const Case cases[] = {
      {"a\xff"
       "b",
       "a\ufffdb"},
      {"\xc0\x80", "\ufffd\ufffd"},            // overlong
      {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},  // a surrogate
      {"\xe2\x82"
       "x",
       "\ufffd\ufffdx"},                                 // cut short by another character
      {"x\xf0\x9f\x98", "x\ufffd\ufffd\ufffd"},          // cut short by the end
      {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},  // past U+10FFFF
  };
  for (const Case& c : cases) {
    for (size_t size = 1; size <= c.bytes.size(); ++size)
      EXPECT_EQ(through({}, c.bytes, size), c.want);
  }
}

TEST(AnswerText, EndsBeforeTheFirstStopText) {
  const auto stops = texts({"\n\nUser:", "END"});
  for (size_t size = 1; size < 20; ++size) {
    EXPECT_EQ(through(stops, "one\n\nUser: two END", size), "one") << size;
    EXPECT_EQ(through(stops, "one EN two END\n\nUser:", size), "one EN two ") << size;
    EXPECT_EQ(through(stops, "one\n\nUse", size), "one\n\nUse") << size;
    EXPECT_EQ(through(stops, "one\n\n\nUser:", size), "one\n") << size;
    EXPECT_EQ(through(texts({"aab"}), "xaaab", size), "xa") << size;
    EXPECT_EQ(through(texts({"\u20ac"}), "5 \u20ac", size), "5 ") << size;
  }
}

TEST(AnswerText, HoldsBackOnlyWhatMayStillBecomeAStop) {
  const auto stops = texts({"END"});
  AnswerText text(stops);
  EXPECT_EQ(text.add("one E").reveal(), "one ");
  EXPECT_EQ(text.add("N").reveal(), "");
  EXPECT_EQ(text.add("T").reveal(), "ENT");
  EXPECT_FALSE(text.met_stop());
  EXPECT_EQ(text.add("EN").reveal(), "");
  EXPECT_EQ(text.add("D more").reveal(), "");
  EXPECT_TRUE(text.met_stop());
  EXPECT_EQ(text.add("more").reveal(), "");
  EXPECT_EQ(text.finish().reveal(), "");
}

}  // namespace
}  // namespace cloister::inference
