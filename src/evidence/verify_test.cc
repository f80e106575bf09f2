#include "evidence/verify.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace cloister::evidence
