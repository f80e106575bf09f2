#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "evidence/common/appraisal_json.h"
#include "evidence/common/binding.h"
#include "evidence/common/cases_testing.h"

namespace cloister::evidence {
namespace {

TEST(Names, EveryErrorHasItsOwnNameAndSentence) {
  std::set<std::string_view> names, sentences;
  for (uint8_t n = 1; n <= 18; ++n) {
    names.insert(name(static_cast<Error>(n)));
    sentences.insert(describe(static_cast<Error>(n)));
  }
  EXPECT_EQ(names.size(), 18u);
  EXPECT_EQ(sentences.size(), 18u);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(name(Error::malformed), "malformed");
  EXPECT_EQ(name(Error::nonce_mismatch), "nonce_mismatch");
}

TEST(Names, StatusesAndFormatsRoundTrip) {
  for (uint8_t n = 1; n <= 9; ++n) {
    const auto status = static_cast<TcbStatus>(n);
    EXPECT_EQ(tcb_status_from(name(status)), status);
  }
  for (uint8_t n = 1; n <= 9; ++n) {
    const auto format = static_cast<Format>(n);
    EXPECT_EQ(format_from(name(format)), format);
  }
  EXPECT_FALSE(tcb_status_from("uptodate"));
  EXPECT_FALSE(tcb_status_from("unknown"));
  EXPECT_FALSE(format_from(""));
}

TEST(Anchors, AreTheKeysOfTheVendorsRoots) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const auto roots = *vectors / "roots";
  const TrustAnchors anchors = vendor_anchors();
  const auto intel = crypto::Certificate::from_der(read_file(roots / "intel_sgx_root_ca.der"));
  ASSERT_TRUE(intel);
  EXPECT_EQ(anchors.intel_sgx_root, std::vector<Hash32>{intel->spki_sha256()});
  for (const auto& [product, file] : {std::pair{"Milan", "amd_ark_milan.pem"},
                                      {"Genoa", "amd_ark_genoa.pem"},
                                      {"Turin", "amd_ark_turin.pem"}}) {
    SCOPED_TRACE(product);
    const Buffer pem = read_file(roots / file);
    const auto ark = crypto::certificates_from_pem(as_text(pem), 1);
    ASSERT_TRUE(ark && ark->size() == 1);
    EXPECT_EQ(anchors.amd_ark.at(product), std::vector<Hash32>{ark->front().spki_sha256()});
  }
  EXPECT_EQ(anchors.amd_ark.size(), 3u);
  const auto keys_of = [&](std::initializer_list<const char*> files) {
    std::vector<Hash32> out;
    for (const char* file : files) {
      const Buffer pem = read_file(roots / file);
      out.push_back(crypto::certificates_from_pem(as_text(pem), 1)->front().spki_sha256());
    }
    return out;
  };
  EXPECT_EQ(anchors.nvidia_device_root, keys_of({"nvidia_device_identity_ca.pem"}));
  EXPECT_EQ(anchors.nvidia_rim_root, keys_of({"nvidia_rim_root_ca.pem"}));
  EXPECT_EQ(anchors.aws_nitro_root, keys_of({"aws_nitro_root_g1.pem"}));
  EXPECT_EQ(anchors.tpm_root, keys_of({"azure_vtpm_root_2023.pem", "gce_ek_ak_root.pem"}));
  for (const auto* simulated :
       {&anchors.development_intel, &anchors.development_amd, &anchors.development_nvidia,
        &anchors.development_nitro, &anchors.development_tpm}) {
    EXPECT_TRUE(simulated->empty());
  }
}

TEST(Collateral, FindsRolesByContent) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const auto intel = *vectors / "collateral/intel";
  Collateral c;
  EXPECT_TRUE(c.add(read_file(intel / "tcbinfo_tdx_b0c06f000000_20250619.json")));
  EXPECT_TRUE(c.add(read_file(intel / "qeid_td_20250619.json")));
  EXPECT_TRUE(c.add(read_file(intel / "tcb_signing_2025.pem")));
  EXPECT_TRUE(c.add(read_file(intel / "crl_root_20250320.crl")));
  EXPECT_EQ(c.tcb_infos.size(), 1u);
  EXPECT_EQ(c.qe_identities.size(), 1u);
  EXPECT_EQ(c.certificates.size(), 2u);
  EXPECT_EQ(c.crls.size(), 1u);

  std::string pem = "-----BEGIN X509 CRL-----\n" + to_base64(c.crls[0].der()) + "\n";
  EXPECT_FALSE(c.add(as_bytes(pem)));
  pem += "-----END X509 CRL-----\n";
  EXPECT_TRUE(c.add(as_bytes(pem)));
  EXPECT_EQ(c.crls.size(), 2u);
  EXPECT_EQ(c.crls[1].der(), c.crls[0].der());
  EXPECT_TRUE(c.add(c.certificates[0].der()));
  EXPECT_EQ(c.certificates.size(), 3u);
}

TEST(Cases, OneOfEachFormatLoads) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  EXPECT_EQ(load_cases(*vectors, "tdx-quote-v4").size(), 65u);
  EXPECT_EQ(load_cases(*vectors, "snp-report").size(), 48u);
  EXPECT_EQ(load_cases(*vectors, "").size(), 245u);
}

TEST(Collateral, FindsRimsAndKeys) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  Collateral c;
  EXPECT_TRUE(c.add(read_file(*vectors / "nvidia/rim/driver_550.144.03.xml")));
  EXPECT_TRUE(c.add(read_file(*vectors / "tpm/azure_1_ak.pem")));
  EXPECT_TRUE(c.add(read_file(*vectors / "cca/token_example_platform_key.jwk")));
  EXPECT_EQ(c.rims.size(), 1u);
  ASSERT_EQ(c.keys.size(), 2u);
  EXPECT_EQ(c.keys[0].kind(), crypto::KeyKind::rsa);
  EXPECT_EQ(c.keys[1].kind(), crypto::KeyKind::ec_p384);
}

TEST(Binding, IsComparedWholeAndOnlyWhereTheFormatHasTheField) {
  const Fixed<64> data{1};
  const Fixed<32> nonce{2};
  const auto both = Binding::report_data(data).and_nonce(nonce);
  EXPECT_TRUE(check_binding(both, data, nonce));
  EXPECT_TRUE(check_binding(Binding::not_compared(), std::nullopt, std::nullopt));
  struct Case {
    const char* name;
    std::optional<Bytes> data, nonce;
    Error want;
  };
  const Bytes prefix = Bytes(nonce).first(31);
  const Case cases[] = {
      {"no report data", std::nullopt, nonce, Error::report_data_mismatch},
      {"other report data", Bytes(data).first(63), nonce, Error::report_data_mismatch},
      {"no nonce", data, std::nullopt, Error::nonce_mismatch},
      {"a prefix of the nonce", data, prefix, Error::nonce_mismatch},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto got = check_binding(both, c.data, c.nonce);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().error, c.want);
  }
}

TEST(Collateral, RefusesWhatHasNoRoleAndStaysAsItWas) {
  Collateral c;
  const char* refused[] = {
      "",
      " ",
      "hello",
      "{}",
      "[]",
      R"({"tcbInfo":{},"enclaveIdentity":{}})",
      R"({"tcbInfo":{},"tcbInfo":{}})",
      R"({"tcbInfo":{}} x)",
      "-----BEGIN CERTIFICATE-----",
      "-----BEGIN X509 CRL-----",
      "-----BEGIN X509 CRL----------END X509 CRL-----",
      "0",
      "<html/>",
      "-----BEGIN PUBLIC KEY-----",
      R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})",
      R"({"kty":"RSA"})",
  };
  for (const char* text : refused) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(c.add(as_bytes(text)));
  }
  EXPECT_TRUE(c.tcb_infos.empty() && c.qe_identities.empty());
  EXPECT_TRUE(c.certificates.empty() && c.crls.empty());
}

TEST(Collateral, IsBounded) {
  const std::string document = R"({"tcbInfo":{},"signature":""})";
  Collateral c;
  for (size_t i = 0; i < kMaxCollateralObjects; ++i) ASSERT_TRUE(c.add(as_bytes(document)));
  EXPECT_FALSE(c.add(as_bytes(document)));
  EXPECT_EQ(c.tcb_infos.size(), kMaxCollateralObjects);

  std::string large = document;
  large.resize(kMaxCollateralFileBytes, ' ');
  Collateral other;
  EXPECT_TRUE(other.add(as_bytes(large)));
  large.push_back(' ');
  EXPECT_FALSE(other.add(as_bytes(large)));
}

TEST(AppraisalJson, SaysEverythingUnderTheNamesOfTheInterface) {
  Appraisal refused;
  refused.format = Format::snp_report;
  refused.error = Error::wrong_chain;
  refused.detail = "another key";
  refused.checks = {{"vendor_root", false, "a pinned key", "another"}};
  EXPECT_EQ(to_json(refused).dump(),
            R"({"format":"snp-report","verdict":"reject","error":"wrong_chain",)"
            R"("detail":"another key","status":null,"advisories":[],"claims":{},)"
            R"("checks":[{"name":"vendor_root","ok":false,"expected":"a pinned key",)"
            R"("found":"another"}]})");
  Appraisal accepted;
  accepted.format = Format::tdx_quote;
  accepted.status = TcbStatus::up_to_date;
  accepted.advisories = {"INTEL-SA-1"};
  accepted.claims.set("vmpl", 0);
  accepted.development = true;
  EXPECT_EQ(to_json(accepted).dump(),
            R"({"format":"tdx-quote","verdict":"accept","error":null,"detail":"",)"
            R"("status":"UpToDate","advisories":["INTEL-SA-1"],"claims":{"vmpl":0},"checks":[],)"
            R"("development":"no hardware protection"})");
}

TEST(Permissions, EachNameSetsItsFlagAndNoOther) {
  for (const std::string_view permission : permissions()) {
    VerifyPolicy policy;
    EXPECT_TRUE(allow(policy, permission));
    const int set = policy.allow_debug + policy.allow_out_of_date + policy.allow_service_td +
                    policy.allow_perfmon + policy.allow_no_sept_ve_disable +
                    policy.allow_no_revocation + policy.allow_migration + policy.allow_no_rim;
    EXPECT_EQ(set, 1) << permission;
  }
  VerifyPolicy policy;
  EXPECT_FALSE(allow(policy, "allow_debug"));
  EXPECT_FALSE(allow(policy, ""));
  EXPECT_FALSE(allow(policy, "DEBUG"));
}

}  // namespace
}  // namespace cloister::evidence
