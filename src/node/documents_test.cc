#include "node/documents.h"

#include <gtest/gtest.h>

namespace cloister::node {
namespace {

std::optional<std::string> shown(std::string_view text, size_t max_bytes, size_t step) {
  Excerpt excerpt(max_bytes);
  for (size_t at = 0; at < text.size(); at += step) excerpt.feed(as_bytes(text.substr(at, step)));
  const auto out = excerpt.take();
  if (!out) return std::nullopt;
  return std::string(out->reveal());
}

TEST(Excerpt, AShortTextIsShownWholeHoweverItComes) {
  const std::string text = "Grüße aus Paris";
  for (size_t step = 1; step <= text.size(); ++step) {
    EXPECT_EQ(shown(text, 64, step), text);
    EXPECT_EQ(shown(text, 18, step), text) << "exactly as much as fits";
  }
  EXPECT_EQ(shown("", 64, 1), "");
}

TEST(Excerpt, OfALongOneTheBeginningAndTheEnd) {
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  for (const size_t step : {1u, 3u, 7u, 36u}) EXPECT_EQ(shown(text, 8, step), "0123\n[…]\nwxyz");
  EXPECT_EQ(shown(text, 1, 5), "\n[…]\n") << "no room at all";
}

TEST(Excerpt, NoCharacterIsCutInTwo) {
  for (const std::string_view letter : {"ü", "€", "😀"}) {
    std::string text;
    for (size_t i = 0; i < 40; ++i) text += letter;
    for (size_t most = 2; most < 40; ++most) {
      const auto got = shown(text, most, 5);
      ASSERT_TRUE(got) << most;
      EXPECT_LE(got->size(), most + std::string_view("\n[…]\n").size());
    }
  }
}

TEST(Excerpt, WhatIsNoTextIsRefused) {
  EXPECT_FALSE(shown("\xff\xfe", 64, 1));
  EXPECT_FALSE(shown("abc\xc3", 64, 1)) << "it ends in the middle of a character";
  const std::string binary("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 10);
  EXPECT_FALSE(shown(binary, 8, 1));
}

// A file of 50 MB costs no more memory than what is shown of it.
TEST(Excerpt, ALargeTextIsReadInPieces) {
  Excerpt excerpt(1000);
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 50; ++i) excerpt.feed(as_bytes(piece));
  excerpt.feed(as_bytes("the end"));
  const auto out = excerpt.take();
  ASSERT_TRUE(out);
  EXPECT_TRUE(out->reveal().ends_with("xthe end"));
  EXPECT_EQ(out->size_bytes(), 1000 + std::string_view("\n[…]\n").size());
}

}  // namespace
}  // namespace cloister::node
