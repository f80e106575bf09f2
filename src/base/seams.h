// Time and randomness as arguments: main builds the real ones, tests bring their own.
#pragma once

#include <atomic>

#include "base/bytes.h"

namespace cloister {

using UnixSeconds = int64_t;
using UnixMillis = int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMillis now_ms() const = 0;
  UnixSeconds now() const { return now_ms() / 1000; }
};

class SystemClock final : public Clock {
 public:
  UnixMillis now_ms() const override;
};

class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMillis start_ms) : now_ms_(start_ms) {}
  UnixMillis now_ms() const override { return now_ms_; }
  void set_ms(UnixMillis now_ms) { now_ms_ = now_ms; }
  void advance_ms(int64_t by_ms) { now_ms_ += by_ms; }

 private:
  std::atomic<UnixMillis> now_ms_;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<uint8_t> out) = 0;
  template <size_t N>
  Fixed<N> fixed() {
    Fixed<N> out;
    fill(out);
    return out;
  }
};

// The kernel's generator; aborts when the kernel refuses.
class SystemRandom final : public Random {
 public:
  void fill(std::span<uint8_t> out) override;
};

// Repeatable bytes for tests (SplitMix64). Never for keys that protect anything.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  void fill(std::span<uint8_t> out) override;
  uint64_t next();

 private:
  uint64_t state_;
};

}  // namespace cloister
