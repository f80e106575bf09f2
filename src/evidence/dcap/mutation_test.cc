// Real evidence with one byte changed or cut: refused, or the byte lies where nothing is covered.
#include <gtest/gtest.h>

#include "evidence/common/cases_testing.h"
#include "evidence/dcap/verify.h"

namespace cloister::evidence::dcap {
namespace {

constexpr size_t kDeclaredBytes = 4936;  // of this quote; 70 bytes of padding follow

std::optional<Case> good_case() {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) return std::nullopt;
  for (Case& c : load_cases(*vectors, "tdx-quote-v4")) {
    if (c.id == "tdx4-b0c06f-good") return std::move(c);
  }
  return std::nullopt;
}

std::optional<Error> judge(const Case& c, const Collateral& collateral) {
  return verify_quote(Tee::tdx, c.evidence, collateral, c.policy, c.binding(), c.time)
      .appraisal.error;
}

// Flips one bit in every `stride`-th byte of a collateral file; another bit at each.
void flip_collateral(const char* role, size_t stride) {
  auto c = good_case();
  if (!c) GTEST_SKIP() << "the vectors are not here";
  ASSERT_FALSE(judge(*c, c->gathered().value()));
  Buffer& file = c->collateral.at(role);
  for (size_t at = 0; at < file.size(); at += stride) {
    const uint8_t bit = static_cast<uint8_t>(1u << (at % 5));  // bit 5 is a letter's case
    file[at] ^= bit;
    const auto collateral = c->gathered();
    EXPECT_TRUE(!collateral || judge(*c, *collateral)) << role << " byte " << at;
    file[at] ^= bit;
  }
}

TEST(DcapMutation, EveryFlippedByteOfAQuoteIsRefusedOrPadding) {
  auto c = good_case();
  if (!c) GTEST_SKIP() << "the vectors are not here";
  const Collateral collateral = c->gathered().value();
  ASSERT_FALSE(judge(*c, collateral));
  for (size_t at = 0; at < c->evidence.size(); ++at) {
    const uint8_t bit = static_cast<uint8_t>(1u << (at % 8));
    c->evidence[at] ^= bit;
    EXPECT_EQ(judge(*c, collateral).has_value(), at < kDeclaredBytes) << "byte " << at;
    c->evidence[at] ^= bit;
  }
}

TEST(DcapMutation, EveryTruncationOfAQuoteIsMalformed) {
  auto c = good_case();
  if (!c) GTEST_SKIP() << "the vectors are not here";
  const Collateral collateral = c->gathered().value();
  for (size_t size = kDeclaredBytes; size-- > 0;) {
    c->evidence.resize(size);
    EXPECT_EQ(judge(*c, collateral), Error::malformed) << size << " bytes";
  }
}

TEST(DcapMutation, EveryLengthOffByOneIsMalformed) {
  auto c = good_case();
  if (!c) GTEST_SKIP() << "the vectors are not here";
  const Collateral collateral = c->gathered().value();
  const Buffer good = c->evidence;
  // Authentication data, QE report certification data, QE authentication data, PCK chain.
  for (const size_t at : {632u, 766u, 1218u, 1254u}) {
    for (const int by : {-1, 1}) {
      c->evidence = good;
      c->evidence[at] = static_cast<uint8_t>(c->evidence[at] + by);
      EXPECT_EQ(judge(*c, collateral), Error::malformed) << "length at " << at;
    }
  }
}

// A stride keeps the whole file under a few seconds; 7 and 5 meet every kind of field.
TEST(DcapMutation, FlippedBytesOfTcbInfoAreRefused) {
  flip_collateral("tcb_info", 7);
}
TEST(DcapMutation, FlippedBytesOfTheQeIdentityAreRefused) {
  flip_collateral("qe_identity", 1);
}
TEST(DcapMutation, FlippedBytesOfTheRootCrlAreRefused) {
  flip_collateral("root_crl", 1);
}
TEST(DcapMutation, FlippedBytesOfThePckCrlAreRefused) {
  flip_collateral("pck_crl", 5);
}

}  // namespace
}  // namespace cloister::evidence::dcap
