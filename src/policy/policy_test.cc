#include "policy/policy.h"

#include <gtest/gtest.h>

#include "evidence/common/verified_evidence_maker.h"

namespace cloister::policy {
namespace {

using evidence::Format;
using evidence::TcbStatus;
using Fields = evidence::VerifiedEvidenceMaker::Fields;

constexpr uint64_t kHeight = 100;
constexpr Hash32 kPlatform{9};

Rules good_rules() {
  Rules rules;
  rules.accepted_statuses = default_accepted_statuses();
  rules.min_tcb_evaluation_number = 17;
  rules.denied_advisories = {"INTEL-SA-00837"};
  rules.distrusted_products = {"Milan"};
  rules.releases = {{"program 1", Format::tdx_quote, Buffer(48, 7), {}, 50, 200}};
  return rules;
}

Fields good_fields() {
  Fields fields;
  fields.format = Format::tdx_quote;
  fields.status = TcbStatus::up_to_date;
  fields.advisories = {"INTEL-SA-00001"};
  fields.measurement = Buffer(48, 7);
  fields.runtime_measurements = {Buffer(48, 1)};
  fields.tcb_evaluation_number = 17;
  fields.product = "TDX";
  return fields;
}

Decision decide_on(const Fields& fields, const Rules& rules, uint64_t height = kHeight) {
  return decide(evidence::VerifiedEvidenceMaker::make(fields), kPlatform, layered(rules), height);
}

// What runs on a device its vendor's manifests say; the network says from which versions on.
TEST(Decide, ADeviceIsReleasedByItsVersions) {
  Rules rules = good_rules();
  rules.releases = {{"GPUs", Format::nvidia_gpu, {}, {}, 50, 200, "550.90", "96.00.9F"}};
  Fields fields = good_fields();
  fields.format = Format::nvidia_gpu;
  fields.measurement.clear();
  fields.product = "GH100";
  fields.driver_version = "550.90.07";
  fields.firmware_version = "96.00.9F.00.01";
  EXPECT_TRUE(decide_on(fields, rules).allowed);
  EXPECT_FALSE(decide_on(fields, rules, 201).allowed) << "the release is over";
  EXPECT_FALSE(decide_on(fields, good_rules()).allowed) << "programs release no device";
  Fields older = fields;
  older.driver_version = "550.54.15";
  EXPECT_EQ(decide_on(older, rules).first_refusal(), Reason::measurement);
  older = fields;
  older.firmware_version = "96.00.74.00.1C";
  EXPECT_EQ(decide_on(older, rules).first_refusal(), Reason::measurement);
  rules.releases[0].min_driver = rules.releases[0].min_firmware = "";
  EXPECT_TRUE(decide_on(older, rules).allowed);
  fields.format = Format::tdx_quote;
  EXPECT_FALSE(decide_on(fields, rules).allowed) << "a device's release is no program's";
}

TEST(Decide, EachSingleFaultIsRefusedForItsOwnReason) {
  ASSERT_TRUE(decide_on(good_fields(), good_rules()).allowed);
  struct Case {
    const char* name;
    void (*spoil)(Fields&, Rules&);
    Reason want;
  };
  const Case cases[] = {
      {"status", [](Fields& f, Rules&) { f.status = TcbStatus::out_of_date; }, Reason::tcb_status},
      {"no status accepted", [](Fields&, Rules& r) { r.accepted_statuses.clear(); },
       Reason::tcb_status},
      {"evaluation", [](Fields& f, Rules&) { f.tcb_evaluation_number = 16; },
       Reason::tcb_evaluation},
      {"advisory", [](Fields& f, Rules&) { f.advisories.emplace_back("INTEL-SA-00837"); },
       Reason::advisory},
      {"product", [](Fields& f, Rules&) { f.product = "Milan"; }, Reason::product},
      {"measurement", [](Fields& f, Rules&) { f.measurement[47] ^= 1; }, Reason::measurement},
      {"other format", [](Fields& f, Rules&) { f.format = Format::snp_report; },
       Reason::measurement},
      {"run-time register",
       [](Fields&, Rules& r) { r.releases[0].runtime_measurements = {Buffer(48, 2)}; },
       Reason::measurement},
      {"no releases", [](Fields&, Rules& r) { r.releases.clear(); }, Reason::measurement},
      {"development", [](Fields& f, Rules&) { f.development = true; }, Reason::development},
      {"denied program", [](Fields& f, Rules& r) { r.denied_measurements = {f.measurement}; },
       Reason::measurement},
      {"paused kind", [](Fields&, Rules& r) { r.paused_formats = {Format::tdx_quote}; },
       Reason::paused},
      {"denied machine", [](Fields&, Rules& r) { r.denied_platforms = {kPlatform}; },
       Reason::platform},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Fields fields = good_fields();
    Rules rules = good_rules();
    c.spoil(fields, rules);
    auto decision = decide_on(fields, rules);
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.first_refusal(), c.want);
  }
}

TEST(Decide, ReleasesAreValidBetweenTheirHeightsInclusive) {
  EXPECT_FALSE(decide_on(good_fields(), good_rules(), 49).allowed);
  EXPECT_TRUE(decide_on(good_fields(), good_rules(), 50).allowed);
  EXPECT_TRUE(decide_on(good_fields(), good_rules(), 200).allowed);
  EXPECT_FALSE(decide_on(good_fields(), good_rules(), 201).allowed);
}

TEST(Strictest, AnInnerLayerNeverAllowsWhatAnOuterOneRefuses) {
  Rules lax = good_rules();
  lax.accepted_statuses.push_back(TcbStatus::out_of_date);
  lax.min_tcb_evaluation_number = 0;
  lax.denied_advisories.clear();
  lax.distrusted_products.clear();
  lax.releases.push_back({"other", Format::tdx_quote, Buffer(48, 9), {}, 0, UINT64_MAX});
  lax.allow_development = true;
  Rules outer = good_rules();
  outer.denied_measurements = {Buffer(48, 8)};
  outer.denied_platforms = {kPlatform};
  outer.paused_formats = {Format::snp_report};
  auto merged = strictest(layered(outer), lax, Layer::local).merged;
  EXPECT_EQ(merged.denied_measurements, outer.denied_measurements);
  EXPECT_EQ(merged.denied_platforms, outer.denied_platforms);
  EXPECT_EQ(merged.paused_formats, outer.paused_formats);
  EXPECT_EQ(merged.accepted_statuses, outer.accepted_statuses);
  EXPECT_EQ(merged.min_tcb_evaluation_number, outer.min_tcb_evaluation_number);
  EXPECT_EQ(merged.denied_advisories, outer.denied_advisories);
  EXPECT_EQ(merged.distrusted_products, outer.distrusted_products);
  EXPECT_EQ(merged.releases.size(), 1u);
  EXPECT_FALSE(merged.allow_development);
}

TEST(Strictest, AnInnerLayerTightensAndIsNamedAsTheSource) {
  Rules local = good_rules();
  local.accepted_statuses = {TcbStatus::up_to_date};
  local.denied_advisories.push_back("INTEL-SA-00001");
  auto rules = strictest(layered(good_rules()), local, Layer::local);
  Fields fields = good_fields();
  fields.status = TcbStatus::sw_hardening_needed;
  auto decision = decide(evidence::VerifiedEvidenceMaker::make(fields), kPlatform, rules, kHeight);
  ASSERT_EQ(decision.first_refusal(), Reason::tcb_status);
  EXPECT_EQ(decision.findings[0].layer, Layer::local);
  EXPECT_FALSE(decision.findings[2].ok);
}

TEST(VerifyPolicy, DevelopmentAnchorsCountOnlyWhereTheRulesAllowThem) {
  evidence::TrustAnchors anchors;
  anchors.development_intel = {Hash32{1}};
  anchors.development_amd = {Hash32{2}};
  anchors.development_nvidia = {Hash32{3}};
  Rules rules = good_rules();
  EXPECT_TRUE(verify_policy(rules, anchors).anchors.development_intel.empty());
  EXPECT_TRUE(verify_policy(rules, anchors).anchors.development_amd.empty());
  EXPECT_TRUE(verify_policy(rules, anchors).anchors.development_nvidia.empty());
  rules.allow_development = true;
  EXPECT_EQ(verify_policy(rules, anchors).anchors.development_intel.size(), 1u);
}

}  // namespace
}  // namespace cloister::policy
