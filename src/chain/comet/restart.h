// When a process that ended is started again, and whether one that runs has stopped working. Pure:
// times are passed in.
#pragma once

#include <algorithm>
#include <optional>

#include "base/seams.h"

namespace cloister::chain::comet {

constexpr int64_t kFirstDelayMs = 1'000;
constexpr int64_t kLongestDelayMs = 60'000;
constexpr int64_t kHealthyMs = 60'000;  // whoever ran for so long begins with the first delay again

// Waits twice as long after each early end.
class Backoff {
 public:
  void started(UnixMillis now_ms) { started_ms_ = now_ms; }
  // How long to wait before the next start.
  int64_t ended(UnixMillis now_ms) {
    if (now_ms - started_ms_ >= kHealthyMs) delay_ms_ = kFirstDelayMs;
    const int64_t out = delay_ms_;
    delay_ms_ = std::min(2 * delay_ms_, kLongestDelayMs);
    return out;
  }

 private:
  UnixMillis started_ms_ = 0;
  int64_t delay_ms_ = kFirstDelayMs;
};

// A height that stands still is the one sign of a deadlock (41-consensus, section 1). It also
// stands still when too few validators are there, so that patience grows with every restart in
// vain.
class StallWatch {
 public:
  explicit StallWatch(int64_t patience_ms) : first_patience_ms_(patience_ms) {}

  // The engine was started or restarted.
  void begin(UnixMillis now_ms) { since_ms_ = now_ms; }
  // Its newest height; nothing when it does not answer. True: it should be restarted.
  bool stalled(UnixMillis now_ms, std::optional<int64_t> height) {
    if (height && *height > height_) {
      height_ = *height;
      since_ms_ = now_ms;
      patience_ms_ = first_patience_ms_;
    }
    if (now_ms - since_ms_ < patience_ms_) return false;
    patience_ms_ = std::min(2 * patience_ms_, kMaxPatience * first_patience_ms_);
    return true;
  }
  int64_t height() const { return height_; }

 private:
  static constexpr int64_t kMaxPatience = 16;
  const int64_t first_patience_ms_;
  int64_t patience_ms_ = first_patience_ms_;
  int64_t height_ = 0;
  UnixMillis since_ms_ = 0;
};

}  // namespace cloister::chain::comet
