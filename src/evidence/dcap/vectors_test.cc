#include <gtest/gtest.h>

#include "evidence/common/cases_testing.h"
#include "evidence/dcap/verify.h"

namespace cloister::evidence::dcap {
namespace {

Appraisal judge(const Case& c) {
  const auto collateral = c.gathered();
  if (!collateral) return malformed_collateral(Format::tdx_quote);
  const Verification got = verify_tdx_quote(c.evidence, *collateral, c.policy, c.binding(), c.time);
  EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
  return got.appraisal;
}

TEST(DcapVectors, EveryTdxCaseHasItsAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const std::vector<Case> cases = load_cases(*vectors, "tdx-quote");
  EXPECT_EQ(cases.size(), 75u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    for (const std::string& difference : differences(c, judge(c))) ADD_FAILURE() << difference;
  }
}

}  // namespace
}  // namespace cloister::evidence::dcap
