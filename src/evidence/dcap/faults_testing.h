// Tables of single faults over Scenario.
#pragma once

#include <gtest/gtest.h>

#include "evidence/dcap/scenario_testing.h"

namespace cloister::evidence::dcap {

struct FaultCase {
  const char* name;
  Error want;
  void (*spoil)(Scenario&);
};

inline void expect_refusals(const std::vector<FaultCase>& cases) {
  for (const FaultCase& c : cases) {
    SCOPED_TRACE(c.name);
    Scenario scenario;
    c.spoil(scenario);
    const Verification got = scenario.judge();
    ASSERT_TRUE(got.appraisal.error.has_value());
    EXPECT_EQ(name(*got.appraisal.error), name(c.want)) << got.appraisal.detail;
    EXPECT_FALSE(got.verified);
    EXPECT_FALSE(got.appraisal.checks.back().ok);
    EXPECT_FALSE(got.appraisal.detail.empty());
  }
}

// Platform 0 of the hierarchy with another extension.
inline crypto::Certificate pck_with(const sim::IntelPlatform& platform) {
  return reissue(sim::pck_certificate(platform, {kNow - kDay, kNow + 365 * kDay}),
                 hierarchy().pck_for_testing(0).key, &hierarchy().platform_ca_for_testing());
}

}  // namespace cloister::evidence::dcap
