#include "ledger/types/draw.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

TEST(Draw, Vectors) {
  const Hash32 beacon = hash_of("beacon");
  ASSERT_EQ(to_hex(beacon), "8a62e967fcd6dfa5d75308c37808b4668a7faf1cdb06e09ac0a7161827603887");
  const std::vector<uint64_t> weights = {10, 20, 30, 40};  // of 0101, 0202, 0303, 0404
  using Order = std::vector<size_t>;
  EXPECT_EQ(select(beacon, as_bytes("req-1"), weights, 4), (Order{3, 2, 0, 1}));
  EXPECT_EQ(select(beacon, as_bytes("req-2"), weights, 4), (Order{3, 2, 1, 0}));
  EXPECT_EQ(select(beacon, as_bytes("req-3"), weights, 4), (Order{2, 1, 3, 0}));
  EXPECT_EQ(select(beacon, as_bytes("req-4"), weights, 4), (Order{2, 1, 0, 3}));
}

TEST(Draw, Bounds) {
  const Hash32 beacon = hash_of("beacon");
  EXPECT_TRUE(select(beacon, {}, {}, 1).empty());
  EXPECT_TRUE(select(beacon, {}, std::vector<uint64_t>{1, 0}, 1).empty());
  EXPECT_TRUE(select(beacon, {}, std::vector<uint64_t>{UINT64_MAX, 1}, 1).empty());
  EXPECT_EQ(select(beacon, {}, std::vector<uint64_t>{UINT64_MAX}, 5).size(), 1u);
  DrawPoints points(beacon, {}, 0);
  EXPECT_FALSE(points.next());
}

// Shares follow the weights: chi-square over 20,000 draws with 3 degrees of freedom stays below the
// 99.99 % quantile. The inputs are fixed, so this passes always or never.
TEST(Draw, SharesFollowWeights) {
  const std::vector<uint64_t> weights = {1, 2, 3, 14};
  std::vector<uint64_t> seen(4);
  constexpr uint64_t kDraws = 20'000;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Buffer id = ByteWriter().u64_be(i).take();
    ++seen[select(hash_of("chi"), id, weights, 1).at(0)];
  }
  double chi = 0;
  for (size_t i = 0; i < 4; ++i) {
    const double want = static_cast<double>(kDraws * weights[i]) / 20;
    const double off = static_cast<double>(seen[i]) - want;
    chi += off * off / want;
  }
  EXPECT_LT(chi, 21.1);
}

}  // namespace
}  // namespace cloister::ledger
