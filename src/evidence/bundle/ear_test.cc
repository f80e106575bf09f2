#include "evidence/bundle/ear.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "crypto/public_key.h"

namespace cloister::evidence::bundle {
namespace {

Appraisal accepted(Format format) {
  Appraisal out;
  out.format = format;
  out.status = TcbStatus::up_to_date;
  out.checks = {{"debug_off", true, "off", "off"}};
  return out;
}

TEST(Ear, AcceptedEvidenceAffirmsWhatTheVerifierKnows) {
  const TrustVector v = trust_vector(accepted(Format::tdx_quote));
  EXPECT_EQ(v.hardware, 2);
  EXPECT_EQ(v.configuration, 2);
  EXPECT_EQ(v.runtime_opaque, 2);
  EXPECT_EQ(v.executables, 0);  // the caller's to compare
  EXPECT_EQ(v.instance_identity, 0);
  EXPECT_EQ(tier(v), "affirming");
}

TEST(Ear, WhatIsAllowedBeyondTheDefaultIsAWarning) {
  Appraisal old = accepted(Format::tdx_quote);
  old.status = TcbStatus::out_of_date;
  EXPECT_EQ(tier(trust_vector(old)), "warning");
  Appraisal debug = accepted(Format::snp_report);
  debug.checks[0].found = "on, allowed by policy";
  EXPECT_EQ(tier(trust_vector(debug)), "warning");
  EXPECT_EQ(trust_vector(debug).runtime_opaque, 0);
}

TEST(Ear, ASimulatedTeeIsContraindicated) {
  Appraisal simulated = accepted(Format::tdx_quote);
  simulated.development = true;
  EXPECT_EQ(tier(trust_vector(simulated)), "contraindicated");
}

TEST(Ear, ARefusalNeverAffirms) {
  for (uint8_t number = 1; number <= 18; ++number) {
    Appraisal refused = accepted(Format::tdx_quote);
    refused.error = Error{number};
    EXPECT_NE(tier(trust_vector(refused)), "affirming") << name(Error{number});
    EXPECT_NE(tier(trust_vector(refused)), "warning") << name(Error{number});
  }
}

TEST(Ear, OnlyManifestsThatTheVerifierComparedAffirmExecutables) {
  Appraisal gpu = accepted(Format::nvidia_gpu);
  gpu.claims.set("vbios_rim", "match");
  gpu.claims.set("driver_rim", "absent");
  EXPECT_EQ(trust_vector(gpu).executables, 0);
  gpu.claims.set("driver_rim", "match");
  EXPECT_EQ(trust_vector(gpu).executables, 2);
  Appraisal fabric = accepted(Format::nvidia_switch);
  fabric.claims.set("vbios_rim", "match");
  EXPECT_EQ(trust_vector(fabric).executables, 2);
  Appraisal cpu = accepted(Format::tdx_quote);
  cpu.claims.set("vbios_rim", "match");
  EXPECT_EQ(trust_vector(cpu).executables, 0);
}

TEST(Ear, TheTokenVerifiesWithTheKeyAndSaysWhatTheAppraisalSays) {
  for (const auto curve : {crypto::Curve::p256, crypto::Curve::p384}) {
    const auto key = crypto::PrivateKey::generate_ec(curve);
    const Appraisal good = accepted(Format::tdx_quote);
    Appraisal bad = accepted(Format::nvidia_gpu);
    bad.error = Error::bad_signature;
    const EarContext context{1'800'000'000, "cloister test", "somebody", "policy", {1, 2, 3}};
    const std::string token = sign_ear(ear_claims({{"cpu", &good}, {"gpu", &bad}}, context), key);
    const size_t first = token.find('.'), second = token.rfind('.');
    const auto part = [&](size_t from, size_t to) {
      return from_base64url(std::string_view(token).substr(from, to - from)).value();
    };
    const bool p384 = curve == crypto::Curve::p384;
    EXPECT_EQ(as_text(part(0, first)),
              std::string(R"({"alg":")") + (p384 ? "ES384" : "ES256") + R"(","typ":"JWT"})");
    const auto verifier = crypto::PublicKey::from_spki_der(key.spki_der());
    EXPECT_TRUE(verifier->verify(p384 ? crypto::SignatureScheme::ecdsa_p384_sha384
                                      : crypto::SignatureScheme::ecdsa_p256_sha256,
                                 as_bytes(std::string_view(token).substr(0, second)),
                                 part(second + 1, token.size())));
    const auto claims = parse_json(as_text(part(first + 1, second)));
    ASSERT_TRUE(claims);
    EXPECT_EQ((*claims)["iat"].u64(), 1'800'000'000u);
    EXPECT_EQ((*claims)["eat_profile"].string(), "tag:github.com,2023:veraison/ear");
    EXPECT_EQ((*claims)["eat_nonce"].string(), "AQID");
    const JsonValue& cpu = (*claims)["submods"]["cpu"];
    EXPECT_EQ(cpu["ear.status"].string(), "affirming");
    EXPECT_EQ(cpu["ear.trustworthiness-vector"]["hardware"].u64(), 2u);
    EXPECT_EQ(cpu["ear.appraisal-policy-id"].string(), "policy");
    EXPECT_EQ(cpu["cloister.appraisal"]["verdict"].string(), "accept");
    const JsonValue& gpu = (*claims)["submods"]["gpu"];
    EXPECT_EQ(gpu["ear.status"].string(), "contraindicated");
    EXPECT_EQ(gpu["ear.trustworthiness-vector"]["hardware"].u64(), 99u);
  }
}

}  // namespace
}  // namespace cloister::evidence::bundle
