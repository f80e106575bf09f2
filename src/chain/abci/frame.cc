#include "chain/abci/frame.h"

namespace cloister::chain::abci {
namespace {

constexpr size_t kMaxLengthBytes = 4;  // 2^28 is above kMaxFrameBytes

struct Length {
  size_t value = 0;
  size_t bytes = 0;
};

std::expected<std::optional<Length>, FrameError> read_length(Bytes bytes) {
  Length out;
  ByteReader in(bytes);
  while (out.bytes < kMaxLengthBytes) {
    const auto byte = in.u8();
    if (!byte) return std::nullopt;
    out.value |= size_t{*byte & 0x7fU} << (7 * out.bytes++);
    if (*byte & 0x80) continue;
    if (*byte == 0 && out.bytes > 1) return std::unexpected(FrameError::bad_length);
    if (out.value > kMaxFrameBytes) return std::unexpected(FrameError::too_large);
    return out;
  }
  return std::unexpected(FrameError::too_large);
}

}  // namespace

void FrameReader::append(Bytes received) {
  if (taken_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
  buffer_.insert(buffer_.end(), received.begin(), received.end());
}

std::expected<std::optional<Bytes>, FrameError> FrameReader::next() {
  const Bytes rest = Bytes(buffer_).subspan(taken_);
  const auto length = read_length(rest);
  if (!length) return std::unexpected(length.error());
  if (!*length || rest.size() - (*length)->bytes < (*length)->value) return std::nullopt;
  taken_ += (*length)->bytes + (*length)->value;
  return rest.subspan((*length)->bytes, (*length)->value);
}

void append_frame_length(Buffer& out, size_t size) {
  for (; size >= 0x80; size >>= 7) out.push_back(static_cast<uint8_t>(size | 0x80));
  out.push_back(static_cast<uint8_t>(size));
}

}  // namespace cloister::chain::abci
