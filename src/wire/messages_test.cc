#include "wire/messages.h"

#include <gtest/gtest.h>

namespace cloister::wire {
namespace {

Request sample() {
  Request out;
  inference::ChatMessage message;
  message.content = UserText("What is the capital of France?");
  out.messages.push_back(std::move(message));
  out.max_tokens = 64;
  out.stops.emplace_back("\n\n");
  out.salt.fill(9);
  return out;
}

TEST(Request, RoundTripsToTheBit) {
  auto encoded = sample().encode();
  auto back = Request::decode(encoded);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->encode(), encoded);
  EXPECT_EQ(back->messages[0].content.reveal(), "What is the capital of France?");
  EXPECT_EQ(back->max_tokens, 64u);
}

TEST(Request, EveryTruncationAndATrailingByteAreRefused) {
  auto encoded = sample().encode();
  for (size_t n = 0; n < encoded.size(); ++n)
    EXPECT_FALSE(Request::decode(Bytes(encoded).first(n)));
  encoded.push_back(0);
  EXPECT_FALSE(Request::decode(encoded));
}

TEST(Request, DocumentsRoundTripAndEveryTruncationIsRefused) {
  auto request = sample();
  request.documents.push_back({"http://127.0.0.1:1/blob/aa", Secret<32>(Fixed<32>{1})});
  request.documents.push_back({"http://127.0.0.1:1/blob/bb", Secret<32>(Fixed<32>{2})});
  const auto encoded = request.encode();
  const auto back = Request::decode(encoded);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->documents.size(), 2u);
  EXPECT_EQ(back->documents[1].uri, "http://127.0.0.1:1/blob/bb");
  EXPECT_EQ(back->encode(), encoded);
  for (size_t n = 0; n < encoded.size(); ++n)
    EXPECT_FALSE(Request::decode(Bytes(encoded).first(n)));
  for (size_t i = 0; i < 3; ++i)
    request.documents.push_back({"http://127.0.0.1:1/blob/cc", Secret<32>(Fixed<32>{3})});
  EXPECT_FALSE(Request::decode(request.encode())) << "too many";
}

TEST(Request, BadUtf8IsRefused) {
  auto request = sample();
  request.messages[0].content = UserText("\xFF");
  EXPECT_FALSE(Request::decode(request.encode()));
}

TEST(Hashes, DependOnSaltAndText) {
  Fixed<32> salt{}, other{1};
  EXPECT_NE(answer_hash("a", salt), answer_hash("b", salt));
  EXPECT_NE(answer_hash("a", salt), answer_hash("a", other));
  EXPECT_NE(answer_hash("a", salt), request_hash(as_bytes("a"), salt));
}

TEST(Frames, ReassembleFromSingleBytes) {
  Done done;
  done.result = {12, 34, inference::FinishReason::length};
  done.receipt = {1, 2, 3};
  done.answer_salt.fill(5);
  std::vector<Frame> sent;
  sent.emplace_back(Text{UserText("Paris")});
  sent.emplace_back(std::move(done));
  sent.emplace_back(Failed{Refusal::busy});
  FrameReader reader;
  for (const auto& frame : sent) {
    for (uint8_t byte : encode_frame(frame)) ASSERT_TRUE(reader.feed(Bytes(&byte, 1)));
  }
  for (const auto& frame : sent) {
    auto got = reader.next();
    ASSERT_TRUE(got);
    EXPECT_EQ(encode_frame(*got), encode_frame(frame));
  }
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.empty());
}

TEST(Frames, ABrokenStreamStaysBroken) {
  const std::vector<Buffer> broken = {
      {0, 1, 0, 1},                           // longer than a frame may be
      {0, 0, 0, 1, 0xFF},                     // not CBOR
      {0, 0, 0, 0},                           // empty
      {0, 0, 0, 5, 0xA2, 1, 3, 2, 0},         // refusal 0
      {0, 0, 0, 6, 0xA2, 1, 3, 2, 0x18, 99},  // unknown refusal
      {0, 0, 0, 5, 0xA2, 1, 9, 2, 0},         // unknown kind
  };
  for (const auto& bytes : broken) {
    FrameReader reader;
    EXPECT_FALSE(reader.feed(bytes));
    EXPECT_FALSE(reader.feed(encode_frame(Text{UserText("x")})));
    EXPECT_FALSE(reader.next());
  }
}

}  // namespace
}  // namespace cloister::wire
