#include "evidence/verify.h"

#include <gmock/gmock.h>

#include <set>
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

TEST(Verify, EveryCaseOfEveryFormatHasItsAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const std::vector<Case> cases = load_cases(*vectors, "");
  EXPECT_EQ(cases.size(), 245u);
  std::set<Format> formats;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    formats.insert(c.kind());
    const auto collateral = c.gathered();
    const Verification got =
        collateral ? verify({c.kind(), c.evidence}, *collateral, c.policy, c.binding(), c.time)
                   : Verification{malformed_collateral(c.kind()), std::nullopt};
    EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
    EXPECT_THAT(differences(c, got.appraisal), testing::IsEmpty());
  }
  EXPECT_EQ(formats.size(), 9u);
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
