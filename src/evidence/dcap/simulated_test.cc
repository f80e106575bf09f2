// Single faults of form, chains and signatures: each case bends one thing of an accepted
// verification.
#include <gmock/gmock.h>

#include "evidence/dcap/faults_testing.h"

namespace cloister::evidence::dcap {
namespace {

using sim::IntelAuthority;

const IntelAuthority& root() {
  return hierarchy().root_for_testing();
}
const IntelAuthority& platform_ca() {
  return hierarchy().platform_ca_for_testing();
}
const IntelAuthority& tcb_signing() {
  return hierarchy().tcb_signing_for_testing();
}
const IntelAuthority& pck() {
  return hierarchy().pck_for_testing(0);
}

constexpr sim::IntelWindow kLong = {kNow - kDay, kNow + 365 * kDay};

crypto::Certificate signer_with(sim::IntelCertificate parameters, const IntelAuthority* issuer) {
  return reissue(parameters, tcb_signing().key, issuer);
}

sim::IntelCertificate signing_form() {
  return {sim::kIntelTcbSigningName, kLong, false, std::nullopt, {}};
}

sim::IntelCertificate ca_form() {
  return {sim::kIntelPlatformCaName, kLong, true, 0, {}};
}

TEST(Simulated, TheUnbentScenarioIsAcceptedWithEveryCheck) {
  const Verification got = Scenario().judge();
  ASSERT_TRUE(got.appraisal.accepted()) << got.appraisal.detail;
  ASSERT_TRUE(got.verified);
  std::vector<std::string> names;
  for (const Check& check : got.appraisal.checks) {
    names.push_back(check.name);
    EXPECT_TRUE(check.ok) << check.name;
    EXPECT_FALSE(check.expected.empty() || check.found.empty()) << check.name;
  }
  EXPECT_THAT(names, testing::ElementsAre("evidence_form", "vendor_root", "collateral_fresh",
                                          "revocation", "collateral_match", "evidence_signature",
                                          "identity", "tcb_level", "debug_off", "attributes",
                                          "service_td", "tcb_status", "report_data"));
}

TEST(Simulated, Form) {
  expect_refusals({
      {"version 3", Error::unsupported,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[0] = 3; }; }},
      {"version 6", Error::unsupported,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[0] = 6; }; }},
      {"P-384 key type", Error::unsupported,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[2] = 3; }; }},
      {"SGX", Error::unsupported, [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[4] = 0; }; }},
      {"larger than any quote", Error::malformed,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q.resize(16 * 1024 + 1); }; }},
      {"certification data of another type", Error::unsupported,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[636 + 128 + 6 + 448 + 2 + 32] = 4; }; }},
      {"authentication data beyond the limit", Error::malformed,
       [](Scenario& s) { s.qe.authentication_data.resize(1025); }},
      {"text between the certificates", Error::malformed,
       [](Scenario& s) { s.bend_pck_pem = [](std::string& pem) { pem.insert(0, "\n"); }; }},
      {"two certificates", Error::malformed,
       [](Scenario& s) {
         s.bend_pck_pem = [](std::string& pem) { pem.resize(pem.rfind("-----BEGIN")); };
       }},
      {"four certificates", Error::malformed,
       [](Scenario& s) {
         s.bend_pck_pem = [](std::string& pem) { pem += pem.substr(pem.rfind("-----BEGIN")); };
       }},
      {"no SGX extension", Error::malformed,
       [](Scenario& s) {
         s.leaf = reissue({sim::kIntelPckName, kLong, false, {}, {}}, pck().key, &platform_ca());
       }},
      {"duplicate key in TCB info, signed as it is", Error::malformed,
       [](Scenario& s) {
         s.bend_info_body = [](std::string& body) {
           replace_once(body, "\"version\":3", "\"version\":3,\"version\":3");
         };
       }},
      {"a third member beside TCB info", Error::malformed,
       [](Scenario& s) { s.bend_info_document = [](std::string& d) { d.insert(1, "\"x\":1,"); }; }},
      {"TCB info version 2", Error::unsupported, [](Scenario& s) { s.info.version = 2; }},
      {"another TCB type", Error::unsupported,
       [](Scenario& s) {
         s.bend_info_body = [](std::string& body) {
           replace_once(body, "\"tcbType\":0", "\"tcbType\":1");
         };
       }},
      {"TCB info without levels", Error::malformed, [](Scenario& s) { s.info.levels.clear(); }},
      {"two statuses for one platform level", Error::malformed,
       [](Scenario& s) { s.info.levels.push_back(s.info.levels[0]); }},
      {"two identities of one module version", Error::malformed,
       [](Scenario& s) { s.info.modules.push_back(s.info.modules[0]); }},
      {"a status of no level", Error::malformed,
       [](Scenario& s) { s.info.levels[0].at.status = "Fine"; }},
      {"relaunch advice as a level", Error::malformed,
       [](Scenario& s) { s.info.levels[0].at.status = "TDRelaunchAdvised"; }},
      {"a date that does not exist", Error::malformed,
       [](Scenario& s) { s.info.levels[0].at.tcb_date = "2025-02-30T00:00:00Z"; }},
      {"enclave identity version 1", Error::unsupported,
       [](Scenario& s) { s.identity.version = 1; }},
      {"identity of the verifying enclave", Error::unsupported,
       [](Scenario& s) { s.identity.id = "QVE"; }},
      {"CRL without number", Error::malformed,
       [](Scenario& s) { s.pck_crl = odd_crl(platform_ca(), {.number = false}); }},
      {"CRL without authority key id", Error::malformed,
       [](Scenario& s) { s.root_crl = odd_crl(root(), {.authority_key_id = false}); }},
      {"CRL without next update", Error::malformed,
       [](Scenario& s) { s.pck_crl = odd_crl(platform_ca(), {.next_update = false}); }},
      {"CRL with an unknown critical extension", Error::unsupported,
       [](Scenario& s) { s.pck_crl = odd_crl(platform_ca(), {.unknown_critical = true}); }},
  });
}

TEST(Simulated, AnOddCrlWithNothingOddIsAccepted) {
  Scenario s;
  s.pck_crl = odd_crl(platform_ca(), {});
  s.root_crl = odd_crl(root(), {});
  const Verification got = s.judge();
  EXPECT_TRUE(got.appraisal.accepted()) << got.appraisal.detail;
}

TEST(Simulated, MissingPieces) {
  expect_refusals({
      {"no root CRL", Error::collateral_missing, [](Scenario& s) { s.root_crl.reset(); }},
      {"no PCK CRL", Error::collateral_missing, [](Scenario& s) { s.pck_crl.reset(); }},
      {"no signer", Error::collateral_missing, [](Scenario& s) { s.signers.clear(); }},
      {"a root as signer", Error::collateral_missing,
       [](Scenario& s) { s.signers = {root().certificate}; }},
      {"CRL of another issuer although none is needed", Error::collateral_mismatch,
       [](Scenario& s) {
         s.policy.allow_no_revocation = true;
         s.pck_crl = crl_of(pck(), {});
       }},
  });
  Scenario waived;
  waived.policy.allow_no_revocation = true;
  waived.root_crl.reset();
  waived.pck_crl.reset();
  EXPECT_TRUE(waived.judge().appraisal.accepted());
}

TEST(Simulated, Chains) {
  expect_refusals({
      {"development root not trusted", Error::wrong_chain,
       [](Scenario& s) { s.policy.anchors.development_intel.clear(); }},
      {"another root trusted", Error::wrong_chain,
       [](Scenario& s) { s.policy.anchors.development_intel = {Hash32{1}}; }},
      {"root in place of the PCK CA", Error::wrong_chain,
       [](Scenario& s) { s.intermediate = s.root; }},
      {"leaf first and last", Error::wrong_chain,
       [](Scenario& s) {
         s.root = s.leaf;
         s.root_crl = crl_of(pck(), {});
       }},
      {"PCK CA of another name", Error::wrong_chain,
       [](Scenario& s) {
         auto form = ca_form();
         form.common_name = "Intel SGX PCK Other CA";
         s.intermediate = reissue(form, platform_ca().key, &root());
       }},
      {"PCK CA that is no CA", Error::wrong_chain,
       [](Scenario& s) {
         auto form = ca_form();
         form.ca = false;
         form.path_length.reset();
         s.intermediate = reissue(form, platform_ca().key, &root());
       }},
      {"PCK CA signed by itself", Error::wrong_chain,
       [](Scenario& s) { s.intermediate = reissue(ca_form(), platform_ca().key, nullptr); }},
      {"leaf of another role", Error::wrong_chain,
       [](Scenario& s) {
         auto form = sim::pck_certificate(hierarchy().platform(0), kLong);
         form.common_name = sim::kIntelTcbSigningName;
         s.leaf = reissue(form, pck().key, &platform_ca());
       }},
      {"leaf that is a CA", Error::wrong_chain,
       [](Scenario& s) {
         auto form = sim::pck_certificate(hierarchy().platform(0), kLong);
         form.ca = true;
         s.leaf = reissue(form, pck().key, &platform_ca());
       }},
      {"leaf with an unknown critical extension", Error::wrong_chain,
       [](Scenario& s) {
         auto form = sim::pck_certificate(hierarchy().platform(0), kLong);
         form.extensions.push_back({"1.2.3.4", true, {0x05, 0}});
         s.leaf = reissue(form, pck().key, &platform_ca());
       }},
      {"leaf signed by the root", Error::wrong_chain,
       [](Scenario& s) {
         s.leaf = reissue(sim::pck_certificate(hierarchy().platform(0), kLong), pck().key, &root());
       }},
      {"TCB info signed by the PCK key, whose certificate is the signer", Error::wrong_chain,
       [](Scenario& s) {
         s.info_key = s.identity_key = &pck().key;
         s.signers = {pck().certificate, platform_ca().certificate};
       }},
      {"signer under the PCK CA", Error::wrong_chain,
       [](Scenario& s) { s.signers = {signer_with(signing_form(), &platform_ca())}; }},
      {"signer signed by itself", Error::wrong_chain,
       [](Scenario& s) { s.signers = {signer_with(signing_form(), nullptr)}; }},
      {"signer that is a CA", Error::wrong_chain,
       [](Scenario& s) {
         auto form = signing_form();
         form.ca = true;
         s.signers = {signer_with(form, &root())};
       }},
  });
}

TEST(Simulated, Windows) {
  expect_refusals({
      {"before everything", Error::not_yet_valid, [](Scenario& s) { s.now = kNow - 9 * kDay; }},
      {"after everything", Error::expired, [](Scenario& s) { s.now = kNow + 9999 * kDay; }},
      {"TCB info to come", Error::not_yet_valid,
       [](Scenario& s) { s.info.window.from = kNow + 1; }},
      {"TCB info over", Error::expired, [](Scenario& s) { s.info.window.until = kNow - 1; }},
      {"QE identity to come", Error::not_yet_valid,
       [](Scenario& s) { s.identity.window.from = kNow + 1; }},
      {"QE identity over", Error::expired, [](Scenario& s) { s.identity.window.until = kNow - 1; }},
      {"root CRL to come", Error::not_yet_valid,
       [](Scenario& s) { s.root_crl = crl_of(root(), {}, {kNow + 1, kNow + kDay}); }},
      {"root CRL at its next update", Error::expired,
       [](Scenario& s) { s.root_crl = crl_of(root(), {}, {kNow - kDay, kNow}); }},
      {"PCK CRL at its next update", Error::expired,
       [](Scenario& s) { s.pck_crl = crl_of(platform_ca(), {}, {kNow - kDay, kNow}); }},
      {"one over, one to come", Error::not_yet_valid,
       [](Scenario& s) {
         s.info.window.until = kNow - 1;
         s.identity.window.from = kNow + 1;
       }},
      {"signer over", Error::expired,
       [](Scenario& s) {
         auto form = signing_form();
         form.window.until = kNow - 1;
         s.signers = {signer_with(form, &root())};
       }},
      {"leaf to come", Error::not_yet_valid,
       [](Scenario& s) {
         s.leaf = reissue(sim::pck_certificate(hierarchy().platform(0), {kNow + 1, kNow + kDay}),
                          pck().key, &platform_ca());
       }},
  });
}

TEST(Simulated, BothEndsOfAWindowBelongToIt) {
  Scenario first, last;
  first.info.window.from = kNow;
  last.info.window.until = kNow;
  EXPECT_TRUE(first.judge().appraisal.accepted());
  const Verification got = last.judge();
  ASSERT_TRUE(got.verified);
  EXPECT_EQ(got.verified->valid_until(), kNow);
}

TEST(Simulated, ARenewedSignerCountsByTheCertificateOfTheDay) {
  Scenario s;
  auto old = signing_form();
  old.window = {kNow - 99 * kDay, kNow - 1};
  s.signers = {signer_with(old, &root()), tcb_signing().certificate};
  EXPECT_TRUE(s.judge().appraisal.accepted());
}

TEST(Simulated, Revocation) {
  expect_refusals({
      {"leaf", Error::revoked,
       [](Scenario& s) { s.pck_crl = crl_of(platform_ca(), {s.leaf.serial()}); }},
      {"PCK CA", Error::revoked,
       [](Scenario& s) { s.root_crl = crl_of(root(), {s.intermediate.serial()}); }},
      {"signer", Error::revoked,
       [](Scenario& s) { s.root_crl = crl_of(root(), {s.signers[0].serial()}); }},
      {"leaf, although lists may be absent", Error::revoked,
       [](Scenario& s) {
         s.policy.allow_no_revocation = true;
         s.pck_crl = crl_of(platform_ca(), {s.leaf.serial()});
       }},
      {"list forged in the PCK CA's name", Error::bad_signature,
       [](Scenario& s) {
         const IntelAuthority forger =
             sim::make_intel_authority({sim::kIntelPlatformCaName, kLong, true, 0, {}}, &root());
         s.pck_crl = crl_of(forger, {s.leaf.serial()});
       }},
  });
  Scenario others;
  const Buffer other = hierarchy().pck_for_testing(1).certificate.serial();
  others.pck_crl = crl_of(platform_ca(), {Buffer{1}, other});
  EXPECT_TRUE(others.judge().appraisal.accepted());
}

TEST(Simulated, CollateralOfSomethingElse) {
  expect_refusals({
      {"FMSPC", Error::collateral_mismatch, [](Scenario& s) { s.info.fmspc[5] = 1; }},
      {"PCEID", Error::collateral_mismatch, [](Scenario& s) { s.info.pce_id = {1, 0}; }},
      {"TCB info for SGX", Error::collateral_mismatch, [](Scenario& s) { s.info.id = "SGX"; }},
      {"QE identity for SGX", Error::collateral_mismatch,
       [](Scenario& s) { s.identity.id = "QE"; }},
      {"PCEID of the platform", Error::collateral_mismatch,
       [](Scenario& s) {
         sim::IntelPlatform platform = hierarchy().platform(0);
         platform.pce_id = {1, 0};
         s.leaf = pck_with(platform);
       }},
      {"another FMSPC, unsigned", Error::bad_signature,
       [](Scenario& s) {
         s.info.fmspc[5] = 1;
         s.info_key = &pck().key;
       }},
  });
}

TEST(Simulated, Signatures) {
  expect_refusals({
      {"TCB info by the PCK key", Error::bad_signature,
       [](Scenario& s) { s.info_key = &pck().key; }},
      {"QE identity by the root key", Error::bad_signature,
       [](Scenario& s) { s.identity_key = &root().key; }},
      {"white space added to TCB info after signing", Error::bad_signature,
       [](Scenario& s) {
         s.bend_info_document = [](std::string& document) {
           replace_once(document, "\"version\":", "\"version\": ");
         };
       }},
      {"QE report by another platform's key", Error::bad_signature,
       [](Scenario& s) { s.pck_key = &hierarchy().pck_for_testing(1).key; }},
      {"REPORTDATA changed", Error::bad_signature,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[568] ^= 1; }; }},
      {"user data of the header changed", Error::bad_signature,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[28] ^= 1; }; }},
      {"authentication data changed", Error::bad_signature,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[636 + 128 + 6 + 448 + 2] ^= 1; }; }},
      {"attestation key off the curve", Error::bad_signature,
       [](Scenario& s) { s.bend_quote = [](Buffer& q) { q[636 + 64] ^= 1; }; }},
  });
}

TEST(Simulated, AuthenticationDataOfAnyLength) {
  for (const size_t length : {0u, 1u, 32u, 64u, 1024u}) {
    SCOPED_TRACE(length);
    Scenario s;
    s.qe.authentication_data = Buffer(length, 0x5a);
    const Verification got = s.judge();
    EXPECT_TRUE(got.appraisal.accepted()) << got.appraisal.detail;
  }
}

TEST(Simulated, Identities) {
  expect_refusals({
      {"another signer of the QE", Error::identity_mismatch,
       [](Scenario& s) { s.qe.mr_signer[0] ^= 1; }},
      {"another product of that signer", Error::identity_mismatch,
       [](Scenario& s) { s.qe.isv_prod_id = 1; }},
      {"QE in debug", Error::identity_mismatch, [](Scenario& s) { s.qe.attributes[0] |= 2; }},
      {"QE in debug, and the identity says so", Error::identity_mismatch,
       [](Scenario& s) {
         s.qe.attributes[0] |= 2;
         s.bend_identity_body = [](std::string& b) { replace_once(b, "\"11000", "\"13000"); };
       }},
      {"MISCSELECT of the QE", Error::identity_mismatch,
       [](Scenario& s) { s.qe.misc_select[0] = 1; }},
      {"TDX module by another signer", Error::identity_mismatch,
       [](Scenario& s) { s.td.mr_signer_seam[0] = 1; }},
      {"SEAM attributes", Error::identity_mismatch, [](Scenario& s) { s.td.seam_attributes = 1; }},
  });
  Scenario legacy;  // bit 2 of ATTRIBUTES lies outside the mask
  legacy.qe.attributes[0] |= 4;
  EXPECT_TRUE(legacy.judge().appraisal.accepted());
}

}  // namespace
}  // namespace cloister::evidence::dcap
