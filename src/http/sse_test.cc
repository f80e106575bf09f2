#include "http/sse.h"

#include <gtest/gtest.h>

namespace cloister::http {
namespace {

using namespace std::string_literals;

TEST(Sse, WhatIsWrittenIsReadInPiecesOfAnySize) {
  std::string stream;
  const std::string data[] = {"one", "", "two\nlines", "ä €\n", "data: x"};
  for (const std::string& d : data) {
    auto event = sse_event(d, d.empty() ? "named" : "");
    ASSERT_TRUE(event);
    stream += as_text(*event);
    stream += as_text(sse_comment_ping());
  }
  for (size_t step = 1; step <= stream.size(); ++step) {
    SseReader reader;
    std::vector<SseEvent> all;
    for (size_t at = 0; at < stream.size(); at += step) {
      auto events = reader.put(as_bytes(std::string_view(stream).substr(at, step)));
      ASSERT_TRUE(events);
      for (SseEvent& e : *events) all.push_back(std::move(e));
    }
    ASSERT_EQ(all.size(), std::size(data)) << step;
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].text(), data[i]);
    EXPECT_EQ(all[1].name, "named");
    EXPECT_TRUE(reader.at_rest());
  }
}

TEST(Sse, WriterRefusesWhatBreaksTheFraming) {
  EXPECT_FALSE(sse_event("a\rb"));
  EXPECT_FALSE(sse_event("a\0b"s));
  EXPECT_FALSE(sse_event("a", "b\nc"));
  EXPECT_TRUE(sse_event("a\nb", "c"));
}

TEST(Sse, ReaderRefuses) {
  struct Case {
    const char* name;
    std::string stream;
    bool good;
  };
  const Case cases[] = {
      {"LF", "data: a\n\n", true},
      {"CRLF", "data: a\r\n\r\n", true},
      {"unknown field", "other: a\nid: 1\nretry: 3\ndata: a\n\n", true},
      {"CR inside", "data: a\rb\n\n", false},
      {"NUL", "data: a\0\n\n"s, false},
      {"not UTF-8", "data: \xff\n\n", false},
      {"byte order mark and field",
       "\xff\xfe"
       "data: a\n\n",
       false},
      {"line at the limit", "data: " + std::string(kMaxSseLineBytes - 6, 'a') + "\n\n", true},
      {"line over the limit", "data: " + std::string(kMaxSseLineBytes - 5, 'a') + "\n\n", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    SseReader reader;
    EXPECT_EQ(reader.put(as_bytes(c.stream)).has_value(), c.good);
    EXPECT_EQ(reader.put(as_bytes("\n")).has_value(), c.good) << "an error is for good";
  }
  SseReader reader;
  std::string line = "data: " + std::string(kMaxSseLineBytes - 100, 'a') + "\n";
  Status last;
  for (int i = 0; i < 6 && last; ++i) {
    auto events = reader.put(as_bytes(line));
    if (!events) last = std::unexpected(events.error());
  }
  EXPECT_FALSE(last) << "an event over its limit";
}

TEST(Sse, EveryTruncationIsSeen) {
  const std::string stream = "event: x\ndata: abc\n\n";
  for (size_t size = 1; size < stream.size(); ++size) {
    SseReader reader;
    auto events = reader.put(as_bytes(std::string_view(stream).substr(0, size)));
    ASSERT_TRUE(events);
    EXPECT_TRUE(events->empty());
    EXPECT_FALSE(reader.at_rest()) << size;
  }
}

}  // namespace
}  // namespace cloister::http
