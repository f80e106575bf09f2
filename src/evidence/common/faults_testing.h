// Tables of single faults: a scenario verifies as it is made; each case bends one thing of it and
// must be refused for just that, without typed claims coming out.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "evidence/common/evidence.h"

namespace cloister::evidence {

template <typename Scenario>
struct FaultCaseOf {
  const char* name;
  Error want;
  std::function<void(Scenario&)> spoil;
};

// A Scenario makes something that verifies, and `judge()` gives a Verification.
template <typename Scenario>
void expect_refusals_of(const std::vector<FaultCaseOf<Scenario>>& cases) {
  for (const FaultCaseOf<Scenario>& c : cases) {
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

// One bit of every byte, each time another; `judge` gives an error, or nothing when it accepts.
template <typename Judge>
void expect_every_flip_refused(Buffer bytes, Judge judge) {
  ASSERT_FALSE(judge(bytes)) << "unchanged";
  for (size_t at = 0; at < bytes.size(); ++at) {
    const auto bit = static_cast<uint8_t>(1u << (at % 8));
    bytes[at] ^= bit;
    ASSERT_TRUE(judge(bytes)) << "byte " << at;
    bytes[at] ^= bit;
  }
}

}  // namespace cloister::evidence
