#include "inference/fixed_math.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/seams.h"

namespace cloister::inference {
namespace {

// floor(-ln(-ln(u / 2^64)) · 2^32), computed with 300 bits by another library.
struct Pinned {
  uint64_t uniform;
  Fixed32 noise;
};
constexpr Pinned kPinned[] = {
    {0x1, -16288105824},
    {0x100000000, -13311061352},
    {0x8000000000000000, 1574161007},
    {0x0123456789abcdef, -7255814987},
    {0xfedcba9876543210, 23252412005},
    {0xfffffffffff00000, 130989956760},
};

constexpr double kTwo32 = 4294967296.0;

TEST(FixedMath, PinnedValuesAreTheSameOnEveryMachine) {
  EXPECT_EQ(negative_log2(uint64_t{1} << 63), Fixed48{1} << 48);
  EXPECT_EQ(negative_log2(1), Fixed48{64} << 48);
  EXPECT_EQ(exp_negative(0), uint64_t{1} << 32);
  EXPECT_EQ(exp_negative(23 * kOneFixed32), 0u);
  EXPECT_EQ(exp_negative(kOneFixed32), 1580030169u);  // 2^32 / e, rounded up
  EXPECT_EQ(gumbel(0), gumbel(1));
  for (const auto& [uniform, want] : kPinned) EXPECT_EQ(gumbel(uniform), want) << uniform;
}

TEST(FixedMath, AgreesWithTheLibraryToNineDigits) {
  SeededRandom random(7);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t u = random.next() >> (i % 40);
    if (u == 0) continue;
    const long double unit = static_cast<long double>(u) / 18446744073709551616.0L;
    const auto want = static_cast<double>(-std::log(-std::log(unit)));
    EXPECT_NEAR(static_cast<double>(gumbel(u)) / kTwo32, want, 2e-9) << u;
    const auto x = static_cast<Fixed32>(random.next() % (22 * static_cast<uint64_t>(kOneFixed32)));
    const double exact = std::exp(-static_cast<double>(x) / kTwo32);
    EXPECT_NEAR(static_cast<double>(exp_negative(x)) / kTwo32, exact, 1e-9) << x;
  }
}

TEST(FixedMath, NoiseRisesWithTheUniformNumberAndStaysInItsRange) {
  Fixed32 previous = gumbel(1);
  EXPECT_GT(previous, -4 * kOneFixed32);
  for (int bit = 1; bit < 64; ++bit) {
    const Fixed32 next = gumbel(uint64_t{1} << bit);
    EXPECT_GT(next, previous) << bit;
    previous = next;
  }
  EXPECT_GE(gumbel(UINT64_MAX), previous);
  EXPECT_LT(gumbel(UINT64_MAX), 34 * kOneFixed32);
}

TEST(FixedMath, ExponentialNeverRises) {
  uint64_t previous = exp_negative(0);
  for (Fixed32 x = 1; x < 24 * kOneFixed32; x += 12'345'677) {
    const uint64_t next = exp_negative(x);
    EXPECT_LE(next, previous) << x;
    previous = next;
  }
}

}  // namespace
}  // namespace cloister::inference
