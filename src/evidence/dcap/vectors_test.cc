#include <gtest/gtest.h>

#include "evidence/common/cases_testing.h"
#include "evidence/dcap/verify.h"

namespace cloister::evidence::dcap {
namespace {

Appraisal judge(const Case& c, Tee tee) {
  const auto collateral = c.gathered();
  if (!collateral) {
    return malformed_collateral(tee == Tee::tdx ? Format::tdx_quote : Format::sgx_quote);
  }
  const Verification got =
      verify_quote(tee, c.evidence, *collateral, c.policy, c.binding(), c.time);
  EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
  return got.appraisal;
}

void expect_answers(const char* format, Tee tee, size_t count) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const std::vector<Case> cases = load_cases(*vectors, format);
  EXPECT_EQ(cases.size(), count);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    for (const std::string& difference : differences(c, judge(c, tee))) {
      ADD_FAILURE() << difference;
    }
  }
}

TEST(DcapVectors, EveryTdxCaseHasItsAnswer) {
  expect_answers("tdx-quote", Tee::tdx, 75);
}

TEST(DcapVectors, EverySgxCaseHasItsAnswer) {
  expect_answers("sgx-quote", Tee::sgx, 15);
}

// With what was remembered of the first judgement, the second is the same.
TEST(DcapVectors, JudgingAgainGivesTheSameAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const auto& [format, tee] :
       {std::pair("tdx-quote", Tee::tdx), std::pair("sgx-quote", Tee::sgx)}) {
    for (const Case& c : load_cases(*vectors, format)) {
      SCOPED_TRACE(c.id);
      const auto collateral = c.gathered();
      if (!collateral) continue;
      const Prepared prepared(*collateral);
      for (int times = 0; times < 2; ++times) {
        const auto got = verify_quote(tee, c.evidence, prepared, c.policy, c.binding(), c.time);
        for (const std::string& difference : differences(c, got.appraisal)) {
          ADD_FAILURE() << difference << ", time " << times;
        }
      }
    }
  }
}

}  // namespace
}  // namespace cloister::evidence::dcap
