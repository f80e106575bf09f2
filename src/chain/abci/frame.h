// Frames of the ABCI socket: an unsigned LEB128 length, then that many bytes of one message.
#pragma once

#include <expected>
#include <optional>

#include "base/bytes.h"

namespace cloister::chain::abci {

constexpr size_t kMaxFrameBytes = size_t{128} << 20;  // a block is at most 100 MB

enum class FrameError {
  too_large = 1,  // the length is above kMaxFrameBytes: nothing is allocated for it
  bad_length,     // not the shortest form of a number
};

// Takes what a socket delivers in any pieces and gives back whole frames.
class FrameReader {
 public:
  void append(Bytes received);
  // The next frame, which lives until the next call; nothing when it is not complete. After an
  // error the stream has no more frames.
  std::expected<std::optional<Bytes>, FrameError> next();
  size_t buffered() const { return buffer_.size() - taken_; }

 private:
  Buffer buffer_;
  size_t taken_ = 0;
};

// The length in front of a message of `size` bytes.
void append_frame_length(Buffer& out, size_t size);

}  // namespace cloister::chain::abci
