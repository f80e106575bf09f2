#include "channel/sealed/padding.h"

#include <algorithm>
#include <bit>

namespace cloister::sealed {
namespace {

constexpr size_t kLeastBucket = 512;
constexpr size_t kLargeBucket = 64 * 1024;
constexpr size_t kCellHeadBytes = 4;
constexpr size_t kContentHeadBytes = 2;  // the varint of any length from 64 to 16383
constexpr size_t kAnswerEndBytes = 2;
// What a last frame holds, also when it is the first.
constexpr size_t kAnswerHeadBytes = 4;
constexpr size_t kLastFrameData =
    kFrameBytes - kAnswerHeadBytes - kContentHeadBytes - kCellHeadBytes - kAnswerEndBytes;
// Without padding: as much as one cell and one chunk take.
constexpr size_t kPieceData = 32 * 1024;

void write_cell(Bytes data, size_t padding_bytes, SecretBuffer& out) {
  ByteWriter head;
  head.u16_be(static_cast<uint16_t>(data.size())).u16_be(static_cast<uint16_t>(padding_bytes));
  SecretBuffer cell(head.view().begin(), head.view().end());
  cell.insert(cell.end(), data.begin(), data.end());
  cell.resize(cell.size() + padding_bytes);
  encode_content(cell, out);
}

}  // namespace

size_t request_bucket(size_t size) {
  if (size <= kLargeBucket) return std::max(kLeastBucket, std::bit_ceil(size));
  return (size + kLargeBucket - 1) / kLargeBucket * kLargeBucket;
}

Result<void> CellReader::feed(Bytes content, SecretBuffer& data) {
  ByteReader r(content);
  while (!r.done()) {
    if (data_left_ > 0) {
      const Bytes part = *r.take(std::min(data_left_, r.remaining()));
      data.insert(data.end(), part.begin(), part.end());
      data_left_ -= part.size();
    } else if (padding_left_ > 0) {
      const Bytes part = *r.take(std::min(padding_left_, r.remaining()));
      if (!all_zero(part)) return std::unexpected(SealedError::padding_malformed);
      padding_left_ -= part.size();
    } else {
      head_[head_size_++] = *r.u8();
      if (head_size_ < head_.size()) continue;
      head_size_ = 0;
      ByteReader head{Bytes(head_)};
      data_left_ = *head.u16_be();
      padding_left_ = *head.u16_be();
    }
  }
  return {};
}

void Pacer::push(Bytes data) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(taken_));
  taken_ = 0;
  pending_.insert(pending_.end(), data.begin(), data.end());
}

Bytes Pacer::take(size_t max_bytes) {
  const Bytes out = Bytes(pending_).subspan(taken_, std::min(max_bytes, waiting()));
  taken_ += out.size();
  return out;
}

// The number of frames so far and one more is a bucket.
bool Pacer::bucket_ends() const {
  const size_t frames = sent_ + 1;
  return frames >= kFirstStrictBucket && std::has_single_bit(frames);
}

std::optional<Pacer::Chunk> Pacer::next() {
  if (done_) return std::nullopt;
  const bool whole = finished_ && waiting() <= kLastFrameData;
  switch (mode_) {
    case Padding::off:
      if (waiting() == 0 && !finished_) return std::nullopt;
      return piece();
    case Padding::standard:
      if (waiting() == 0 && !finished_) return std::nullopt;
      return frame(whole);
    case Padding::strict:
      return frame(whole && bucket_ends());
  }
  return std::nullopt;
}

Pacer::Chunk Pacer::frame(bool last) {
  Chunk out{sent_ == 0 ? encode_answer_head(200) : SecretBuffer(), last};
  const size_t room = kFrameBytes - out.plaintext.size() - (last ? kAnswerEndBytes : 0) -
                      kContentHeadBytes - kCellHeadBytes;
  const Bytes data = take(room);
  write_cell(data, room - data.size(), out.plaintext);
  if (last) encode_answer_end(out.plaintext);
  ++sent_;
  done_ = last;
  return out;
}

Pacer::Chunk Pacer::piece() {
  Chunk out{sent_ == 0 ? encode_answer_head(200) : SecretBuffer(), false};
  const Bytes data = take(kPieceData);
  if (!data.empty()) write_cell(data, 0, out.plaintext);
  out.last = finished_ && waiting() == 0;
  if (out.last) encode_answer_end(out.plaintext);
  ++sent_;
  done_ = out.last;
  return out;
}

}  // namespace cloister::sealed
