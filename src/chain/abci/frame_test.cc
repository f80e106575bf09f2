#include "chain/abci/frame.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "chain/abci/client_testing.h"

namespace cloister::chain::abci {
namespace {

TEST(Frame, TheProtocolsOwnExamples) {
  Request flush;
  flush.mutable_flush();
  EXPECT_EQ(to_hex(framed(flush)), "021200");
  Response info;
  info.mutable_info()->set_data("x");
  info.mutable_info()->set_last_block_height(7);
  EXPECT_EQ(to_hex(as_bytes(info.SerializeAsString())), "22050a01782007");
}

TEST(Frame, ComesInAnyPieces) {
  Buffer stream;
  std::vector<Buffer> sent;
  for (const size_t size : {0u, 1u, 127u, 128u, 16'383u, 16'384u, 70'000u}) {
    sent.emplace_back(size, static_cast<uint8_t>(size));
    append_frame_length(stream, size);
    stream.insert(stream.end(), sent.back().begin(), sent.back().end());
  }
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{1000}, stream.size()}) {
    FrameReader reader;
    std::vector<Buffer> got;
    for (size_t at = 0; at < stream.size(); at += piece) {
      reader.append(Bytes(stream).subspan(at, std::min(piece, stream.size() - at)));
      for (;;) {
        const auto frame = reader.next();
        ASSERT_TRUE(frame);
        if (!*frame) break;
        got.push_back(to_buffer(**frame));
      }
    }
    EXPECT_EQ(got, sent) << piece;
    EXPECT_EQ(reader.buffered(), 0u);
  }
}

TEST(Frame, LengthsThatNobodySends) {
  struct Case {
    const char* bytes;
    FrameError want;
  };
  const Case cases[] = {
      {"8180808000", FrameError::too_large},                                    // five bytes
      {"ffffffff0f", FrameError::too_large},                                    // 2^32 - 1
      {"81808040", FrameError::too_large},                                      // 128 MiB and one
      {"808080ff", FrameError::too_large},   {"8000", FrameError::bad_length},  // 0 in two bytes
      {"ff800000", FrameError::bad_length},                                     // 127 in three
  };
  for (const Case& c : cases) {
    FrameReader reader;
    reader.append(*from_hex(c.bytes));
    const auto frame = reader.next();
    ASSERT_FALSE(frame) << c.bytes;
    EXPECT_EQ(frame.error(), c.want) << c.bytes;
  }
  FrameReader reader;
  reader.append(*from_hex("80808040"));  // 128 MiB: awaited, and nothing is allocated for it
  const auto awaited = reader.next();
  ASSERT_TRUE(awaited);
  EXPECT_FALSE(*awaited);
}

}  // namespace
}  // namespace cloister::chain::abci
