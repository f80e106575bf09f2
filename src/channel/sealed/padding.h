// How lengths are hidden. Requests grow to buckets; answers travel as frames of one size, whose
// content is a stream of cells: u16 data length ‖ u16 padding length ‖ data ‖ zeros.
#pragma once

#include "channel/sealed/chunks.h"
#include "channel/sealed/profile.h"

namespace cloister::sealed {

constexpr size_t kMaxMessageBytes = 16 << 20;  // sealed
constexpr size_t kMaxRequestChunks = 4096;
constexpr size_t kFrameBytes = 256;  // plaintext of one chunk of a padded answer
constexpr size_t kMaxAnswerChunks = kMaxMessageBytes / kFrameBytes;
constexpr size_t kFirstStrictBucket = 32;  // frames; then twice as many, and so on

// 512, a power of two up to 64 KiB, or a multiple of 64 KiB: the smallest that holds `size_bytes`.
size_t request_bucket(size_t size_bytes);

// Reads cells from content that is cut anywhere.
class CellReader {
 public:
  // Appends the data of the cells to `data`. After an error the reader must not be used again.
  Result<void> feed(Bytes content, SecretBuffer& data);
  bool between_cells() const { return head_size_ == 0 && data_left_ == 0 && padding_left_ == 0; }

 private:
  Fixed<4> head_{};
  size_t head_size_ = 0;  // bytes of a head that is not yet whole
  size_t data_left_ = 0, padding_left_ = 0;
};

// Makes the chunks of one answer, and decides at each tick of the clock whether one goes out.
class Pacer {
 public:
  struct Chunk {
    SecretBuffer plaintext;
    bool last = false;
  };

  explicit Pacer(Padding mode) : mode_(mode) {}
  void push(Bytes data);
  void finish() { finished_ = true; }  // nothing more will be pushed
  // Whether chunks wait for ticks; without padding they go out as soon as there is something.
  bool clocked() const { return mode_ != Padding::off; }
  // What goes out now. Nothing: there is nothing to send, or the last has gone out.
  std::optional<Chunk> next();
  bool done() const { return done_; }

 private:
  Chunk frame(bool last);
  Chunk piece();
  bool bucket_ends() const;
  size_t waiting() const { return pending_.size() - taken_; }
  Bytes take(size_t max_bytes);

  const Padding mode_;
  SecretBuffer pending_;
  size_t taken_ = 0;  // of `pending_`
  size_t sent_ = 0;   // chunks
  bool finished_ = false, done_ = false;
};

}  // namespace cloister::sealed
