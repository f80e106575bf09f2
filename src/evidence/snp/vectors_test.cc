// Every recorded SNP report, and every way in which its bytes can be cut or flipped.
#include <gmock/gmock.h>

#include "evidence/common/cases_testing.h"
#include "evidence/snp/report.h"
#include "evidence/snp/vek.h"
#include "evidence/snp/verify.h"

namespace cloister::evidence {
namespace {

class SnpVectors : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = vectors_folder(CLOISTER_SOURCE_DIR);
    if (!folder) GTEST_SKIP() << "the vectors are not beside the checkout";
    folder_ = *folder;
    cases_ = load_cases(folder_, "snp-report");
  }

  const Case& by_id(std::string_view id) const {
    for (const Case& c : cases_) {
      if (c.id == id) return c;
    }
    throw std::runtime_error("no such case");
  }

  Appraisal judge(const Case& c, Bytes evidence) const {
    const auto collateral = c.gathered();
    if (!collateral) return malformed_collateral(Format::snp_report);
    const auto out = verify_snp_report(evidence, *collateral, c.policy, c.binding(), c.time);
    EXPECT_EQ(out.verified.has_value(), out.appraisal.accepted());
    return out.appraisal;
  }

  std::filesystem::path folder_;
  std::vector<Case> cases_;
};

TEST_F(SnpVectors, EachCaseHasItsAnswer) {
  ASSERT_GE(cases_.size(), 40u);
  for (const Case& c : cases_) {
    SCOPED_TRACE(c.id);
    EXPECT_THAT(differences(c, judge(c, c.evidence)), testing::IsEmpty());
  }
}

TEST_F(SnpVectors, AnAcceptedReportGivesItsClaimsAsTypes) {
  const Case& c = by_id("snp3-azure-hcl");
  const auto out = verify_snp_report(c.evidence, *c.gathered(), c.policy, c.binding(), c.time);
  ASSERT_TRUE(out.verified);
  const VerifiedEvidence& v = *out.verified;
  EXPECT_EQ(v.product(), "Milan");
  EXPECT_EQ(v.status(), TcbStatus::up_to_date);
  EXPECT_FALSE(v.development());
  EXPECT_TRUE(equal(v.measurement(), Bytes(c.evidence).subspan(0x90, 48)));
  EXPECT_TRUE(equal(v.configuration(), Bytes(c.evidence).subspan(0xC0, 32)));
  EXPECT_TRUE(equal(v.platform_id(), Bytes(c.evidence).subspan(0x1A0, 64)));
  EXPECT_TRUE(equal(v.report_data(), Bytes(c.evidence).subspan(0x50, 64)));
  EXPECT_EQ(v.valid_until(), 1778543999);  // the second before the CRL's nextUpdate
}

TEST_F(SnpVectors, EveryTruncationIsMalformed) {
  const Case& c = by_id("snp3-azure-hcl");
  const Collateral collateral = c.gathered().value();
  for (size_t size = 0; size < c.evidence.size(); ++size) {
    const auto cut = Bytes(c.evidence).first(size);
    const auto out = verify_snp_report(cut, collateral, c.policy, c.binding(), c.time);
    ASSERT_EQ(out.appraisal.error, Error::malformed) << size;
  }
}

TEST_F(SnpVectors, EveryFlippedByteIsRefused) {
  const Case& c = by_id("snp3-azure-hcl");
  ASSERT_TRUE(judge(c, c.evidence).accepted());
  const Collateral collateral = c.gathered().value();
  for (size_t at = 0; at < c.evidence.size(); ++at) {
    for (uint8_t mask : {uint8_t{0x01}, uint8_t{0x80}}) {
      Buffer spoilt = c.evidence;
      spoilt[at] ^= mask;
      const auto out = verify_snp_report(spoilt, collateral, c.policy, c.binding(), c.time);
      ASSERT_FALSE(out.appraisal.accepted() || out.verified) << "offset " << at;
    }
  }
}

TEST_F(SnpVectors, EveryFlippedByteOfTheCertificateIsRefused) {
  Case c = by_id("snp3-azure-hcl");
  Buffer& vcek = c.collateral.at("vcek");
  for (size_t at = 0; at < vcek.size(); ++at) {
    vcek[at] ^= 0x01;
    ASSERT_FALSE(judge(c, c.evidence).accepted()) << "offset " << at;
    vcek[at] ^= 0x01;
  }
}

TEST_F(SnpVectors, OtherCollateralBesideItDoesNoHarm) {
  Case c = by_id("snp3-genoa");
  for (const char* more :
       {"snp/vcek_milan_1.der", "snp/vlek_milan.der", "collateral/amd/milan_vcek_chain.pem",
        "collateral/amd/genoa_vlek_chain.pem", "collateral/amd/milan_20250506.crl"}) {
    c.collateral[more] = read_file(folder_ / more);
  }
  EXPECT_THAT(differences(c, judge(c, c.evidence)), testing::IsEmpty());
}

TEST_F(SnpVectors, TurinCertificateParsesInItsOwnLayout) {
  const auto certificate = crypto::Certificate::from_der(read_file(folder_ / "snp/vcek_turin.der"));
  ASSERT_TRUE(certificate);
  const auto vek = snp::parse_vek(*certificate, snp::SigningKey::vcek);
  ASSERT_TRUE(vek);
  EXPECT_EQ(vek->product, snp::ProductLine::turin);
  EXPECT_EQ(vek->tcb, (snp::Tcb{0, 0, 0, 0, 0, 0, 0, 9}));
  EXPECT_EQ(vek->hardware_id.size(), 8u);
  EXPECT_EQ(snp::parse_vek(*certificate, snp::SigningKey::vlek).error(), Error::malformed);
}

TEST_F(SnpVectors, HardwareIdMayBeWrapped) {
  const auto certificate =
      crypto::Certificate::from_der(read_file(folder_ / "snp/vcek_milan_forged.der"));
  ASSERT_TRUE(certificate);
  const auto vek = snp::parse_vek(*certificate, snp::SigningKey::vcek);
  ASSERT_TRUE(vek);
  EXPECT_EQ(vek->hardware_id.size(), 64u);
  EXPECT_EQ(vek->hardware_id[1], 1);
}

TEST(SnpReport, ReservedAndUnsignedBytesMustBeZero) {
  Buffer report(snp::kReportBytes, 0);
  report[0] = 3;
  report[0x0A] = 0x02;  // policy bit 17
  report[0x34] = 1;
  report[0x48] = 0x04;  // VLEK
  ASSERT_TRUE(snp::parse_report(report));
  struct Case {
    size_t at;
    uint8_t value;
    Error want;
  };
  const Case cases[] = {
      {0x00, 1, Error::unsupported},    {0x00, 6, Error::unsupported},
      {0x0A, 0x00, Error::malformed},   {0x0B, 0x04, Error::malformed},
      {0x0F, 0x80, Error::malformed},   {0x30, 4, Error::malformed},
      {0x34, 0, Error::unsupported},    {0x34, 2, Error::unsupported},
      {0x40, 0x40, Error::malformed},   {0x41, 0x01, Error::malformed},
      {0x48, 0x08, Error::unsupported}, {0x48, 0x1C, Error::unsupported},
      {0x48, 0x24, Error::malformed},   {0x4C, 1, Error::malformed},
      {0x18B, 1, Error::malformed},     {0x19F, 1, Error::malformed},
      {0x1EB, 1, Error::malformed},     {0x1EF, 1, Error::malformed},
      {0x1F8, 1, Error::malformed},     {0x207, 1, Error::malformed},
      {0x208, 1, Error::malformed},     {0x29F, 1, Error::malformed},
      {0x2D0, 1, Error::malformed},     {0x2E7, 1, Error::malformed},
      {0x318, 1, Error::malformed},     {0x330, 1, Error::malformed},
      {0x49F, 1, Error::malformed},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << "offset " << c.at << " value " << int{c.value});
    Buffer spoilt = report;
    spoilt[c.at] = c.value;
    const auto got = snp::parse_report(spoilt);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), c.want);
  }
}

TEST(SnpReport, VersionsDifferInTheirOptionalFields) {
  Buffer report(snp::kReportBytes, 0);
  report[0x0A] = 0x02;
  report[0x34] = 1;
  auto parses = [&](uint8_t version, size_t at) {
    Buffer changed = report;
    changed[0] = version;
    changed[at] = 1;
    return snp::parse_report(changed).has_value();
  };
  constexpr size_t kCpuid = 0x188, kMitigations = 0x1F8;
  EXPECT_FALSE(parses(2, kCpuid));
  EXPECT_TRUE(parses(3, kCpuid));
  EXPECT_FALSE(parses(4, kMitigations));
  EXPECT_TRUE(parses(5, kMitigations));
}

TEST(SnpProduct, ProcessorsByFamilyAndModel) {
  using snp::ProductLine;
  EXPECT_EQ(snp::product_from_cpuid(0x19, 0x0F), ProductLine::milan);
  EXPECT_EQ(snp::product_from_cpuid(0x19, 0x10), ProductLine::genoa);
  EXPECT_EQ(snp::product_from_cpuid(0x19, 0x1F), ProductLine::genoa);
  EXPECT_EQ(snp::product_from_cpuid(0x19, 0x20), std::nullopt);
  EXPECT_EQ(snp::product_from_cpuid(0x19, 0xA0), ProductLine::genoa);
  EXPECT_EQ(snp::product_from_cpuid(0x1A, 0x11), ProductLine::turin);
  EXPECT_EQ(snp::product_from_cpuid(0x1A, 0x12), std::nullopt);
  EXPECT_EQ(snp::product_from_cpuid(0, 0), std::nullopt);
  EXPECT_EQ(snp::product_from_name("Milan-B0"), ProductLine::milan);
  EXPECT_EQ(snp::product_from_name("Milano"), std::nullopt);
  EXPECT_EQ(snp::product_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace cloister::evidence
