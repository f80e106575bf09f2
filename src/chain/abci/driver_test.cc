// Random legal lives of four instances over their sockets.
#include <gtest/gtest.h>

#include <cstdlib>

#include "chain/abci/driver_testing.h"
#include "chain/chain_testing.h"

namespace cloister::chain::abci {
namespace {

// 1,000, or what CLOISTER_SEQUENCES says for a longer night.
uint64_t sequences() {
  const char* text = std::getenv("CLOISTER_SEQUENCES");
  return text ? std::strtoull(text, nullptr, 10) : 1000;
}

TEST(Driver, FourInstancesAgreeInEveryLegalOrder) {
  Driver::Counts all;
  for (uint64_t seed = 1; seed <= sequences(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TemporaryFolder folder;
    Driver driver(seed, folder.file(""));
    const int64_t heights = 2 + static_cast<int64_t>(seed % 12);
    while (driver.decided() < heights && !testing::Test::HasFailure()) driver.height();
    driver.check_headers();
    if (HasFailure()) return;
    all.rounds += driver.counts.rounds;
    all.refused += driver.counts.refused;
    all.crashes += driver.counts.crashes;
    all.replayed += driver.counts.replayed;
    all.synced += driver.counts.synced;
    all.draws += driver.counts.draws;
    all.updates += driver.counts.updates;
  }
  RecordProperty("rounds", all.rounds);
  RecordProperty("crashes", all.crashes);
  // Otherwise nothing was tested.
  const int few = static_cast<int>(sequences()) / 50;
  for (const int each :
       {all.rounds, all.refused, all.crashes, all.replayed, all.synced, all.draws, all.updates}) {
    EXPECT_GE(each, few);
  }
}

}  // namespace
}  // namespace cloister::chain::abci
