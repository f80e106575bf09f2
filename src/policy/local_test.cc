#include "policy/local.h"

#include <gtest/gtest.h>

#include "evidence/common/verified_evidence_maker.h"

namespace cloister::policy {
namespace {

using evidence::Format;
using evidence::TcbStatus;

Established claims() {
  Established out;
  out.format = Format::tdx_quote;
  out.status = TcbStatus::sw_hardening_needed;
  out.advisories = {"INTEL-SA-00001"};
  out.tcb_evaluation_number = 17;
  out.product = "TDX";
  out.measurement = Buffer(48, 7);
  out.development = true;
  return out;
}

LayeredRules network() {
  Rules rules;
  rules.accepted_statuses = default_accepted_statuses();
  rules.min_tcb_evaluation_number = 17;
  rules.releases = {{"one", Format::tdx_quote, Buffer(48, 7), {}, 0, UINT64_MAX},
                    {"two", Format::tdx_quote, Buffer(48, 8), {}, 0, UINT64_MAX}};
  rules.allow_development = true;
  return layered(rules);
}

TEST(LocalPolicy, SilenceAgreesWithTheLedger) {
  const LayeredRules same = tightened(network(), LocalPolicy());
  EXPECT_TRUE(decide_again(claims(), network(), 1).allowed);
  EXPECT_TRUE(decide_again(claims(), same, 1).allowed);
  EXPECT_EQ(same.statuses_from, Layer::network);
}

TEST(LocalPolicy, EachRuleRefusesForItsOwnReason) {
  struct Case {
    const char* name;
    void (*set)(LocalPolicy&);
    Reason want;
  };
  const Case cases[] = {
      {"statuses", [](LocalPolicy& p) { p.accepted_statuses = {{TcbStatus::up_to_date}}; },
       Reason::tcb_status},
      {"no status", [](LocalPolicy& p) { p.accepted_statuses.emplace(); }, Reason::tcb_status},
      {"evaluation", [](LocalPolicy& p) { p.min_tcb_evaluation_number = 18; },
       Reason::tcb_evaluation},
      {"advisory", [](LocalPolicy& p) { p.denied_advisories = {"INTEL-SA-00001"}; },
       Reason::advisory},
      {"product", [](LocalPolicy& p) { p.distrusted_products = {"TDX"}; }, Reason::product},
      {"denied program", [](LocalPolicy& p) { p.denied_measurements = {Buffer(48, 7)}; },
       Reason::measurement},
      {"another program", [](LocalPolicy& p) { p.accepted_measurements = {{Buffer(48, 8)}}; },
       Reason::measurement},
      {"kind of platform", [](LocalPolicy& p) { p.refused_formats = {Format::tdx_quote}; },
       Reason::paused},
      {"development", [](LocalPolicy& p) { p.refuse_development = true; }, Reason::development},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    LocalPolicy local;
    c.set(local);
    EXPECT_EQ(decide_again(claims(), tightened(network(), local), 1).first_refusal(), c.want);
  }
}

// A list of programs says nothing about devices, which run none of the network's.
TEST(LocalPolicy, AcceptedProgramsLeaveDevicesAsTheyAre) {
  LayeredRules rules = network();
  rules.merged.releases.push_back({"GPUs", Format::nvidia_gpu, {}, {}, 0, UINT64_MAX, "550", ""});
  Established gpu = claims();
  gpu.format = Format::nvidia_gpu;
  gpu.measurement.clear();
  gpu.driver_version = "550.90.07";
  LocalPolicy local;
  local.accepted_measurements = {{Buffer(48, 7)}};
  EXPECT_TRUE(decide_again(gpu, tightened(rules, local), 1).allowed);
  gpu.driver_version = "535.54.03";
  EXPECT_EQ(decide_again(gpu, tightened(rules, local), 1).first_refusal(), Reason::measurement);
}

TEST(LocalPolicy, WhatTheLedgerRefusesStaysRefused) {
  LayeredRules strict = network();
  strict.merged.accepted_statuses = {TcbStatus::up_to_date};
  strict.merged.min_tcb_evaluation_number = 18;
  strict.merged.releases.clear();
  strict.merged.allow_development = false;
  LocalPolicy lax;
  lax.accepted_statuses = default_accepted_statuses();
  lax.accepted_measurements = {{Buffer(48, 7)}};
  const Rules merged = tightened(strict, lax).merged;
  EXPECT_EQ(merged.accepted_statuses, strict.merged.accepted_statuses);
  EXPECT_EQ(merged.min_tcb_evaluation_number, 18u);
  EXPECT_TRUE(merged.releases.empty());
  EXPECT_FALSE(merged.allow_development);
}

}  // namespace
}  // namespace cloister::policy
