#include "base/seams.h"

#include <sys/random.h>

#include <chrono>
#include <cstdlib>

namespace cloister {

UnixMillis SystemClock::now_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

void SystemRandom::fill(std::span<uint8_t> out) {
  while (!out.empty()) {
    ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0) std::abort();  // no entropy: nothing that follows could be trusted
    out = out.subspan(static_cast<size_t>(got));
  }
}

uint64_t SeededRandom::next() {
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void SeededRandom::fill(std::span<uint8_t> out) {
  for (size_t i = 0; i < out.size(); i += 8) {
    uint64_t word = next();
    std::memcpy(out.data() + i, &word, std::min<size_t>(8, out.size() - i));
  }
}

}  // namespace cloister
