#include "evidence/verify.h"

#include <gtest/gtest.h>

#include <thread>

#include "evidence/common/cases_testing.h"
#include "evidence/verifier.h"

namespace cloister::evidence {
namespace {

Verification judge(Format format, Buffer bytes) {
  return verify({format, std::move(bytes)}, {}, {}, Binding::not_compared(), 0);
}

TEST(Verify, RefusesWhatHasNoVerifier) {
  for (const Format format : {Format{0}, Format{255}}) {
    const Verification got = judge(format, Buffer(100));
    EXPECT_EQ(got.appraisal.error, Error::unsupported);
    EXPECT_EQ(got.appraisal.format, format);
    EXPECT_FALSE(got.verified);
  }
}

TEST(Verify, RefusesEvidenceBeyondTheLimit) {
  const Verification got = judge(Format::sgx_quote, Buffer(kMaxEvidenceBytes + 1));
  EXPECT_EQ(got.appraisal.error, Error::malformed);
  EXPECT_FALSE(got.verified);
}

TEST(Verify, HandsTdxQuotesToTheirVerifier) {
  const Verification got = judge(Format::tdx_quote, {});
  EXPECT_EQ(got.appraisal.error, Error::malformed);
  EXPECT_EQ(got.appraisal.detail, "quote header is cut off");
}

TEST(Verify, HandsSnpReportsToTheirVerifier) {
  const Verification got = judge(Format::snp_report, {});
  EXPECT_EQ(got.appraisal.format, Format::snp_report);
  EXPECT_EQ(got.appraisal.error, Error::malformed);
  EXPECT_FALSE(got.verified);
}

// One Verifier, every case that shares its collateral and policy, several threads at once.
TEST(Verifier, AnswersAsVerifyDoesHoweverOftenAndFromWhateverThread) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : load_cases(*vectors, "")) {
    const auto collateral = c.gathered();
    if (!collateral || c.evidence.size() > kMaxEvidenceBytes) continue;
    SCOPED_TRACE(c.id);
    const Evidence evidence{c.kind(), c.evidence};
    const auto expected = verify(evidence, *collateral, c.policy, c.binding(), c.time);
    const Verifier verifier(*collateral, c.policy);
    const auto judge_twice = [&] {
      for (int times = 0; times < 2; ++times) {
        const auto got = verifier.verify(evidence, c.binding(), c.time);
        EXPECT_EQ(got.appraisal.error, expected.appraisal.error);
        EXPECT_EQ(got.appraisal.claims.dump(), expected.appraisal.claims.dump());
        EXPECT_EQ(got.verified.has_value(), expected.verified.has_value());
      }
    };
    std::thread other(judge_twice);
    judge_twice();
    other.join();
  }
}

}  // namespace
}  // namespace cloister::evidence
