#include "sim/economy.h"

#include <gtest/gtest.h>

namespace cloister::sim {
namespace {

EconomyOptions small(uint64_t seed) {
  EconomyOptions options;
  options.seed = seed;
  options.operators = 60;
  options.sessions = 12'000;
  options.sessions_a_block = 60;
  return options;
}

EconomyReport run(const EconomyOptions& options) {
  return run_economy(options, [](size_t, size_t) {});
}

TEST(Economy, MoneyIsConservedEverythingEndsAndHonestyPaysBest) {
  for (uint64_t seed : {1u, 2u}) {
    SCOPED_TRACE(seed);
    const EconomyReport report = run(small(seed));
    EXPECT_EQ(report.money_at_end_micro, report.money_at_start_micro);
    EXPECT_EQ(report.unended, 0u);
    EXPECT_EQ(report.sessions_closed + report.sessions_refunded, 12'000u);
    EXPECT_GT(report.checks, 50u);
    ASSERT_EQ(report.conducts.size(), kConducts);
    const ConductReport& honest = report.conducts[0];
    EXPECT_EQ(honest.failed_checks, 0u);
    EXPECT_GT(honest.mean_profit_micro, 0);
    for (size_t i = 1; i < kConducts; ++i) {
      EXPECT_LT(report.conducts[i].mean_profit_micro, honest.mean_profit_micro)
          << name(report.conducts[i].conduct);
    }
  }
}

TEST(Economy, TheSameSeedIsTheSameRun) {
  EconomyOptions options = small(3);
  options.sessions = 1'000;
  const EconomyReport one = run(options), other = run(options);
  EXPECT_EQ(one.root, other.root);
  options.seed = 4;
  EXPECT_NE(run(options).root, one.root);
}

}  // namespace
}  // namespace cloister::sim
