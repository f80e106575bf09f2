// Tables of single faults over Scenario.
#pragma once

#include "evidence/common/faults_testing.h"
#include "evidence/dcap/scenario_testing.h"

namespace cloister::evidence::dcap {

using FaultCase = FaultCaseOf<Scenario>;

inline void expect_refusals(const std::vector<FaultCase>& cases) {
  expect_refusals_of<Scenario>(cases);
}

// Platform 0 of the hierarchy with another extension.
inline crypto::Certificate pck_with(const sim::IntelPlatform& platform) {
  return reissue(sim::pck_certificate(platform, {kNow - kDay, kNow + 365 * kDay}),
                 hierarchy().pck_for_testing(0).key, &hierarchy().platform_ca_for_testing());
}

}  // namespace cloister::evidence::dcap
