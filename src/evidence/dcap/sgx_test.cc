// SGX quotes of versions 3, 4 and 5: accepted as they are, and single faults of what only they
// have.
#include <gmock/gmock.h>

#include "base/text.h"
#include "evidence/dcap/faults_testing.h"
#include "evidence/dcap/quote.h"

namespace cloister::evidence::dcap {
namespace {

class SgxQuote : public testing::TestWithParam<uint16_t> {};
INSTANTIATE_TEST_SUITE_P(Versions, SgxQuote, testing::Values(3, 4, 5));

TEST_P(SgxQuote, TheUnbentScenarioIsAcceptedAndGivesTypedClaims) {
  Scenario s = sgx_scenario(GetParam());
  s.enclave.mr_enclave.fill(7);
  s.enclave.mr_signer.fill(8);
  const Verification got = s.judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_EQ(got.verified->format(), Format::sgx_quote);
  EXPECT_EQ(got.verified->product(), "SGX");
  EXPECT_EQ(got.verified->measurement(), Buffer(32, 7));
  EXPECT_TRUE(got.verified->runtime_measurements().empty());
  EXPECT_EQ(got.verified->report_data(), to_buffer(kReportData));
  EXPECT_EQ(got.appraisal.claims["quote_version"].u64(), GetParam());
  EXPECT_EQ(got.appraisal.claims["mrsigner"].string(), to_hex(Buffer(32, 8)));
  EXPECT_EQ(got.appraisal.status, TcbStatus::up_to_date);
}

TEST_P(SgxQuote, AuthenticationDataOfTheQuotingEnclaveHasAnyLength) {
  for (const size_t size : {0u, 1u, 31u, 33u, 64u, 1024u}) {
    Scenario s = sgx_scenario(GetParam());
    s.qe.authentication_data = Buffer(size, 5);
    EXPECT_TRUE(s.judge().verified) << size;
  }
}

TEST_P(SgxQuote, EachSingleFaultIsRefusedByItsOwnError) {
  const std::vector<FaultCase> cases = {
      {"DEBUG", Error::debug_enabled, [](Scenario& s) { s.enclave.attributes[0] |= 0x02; }},
      {"not initialised", Error::policy_denied,
       [](Scenario& s) { s.enclave.attributes[0] = 0x04; }},
      {"TCB info for TDX", Error::collateral_mismatch, [](Scenario& s) { s.info.id = "TDX"; }},
      {"QE identity for TDX", Error::collateral_mismatch,
       [](Scenario& s) { s.identity.id = "TD_QE"; }},
      {"the TDX quoting enclave", Error::identity_mismatch,
       [](Scenario& s) { s.qe.isv_prod_id = 2; }},
      {"quoting enclave of another signer", Error::identity_mismatch,
       [](Scenario& s) { s.qe.mr_signer[0] ^= 1; }},
      {"debug quoting enclave", Error::identity_mismatch,
       [](Scenario& s) { s.qe.attributes[0] |= 0x02; }},
      {"quoting enclave older than any level", Error::no_tcb_level,
       [](Scenario& s) { s.qe.isv_svn = 3; }},
      {"quoting enclave out of date", Error::tcb_status, [](Scenario& s) { s.qe.isv_svn = 5; }},
      {"platform below every level", Error::no_tcb_level,
       [](Scenario& s) {
         sim::IntelPlatform platform;
         platform.cpu_svn = {1};
         s.leaf = pck_with(platform);
       }},
      {"platform out of date", Error::tcb_status,
       [](Scenario& s) {
         sim::IntelPlatform platform;
         platform.cpu_svn = {2, 2, 2, 2, 3, 1, 0, 5};
         s.leaf = pck_with(platform);
       }},
      {"other report data", Error::report_data_mismatch,
       [](Scenario& s) { s.enclave.report_data[63] ^= 1; }},
      {"body changed after signing", Error::bad_signature,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[48 + 6 + 300] ^= 1; }; }},
      {"key type reserved for P-384", Error::unsupported,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[2] = 3; }; }},
      {"version 6", Error::unsupported,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[0] = 6; }; }},
      {"another vendor's quoting enclave", Error::unsupported,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[12] ^= 1; }; }},
  };
  for (const FaultCase& c : cases) {
    SCOPED_TRACE(c.name);
    Scenario scenario = sgx_scenario(GetParam());
    c.spoil(scenario);
    const Verification got = scenario.judge();
    ASSERT_TRUE(got.appraisal.error.has_value());
    EXPECT_EQ(name(*got.appraisal.error), name(c.want)) << got.appraisal.detail;
    EXPECT_FALSE(got.verified);
  }
}

TEST_P(SgxQuote, EveryTruncationIsMalformed) {
  const Scenario s = sgx_scenario(GetParam());
  const Buffer whole = s.quote();
  ASSERT_TRUE(parse_quote(whole, Tee::sgx));
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto cut = parse_quote(Bytes(whole).first(size), Tee::sgx);
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().error, Error::malformed) << size;
  }
}

Error parse_error(const Buffer& quote, Tee tee) {
  const auto parsed = parse_quote(quote, tee);
  EXPECT_FALSE(parsed);
  return parsed ? Error{} : parsed.error().error;
}

TEST(SgxQuoteHeader, AQuoteOfTheOtherTeeIsUnsupported) {
  for (const uint16_t version : {uint16_t{3}, uint16_t{4}, uint16_t{5}}) {
    EXPECT_EQ(parse_error(sgx_scenario(version).quote(), Tee::tdx), Error::unsupported);
  }
  EXPECT_EQ(parse_error(Scenario().quote(), Tee::sgx), Error::unsupported);
}

TEST(SgxQuoteHeader, Version3HasNoTeeField) {
  Buffer quote = sgx_scenario(3).quote();
  quote[4] = 0x81;
  EXPECT_EQ(parse_error(quote, Tee::sgx), Error::malformed);
}

TEST(SgxQuoteHeader, TheDescriptorOfVersion5FitsTheTeeAndTheBody) {
  const Buffer good = sgx_scenario(5).quote();
  struct Row {
    const char* name;
    size_t at;
    uint8_t value;
    Error want;
  };
  for (const Row& row : {Row{"a TD body", 48, 2, Error::malformed},
                         Row{"an unknown body", 48, 4, Error::unsupported},
                         Row{"one byte more", 50, 0x81, Error::malformed},
                         Row{"one byte less", 50, 0x7f, Error::malformed}}) {
    Buffer quote = good;
    quote[row.at] = row.value;
    EXPECT_EQ(parse_error(quote, Tee::sgx), row.want) << row.name;
  }
}

}  // namespace
}  // namespace cloister::evidence::dcap
