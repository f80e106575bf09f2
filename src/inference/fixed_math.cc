#include "inference/fixed_math.h"

#include <algorithm>
#include <array>
#include <bit>

namespace cloister::inference {
namespace {

__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;

constexpr uint64_t kLn2 = 0x58b90bfbe8e7bcd5;    // ln(2) · 2^63, rounded down
constexpr uint64_t kLog2E = 0xb8aa3b295c17f0bb;  // log2(e) · 2^63, rounded down
constexpr int kFractionBits = 48;

// log2(mantissa / 2^63) for a mantissa with its top bit set, one bit a squaring: the square of the
// number passes 2 exactly when the next bit of its logarithm is 1.
uint64_t log2_fraction(uint64_t mantissa) {
  uint64_t fraction = 0;
  for (int i = 0; i < kFractionBits; ++i) {
    const Wide square = static_cast<Wide>(mantissa) * mantissa;  // in [2^126, 2^128)
    const uint64_t bit = static_cast<uint64_t>(square >> 127);
    mantissa = static_cast<uint64_t>(square >> (63 + bit));
    fraction = fraction << 1 | bit;
  }
  return fraction;
}

constexpr uint64_t square_root(Wide value) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 63; bit != 0; bit >>= 1) {
    const uint64_t next = root | bit;
    if (static_cast<Wide>(next) * next <= value) root = next;
  }
  return root;
}

// 2^-(1/2), 2^-(1/4), … as fractions of 2^64, each the square root of the one before.
constexpr auto kRootsOfHalf = [] {
  std::array<uint64_t, 32> roots{};
  Wide previous = Wide{1} << 127;
  for (uint64_t& root : roots) {
    root = square_root(previous);
    previous = static_cast<Wide>(root) << 64;
  }
  return roots;
}();

}  // namespace

Fixed48 negative_log2(uint64_t value) {
  const int zeros = std::countl_zero(value);
  const uint64_t whole = static_cast<uint64_t>(zeros + 1) << kFractionBits;
  return whole - log2_fraction(value << zeros);
}

Fixed32 gumbel(uint64_t uniform) {
  // Zero would have no logarithm: 2^-64 of all draws, folded into their neighbour.
  const Fixed48 log2_u = negative_log2(std::max<uint64_t>(uniform, 1));
  const uint64_t exponential = std::max<uint64_t>(
      static_cast<uint64_t>(static_cast<Wide>(log2_u) * kLn2 >> 63), 1);  // 48 fraction bits
  // ln(exponential / 2^48) = (16 - negative_log2) · ln 2
  const auto log2_e =
      (int64_t{16} << kFractionBits) - static_cast<int64_t>(negative_log2(exponential));
  const SignedWide noise = -static_cast<SignedWide>(log2_e) * static_cast<SignedWide>(kLn2);
  return static_cast<Fixed32>(noise >> (63 + kFractionBits - 32));
}

uint64_t exp_negative(Fixed32 x) {
  if (x >= 23 * kOneFixed32) return 0;  // e^-23 < 2^-32
  const auto exponent = static_cast<uint64_t>(
      static_cast<Wide>(static_cast<uint64_t>(x)) * kLog2E >> 63);  // 32 fraction bits
  uint64_t result = UINT64_MAX;
  for (size_t i = 0; i < kRootsOfHalf.size(); ++i) {
    if (exponent >> (31 - i) & 1) {
      result = static_cast<uint64_t>(static_cast<Wide>(result) * kRootsOfHalf[i] >> 64);
    }
  }
  // One is 2^32 exactly; everything else is below it.
  const uint64_t rounded = (result >> 31) + 1;
  return rounded >> 1 >> (exponent >> 32);
}

}  // namespace cloister::inference
