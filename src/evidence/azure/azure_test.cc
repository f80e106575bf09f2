#include <gmock/gmock.h>

#include "base/text.h"
#include "evidence/azure/hcl_report.h"
#include "evidence/azure/vtpm.h"
#include "evidence/common/cases_testing.h"

namespace cloister::evidence::azure {
namespace {

struct Recorded {
  AzureEvidence evidence;
  Collateral collateral;
  VerifyPolicy policy;
  UnixSeconds time;
};

// The machine whose SNP case is `snp_id`, with the quote of its vTPM.
Recorded recorded(const std::filesystem::path& vectors, const char* snp_id, const char* hcl,
                  const char* quote) {
  for (Case& c : load_cases(vectors, "snp-report")) {
    if (c.id != snp_id) continue;
    return {{read_file(vectors / hcl), read_file(vectors / quote), std::nullopt},
            *c.gathered(),
            c.policy,
            c.time};
  }
  throw std::runtime_error("no such case");
}

class Azure : public testing::Test {
 protected:
  void SetUp() override {
    const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
    if (!vectors) GTEST_SKIP() << "the vectors are not here";
    machine_ = recorded(*vectors, "snp2-azure-hcl", "snp/v2_milan_azure_hcl.bin",
                        "tpm/azure_1_quote.json");
    other_quote_ = read_file(*vectors / "tpm/azure_2_quote.json");
  }
  AzureVerification judge(std::string_view nonce = "challenge") const {
    return verify_azure_vtpm(machine_.evidence, machine_.collateral, machine_.policy,
                             as_bytes(nonce), machine_.time);
  }
  Recorded machine_{};
  Buffer other_quote_;
};

TEST_F(Azure, AQuoteOfTheVtpmThatTheHardwareNamesIsAccepted) {
  const auto got = judge();
  EXPECT_TRUE(got.accepted()) << got.detail;
  ASSERT_TRUE(got.hardware && got.hardware->verified && got.quote && got.quote->verified);
  EXPECT_EQ(got.hardware->verified->product(), "Milan");
  EXPECT_EQ(got.quote->verified->runtime_measurements().size(), 24u);
}

TEST(AzureVerification, AnAnswerThatNobodyFilledIsNoAcceptance) {
  EXPECT_FALSE(AzureVerification().accepted());
}

TEST_F(Azure, KeysOfTheCallerDoNotCount) {
  const auto own = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  const auto key = crypto::PublicKey::from_spki_der(own.spki_der());
  machine_.collateral.keys = {*key};
  EXPECT_TRUE(judge().accepted());
  // Nor do they help: a quote that this key made is not the vTPM's.
  std::string quote(as_text(machine_.evidence.tpm_quote));
  const auto json = parse_json(quote);
  const std::string message((*json)["message"].string().value());
  const std::string was((*json)["signature"].string().value());
  quote.replace(quote.find(was), was.size(), to_hex(own.sign_ecdsa(from_hex(message).value())));
  machine_.evidence.tpm_quote = to_buffer(as_bytes(quote));
  EXPECT_EQ(judge().error, Error::bad_signature);
}

TEST_F(Azure, AnotherNonceIsRefused) {
  EXPECT_EQ(judge("challenge2").error, Error::nonce_mismatch);
}

TEST_F(Azure, AQuoteOfAnotherMachineIsRefused) {
  machine_.evidence.tpm_quote = other_quote_;
  EXPECT_EQ(judge().error, Error::bad_signature);
  EXPECT_TRUE(judge().hardware->verified);
}

TEST_F(Azure, ATdxQuoteBesideAnSnpReportIsRefused) {
  machine_.evidence.td_quote = Buffer(10);
  EXPECT_EQ(judge().error, Error::malformed);
}

TEST_F(Azure, EveryFlippedByteOfTheReportIsRefused) {
  Buffer& bytes = machine_.evidence.hcl_report;
  for (size_t at = 0; at < bytes.size(); ++at) {
    // Not read: a reserved or unnamed part of the header, outside what the hardware signed.
    if (at >= 12 && at < 32) continue;
    bytes[at] ^= static_cast<uint8_t>(1u << (at % 8));
    ASSERT_TRUE(judge().error) << "byte " << at;
    bytes[at] ^= static_cast<uint8_t>(1u << (at % 8));
  }
  EXPECT_TRUE(judge().accepted());
}

TEST_F(Azure, EveryCutOfTheReportIsRefusedUpToItsEnd) {
  const Buffer whole = machine_.evidence.hcl_report;
  const size_t end = 32 + 1184 + 20 + 1110;
  for (size_t size = 0; size < end; ++size) {
    const auto got = parse_hcl_report(Bytes(whole).first(size));
    ASSERT_FALSE(got) << size;
    ASSERT_EQ(got.error().error, Error::malformed) << size;
  }
  EXPECT_TRUE(parse_hcl_report(Bytes(whole).first(end)));
}

TEST_F(Azure, Form) {
  struct FaultCase {
    const char* name;
    Error want;
    void (*spoil)(Buffer&);
  };
  const FaultCase cases[] = {
      {"version 0", Error::unsupported, [](Buffer& b) { b[4] = 0; }},
      {"version 3", Error::unsupported, [](Buffer& b) { b[4] = 3; }},
      {"another total", Error::malformed, [](Buffer& b) { b[8] ^= 1; }},
      {"run-time data of version 2", Error::unsupported, [](Buffer& b) { b[0x4C4] = 2; }},
      {"a VBS report", Error::unsupported, [](Buffer& b) { b[0x4C8] = 1; }},
      {"SHA-384", Error::unsupported, [](Buffer& b) { b[0x4CC] = 2; }},
      {"a size that is not the JSON's", Error::malformed, [](Buffer& b) { b[0x4C0] ^= 1; }},
      {"JSON past the end", Error::malformed, [](Buffer& b) { b[0x4D2] = 1; }},
      {"no key of that name", Error::malformed,
       [](Buffer& b) { b[0x4D4 + std::string_view(R"({"keys":[{"kid":")").size()] = 'X'; }},
      {"something after the end", Error::malformed, [](Buffer& b) { b.back() = 1; }},
      {"too large", Error::malformed, [](Buffer& b) { b.resize(kMaxHclReportBytes + 1); }},
  };
  for (const FaultCase& c : cases) {
    SCOPED_TRACE(c.name);
    Buffer bytes = machine_.evidence.hcl_report;
    c.spoil(bytes);
    const auto got = parse_hcl_report(bytes);
    ASSERT_FALSE(got);
    EXPECT_EQ(name(got.error().error), name(c.want)) << got.error().detail;
  }
}

}  // namespace
}  // namespace cloister::evidence::azure
