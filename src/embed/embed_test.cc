#include <gmock/gmock.h>

#include <thread>

#include "cloister/verify.hpp"
#include "embed/requirements.h"
#include "evidence/common/cases_testing.h"

namespace cloister {
namespace {

using attestation::Binding;
using attestation::Verifier;
using evidence::Case;

Verifier verifier() {
  auto made = Verifier::create();
  return std::move(*made);
}

TEST(Embed, SaysItsVersions) {
  EXPECT_EQ(cloister_abi_version(), CLOISTER_ABI_VERSION);
  EXPECT_STRNE(cloister_version(), "");
  EXPECT_STREQ(cloister_describe(CLOISTER_OK), "done");
  EXPECT_STREQ(cloister_describe(static_cast<cloister_result>(7)), "not a result of this library");
}

TEST(Embed, NullPointersAreBadArguments) {
  cloister_verifier* made = nullptr;
  ASSERT_EQ(cloister_verifier_new(&made), CLOISTER_OK);
  const uint8_t byte = 0;
  const cloister_binding binding{nullptr, 0, nullptr, 0, 1};
  cloister_report* report = nullptr;
  EXPECT_EQ(cloister_verifier_new(nullptr), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(cloister_verifier_add_collateral(nullptr, &byte, 1), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(cloister_verifier_add_collateral(made, nullptr, 1), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(cloister_verifier_allow(nullptr, "debug"), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(cloister_verifier_allow(made, nullptr), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(cloister_verifier_require(made, nullptr, "1"), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(cloister_verifier_require(made, "max_nitro_age_s", nullptr), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(cloister_verifier_add_development_root(made, nullptr, 1), CLOISTER_BAD_ARGUMENT);
  const auto verify = [&](const cloister_verifier* v, const char* format, const uint8_t* data,
                          const cloister_binding* b, cloister_report** out) {
    return cloister_verify(v, format, data, 1, b, 0, out);
  };
  EXPECT_EQ(verify(nullptr, "nitro", &byte, &binding, &report), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(verify(made, nullptr, &byte, &binding, &report), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(verify(made, "nitro", nullptr, &binding, &report), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(verify(made, "nitro", &byte, nullptr, &report), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(verify(made, "nitro", &byte, &binding, nullptr), CLOISTER_BAD_ARGUMENT);
  EXPECT_EQ(report, nullptr);
  cloister_verifier_free(made);
  cloister_verifier_free(nullptr);
  cloister_report_free(nullptr);
}

TEST(Embed, ANullReportIsARejectedOne) {
  EXPECT_EQ(cloister_report_verdict(nullptr), CLOISTER_REJECTED);
  EXPECT_EQ(cloister_report_error(nullptr), nullptr);
  EXPECT_EQ(cloister_report_status(nullptr), nullptr);
  EXPECT_EQ(cloister_report_development(nullptr), nullptr);
  EXPECT_EQ(cloister_report_claim(nullptr, "mrtd"), nullptr);
  EXPECT_STREQ(cloister_report_detail(nullptr), "");
  EXPECT_STREQ(cloister_report_json(nullptr), "{}");
}

TEST(Embed, ABindingMustBeSaid) {
  const Verifier v = verifier();
  const Buffer evidence(100), bytes(64, 1);
  cloister_verifier* made = nullptr;
  ASSERT_EQ(cloister_verifier_new(&made), CLOISTER_OK);
  const cloister_binding wrong[] = {
      {nullptr, 0, nullptr, 0, 0},         // nothing said
      {bytes.data(), 64, nullptr, 0, 1},   // said twice
      {nullptr, 0, nullptr, 0, 2},         // neither
      {bytes.data(), 0, nullptr, 0, 0},    // an empty expectation
      {nullptr, 64, nullptr, 0, 1},        // a size without bytes
      {nullptr, 0, bytes.data(), 513, 0},  // longer than any
  };
  for (const cloister_binding& binding : wrong) {
    cloister_report* report = nullptr;
    EXPECT_EQ(
        cloister_verify(made, "nitro", evidence.data(), evidence.size(), &binding, 0, &report),
        CLOISTER_BAD_ARGUMENT);
    EXPECT_EQ(report, nullptr);
  }
  cloister_verifier_free(made);
}

TEST(Embed, UnknownNamesAndForeignFilesAreSaidSo) {
  Verifier v = verifier();
  EXPECT_EQ(v.allow("everything").error(), CLOISTER_UNKNOWN_NAME);
  EXPECT_EQ(v.require("nothing", "1").error(), CLOISTER_UNKNOWN_NAME);
  EXPECT_EQ(v.require("max_nitro_age_s", "soon").error(), CLOISTER_UNKNOWN_NAME);
  EXPECT_EQ(v.require("max_nitro_age_s", "").error(), CLOISTER_UNKNOWN_NAME);
  EXPECT_EQ(v.add_collateral(Buffer(10)).error(), CLOISTER_NOT_COLLATERAL);
  EXPECT_EQ(v.add_development_root(Buffer(10)).error(), CLOISTER_NOT_COLLATERAL);
  EXPECT_EQ(v.verify("tdx", Buffer(10), Binding::not_compared(), 0).error(), CLOISTER_UNKNOWN_NAME);
}

TEST(Embed, EvidencePastTheLimitIsMalformed) {
  const auto report = verifier().verify("nitro", Buffer(evidence::kMaxEvidenceBytes + 1),
                                        Binding::not_compared(), 0);
  EXPECT_EQ(report->error(), "malformed");
}

TEST(Embed, RequirementsReachThePolicy) {
  evidence::VerifyPolicy policy;
  EXPECT_TRUE(embed::require(policy, "min_tcb_evaluation_number", "18"));
  EXPECT_TRUE(embed::require(policy, "max_nitro_age_s", "60"));
  EXPECT_TRUE(embed::require(policy, "distrusted_product", "Milan"));
  EXPECT_TRUE(embed::require(policy, "denied_advisory", "INTEL-SA-00837"));
  EXPECT_TRUE(embed::require(policy, "min_nvidia_driver", "550.90"));
  EXPECT_TRUE(embed::require(policy, "min_nvidia_vbios", "96.00"));
  EXPECT_TRUE(embed::require(policy, "snp_policy_set", "0x1000000"));
  EXPECT_TRUE(embed::require(policy, "snp_policy_clear", "65536"));
  EXPECT_TRUE(embed::require(policy, "snp_platform_set", "0x20"));
  EXPECT_TRUE(embed::require(policy, "snp_platform_clear", "0x1"));
  EXPECT_TRUE(embed::require(policy, "snp_mitigations", "0x3"));
  EXPECT_TRUE(embed::require(policy, "snp_max_vmpl", "1"));
  EXPECT_TRUE(embed::require(policy, "snp_min_abi", "1.55"));
  EXPECT_TRUE(embed::require(policy, "snp_min_committed_firmware", "1.55.30"));
  EXPECT_TRUE(embed::require(policy, "snp_cloud_provider", "cloud"));
  EXPECT_TRUE(embed::require(policy, "snp_id_key_digest", std::string(96, 'a')));
  EXPECT_TRUE(embed::require(policy, "snp_author_key_digest", std::string(96, 'b')));
  EXPECT_EQ(policy.snp.policy.set, 0x1000000u);
  EXPECT_EQ(policy.snp.policy.clear, 0x10000u);
  EXPECT_EQ(policy.snp.platform.set, 0x20u);
  EXPECT_EQ(policy.snp.platform.clear, 1u);
  EXPECT_EQ(policy.snp.mitigations, 3u);
  EXPECT_EQ(policy.snp.max_vmpl, 1u);
  EXPECT_EQ(policy.snp.min_abi, 0x0137u);
  EXPECT_EQ(policy.snp.min_committed_firmware, (Fixed<3>{1, 55, 30}));
  EXPECT_THAT(policy.snp.cloud_providers, testing::ElementsAre("cloud"));
  EXPECT_EQ(policy.snp.id_key_digests.size(), 1u);
  EXPECT_EQ(policy.snp.author_key_digests.size(), 1u);
  for (const auto& [requirement, value] :
       std::vector<std::pair<const char*, const char*>>{{"snp_max_vmpl", "4"},
                                                        {"snp_max_vmpl", "-1"},
                                                        {"snp_policy_set", "0x"},
                                                        {"snp_policy_set", "0xg"},
                                                        {"snp_min_abi", "1"},
                                                        {"snp_min_abi", "1.256"},
                                                        {"snp_min_abi", "1.2.3"},
                                                        {"snp_min_abi", "1."},
                                                        {"snp_id_key_digest", "aa"},
                                                        {"max_nitro_age_s", "1e3"}}) {
    EXPECT_FALSE(embed::require(policy, requirement, value)) << requirement << " " << value;
  }
  EXPECT_EQ(policy.max_nitro_age_s, 60u);
  EXPECT_EQ(policy.min_tcb_evaluation_number, 18u);
  EXPECT_EQ(policy.max_nitro_age_s, 60u);
  EXPECT_THAT(policy.distrusted_products, testing::ElementsAre("Milan"));
  EXPECT_THAT(policy.denied_advisories, testing::ElementsAre("INTEL-SA-00837"));
  EXPECT_EQ(policy.min_nvidia_driver, "550.90");
  EXPECT_EQ(policy.min_nvidia_vbios, "96.00");
}

std::string format_of(const Case& c) {
  return std::string(evidence::name(c.kind()));
}

TEST(Embed, EveryCaseHasTheAnswerThatTheVerifierGives) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : evidence::load_cases(*vectors, "")) {
    SCOPED_TRACE(c.id);
    Verifier v = verifier();
    bool added = true;
    for (const auto& [role, file] : c.collateral)
      added = added && v.add_collateral(file).has_value();
    if (!added) continue;  // a caller is told at once
    for (const std::string_view permission : evidence::permissions()) {
      evidence::VerifyPolicy one;
      ASSERT_TRUE(evidence::allow(one, permission));
      const bool wanted = (one.allow_debug && c.policy.allow_debug) ||
                          (one.allow_out_of_date && c.policy.allow_out_of_date) ||
                          (one.allow_service_td && c.policy.allow_service_td) ||
                          (one.allow_perfmon && c.policy.allow_perfmon) ||
                          (one.allow_no_sept_ve_disable && c.policy.allow_no_sept_ve_disable) ||
                          (one.allow_no_revocation && c.policy.allow_no_revocation) ||
                          (one.allow_no_rim && c.policy.allow_no_rim);
      if (!wanted) continue;
      ASSERT_TRUE(v.allow(std::string(permission)));
    }
    Binding binding = Binding::not_compared();
    if (c.report_data && c.nonce) {
      binding = Binding::report_data(*c.report_data).and_nonce(*c.nonce);
    } else if (c.report_data) {
      binding = Binding::report_data(*c.report_data);
    } else if (c.nonce) {
      binding = Binding::nonce(*c.nonce);
    }
    const JsonValue::Object none;
    const JsonValue::Object& claims = c.claims.members() ? *c.claims.members() : none;
    const auto report = v.verify(format_of(c), c.evidence, binding, c.time);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->accepted(), c.accept) << report->json();
    if (!c.accept) {
      EXPECT_THAT(c.errors, testing::Contains(*report->error()));
      for (const auto& [claim, value] : claims) EXPECT_FALSE(report->claim(claim));
    } else {
      EXPECT_FALSE(report->error());
      for (const auto& [claim, value] : claims) {
        if (!value.string()) continue;
        EXPECT_EQ(report->claim(claim), std::string(*value.string()));
      }
    }
  }
}

TEST(Embed, ManyThreadsMayVerifyWithOneVerifier) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : evidence::load_cases(*vectors, "tdx-quote-v4")) {
    if (!c.accept || c.report_data) continue;
    Verifier v = verifier();
    for (const auto& [role, file] : c.collateral) ASSERT_TRUE(v.add_collateral(file));
    std::vector<std::jthread> threads;
    std::atomic<int> answers = 0;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int times = 0; times < 20; ++times) {
          const auto report = v.verify("tdx-quote", c.evidence, Binding::not_compared(), c.time);
          if (report) ++answers;
        }
      });
    }
    threads.clear();
    EXPECT_EQ(answers, 80);
    return;
  }
  FAIL() << "no case";
}

}  // namespace
}  // namespace cloister
