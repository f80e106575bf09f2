// TCB levels, their merging, and policy: everything is authentic, the content differs.
#include <gmock/gmock.h>

#include "evidence/dcap/faults_testing.h"

namespace cloister::evidence::dcap {
namespace {

TEST(SimulatedTcb, NoLevel) {
  expect_refusals({
      {"QE below all", Error::no_tcb_level, [](Scenario& s) { s.qe.isv_svn = 3; }},
      {"module below all", Error::no_tcb_level, [](Scenario& s) { s.td.tee_tcb_svn[0] = 3; }},
      {"module of an unknown version", Error::no_tcb_level,
       [](Scenario& s) { s.td.tee_tcb_svn[1] = 2; }},
      {"TDX component below all", Error::no_tcb_level,
       [](Scenario& s) { s.td.tee_tcb_svn[2] = 1; }},
      {"CPU below all", Error::no_tcb_level,
       [](Scenario& s) {
         sim::IntelPlatform platform = hierarchy().platform(0);
         platform.cpu_svn[7] = 4;
         s.leaf = pck_with(platform);
       }},
      {"PCE below all", Error::no_tcb_level,
       [](Scenario& s) {
         sim::IntelPlatform platform = hierarchy().platform(0);
         platform.pce_svn = 4;
         s.leaf = pck_with(platform);
       }},
  });
}

TEST(SimulatedTcb, Policy) {
  expect_refusals({
      {"debug", Error::debug_enabled, [](Scenario& s) { s.td.td_attributes |= 1; }},
      {"SEPT_VE_DISABLE clear", Error::policy_denied, [](Scenario& s) { s.td.td_attributes = 0; }},
      {"PERFMON", Error::policy_denied,
       [](Scenario& s) { s.td.td_attributes |= uint64_t{1} << 63; }},
      {"MIGRATABLE", Error::policy_denied,
       [](Scenario& s) { s.td.td_attributes |= uint64_t{1} << 29; }},
      {"reserved bit", Error::policy_denied, [](Scenario& s) { s.td.td_attributes |= 2; }},
      {"reserved bit, everything allowed", Error::policy_denied,
       [](Scenario& s) {
         s.td.td_attributes |= uint64_t{1} << 40;
         s.policy.allow_debug = s.policy.allow_perfmon = s.policy.allow_migration = true;
       }},
      {"evaluation number", Error::policy_denied,
       [](Scenario& s) { s.policy.min_tcb_evaluation_number = 19; }},
      {"evaluation number of the QE identity", Error::policy_denied,
       [](Scenario& s) {
         s.policy.min_tcb_evaluation_number = 18;
         s.identity.evaluation_number = 17;
       }},
      {"denied advisory", Error::policy_denied,
       [](Scenario& s) {
         s.info.levels[0].at.advisories = {"INTEL-SA-00001"};
         s.policy.denied_advisories = {"INTEL-SA-00001"};
       }},
      {"service TD", Error::service_td,
       [](Scenario& s) {
         s.td.td_1_5 = true;
         s.td.mr_service_td[0] = 1;
       }},
      {"debug before out of date", Error::debug_enabled,
       [](Scenario& s) {
         s.td.td_attributes |= 1;
         s.info.levels[0].at.status = "OutOfDate";
       }},
      {"report data", Error::report_data_mismatch,
       [](Scenario& s) { s.binding = Binding::report_data(Fixed<64>{1, 2, 4}); }},
  });
}

TEST(SimulatedTcb, Allowances) {
  struct Allowed {
    const char* name;
    void (*bend)(Scenario&);
  };
  const Allowed cases[] = {
      {"debug", [](Scenario& s) { s.td.td_attributes |= 1, s.policy.allow_debug = true; }},
      {"no SEPT_VE_DISABLE",
       [](Scenario& s) { s.td.td_attributes = 0, s.policy.allow_no_sept_ve_disable = true; }},
      {"PERFMON",
       [](Scenario& s) {
         s.td.td_attributes |= uint64_t{1} << 63;
         s.policy.allow_perfmon = true;
       }},
      {"MIGRATABLE",
       [](Scenario& s) {
         s.td.td_attributes |= uint64_t{1} << 29;
         s.policy.allow_migration = true;
       }},
      {"service TD",
       [](Scenario& s) {
         s.td.td_1_5 = true;
         s.td.mr_service_td[0] = 1;
         s.policy.allow_service_td = true;
       }},
      {"protection keys and key locker",
       [](Scenario& s) { s.td.td_attributes |= uint64_t{3} << 30; }},
      {"binding not compared", [](Scenario& s) { s.binding = Binding::not_compared(); }},
      {"trailing bytes", [](Scenario& s) { s.bend_quote = [](Buffer& q) { q.push_back(7); }; }},
      {"NUL after the chain",
       [](Scenario& s) { s.bend_pck_pem = [](std::string& p) { p += '\0'; }; }},
  };
  for (const Allowed& c : cases) {
    SCOPED_TRACE(c.name);
    Scenario s;
    c.bend(s);
    const Verification got = s.judge();
    EXPECT_TRUE(got.appraisal.accepted()) << got.appraisal.detail;
  }
}

TEST(SimulatedTcb, StatusAndAdvisoriesAreThereWhenPolicyRefuses) {
  Scenario s;
  s.td.td_attributes |= 1;
  s.info.levels[0].at = {"SWHardeningNeeded", "2024-11-13T00:00:00Z", {"INTEL-SA-00002"}};
  s.info.modules[0].levels[0].at.advisories = {"INTEL-SA-00001", "INTEL-SA-00002"};
  const Verification got = s.judge();
  EXPECT_EQ(got.appraisal.error, Error::debug_enabled);
  EXPECT_EQ(got.appraisal.status, TcbStatus::sw_hardening_needed);
  EXPECT_THAT(got.appraisal.advisories, testing::ElementsAre("INTEL-SA-00001", "INTEL-SA-00002"));
  EXPECT_EQ(got.appraisal.claims["td_attributes"].string(), "0100001000000000");
}

TEST(SimulatedTcb, NothingIsClaimedBeforeTheQuotesSignatureHolds) {
  Scenario s;
  s.bend_quote = [](Buffer& q) { q[568] ^= 1; };
  const Verification got = s.judge();
  EXPECT_EQ(got.appraisal.error, Error::bad_signature);
  EXPECT_TRUE(got.appraisal.claims.members()->empty());
  EXPECT_FALSE(got.appraisal.status);
}

TEST(SimulatedTcb, EachPairOfPlatformAndModuleStatus) {
  constexpr const char* kUp = "UpToDate";
  constexpr const char* kSw = "SWHardeningNeeded";
  constexpr const char* kConfig = "ConfigurationNeeded";
  constexpr const char* kConfigSw = "ConfigurationAndSWHardeningNeeded";
  constexpr const char* kOld = "OutOfDate";
  constexpr const char* kOldConfig = "OutOfDateConfigurationNeeded";
  constexpr const char* kRevoked = "Revoked";
  struct Pair {
    const char* platform;
    const char* with_up_to_date;
    const char* with_out_of_date;
    const char* with_revoked;
  };
  const Pair pairs[] = {
      {kUp, kUp, kOld, kRevoked},
      {kSw, kSw, kOld, kRevoked},
      {kConfig, kConfig, kOldConfig, kRevoked},
      {kConfigSw, kConfigSw, kOldConfig, kRevoked},
      {kOld, kOld, kOld, kRevoked},
      {kOldConfig, kOldConfig, kOldConfig, kRevoked},
      {kRevoked, kRevoked, kRevoked, kRevoked},
  };
  for (const Pair& pair : pairs) {
    const std::pair<const char*, const char*> columns[] = {
        {kUp, pair.with_up_to_date}, {kOld, pair.with_out_of_date}, {kRevoked, pair.with_revoked}};
    for (const auto& [other, want] : columns) {
      SCOPED_TRACE(std::string(pair.platform) + " and " + other);
      Scenario module, qe;
      module.info.levels[0].at.status = qe.info.levels[0].at.status = pair.platform;
      module.info.modules[0].levels[0].at.status = other;
      qe.identity.levels[0].at.status = other;
      const TcbStatus status = tcb_status_from(want).value();
      EXPECT_EQ(module.judge().appraisal.status, status);
      EXPECT_EQ(qe.judge().appraisal.status, status);
      module.policy.allow_out_of_date = true;
      EXPECT_EQ(module.judge().appraisal.accepted(), status != TcbStatus::revoked);
    }
  }
}

TEST(SimulatedTcb, TheModuleIsJudgedByItsOwnIdentityAndNotByTwoComponents) {
  // TDX component 0 of the level is 7, the TD's module SVN 6: with module version 1 only components
  // from index 2 count; with version 0 all do, and the level is missed.
  Scenario counted, missed;
  counted.info.levels[0].tdx = missed.info.levels[0].tdx = {7, 0, 3};
  EXPECT_EQ(counted.judge().appraisal.status, TcbStatus::up_to_date);
  missed.td.tee_tcb_svn[1] = 0;
  EXPECT_EQ(missed.judge().appraisal.status, TcbStatus::out_of_date);
}

TEST(SimulatedTcb, ThePlatformsLevelCountsThoughTheModuleIsCurrent) {
  Scenario s;
  sim::IntelPlatform platform = hierarchy().platform(0);
  platform.cpu_svn = {2, 2, 2, 2, 3, 1, 0, 5};
  s.leaf = pck_with(platform);
  const Verification got = s.judge();
  EXPECT_EQ(got.appraisal.error, Error::tcb_status);
  EXPECT_EQ(got.appraisal.status, TcbStatus::out_of_date);
  EXPECT_EQ(got.appraisal.claims["module_status"].string(), "UpToDate");
  EXPECT_EQ(got.appraisal.claims["platform_status"].string(), "OutOfDate");
}

TEST(SimulatedTcb, LevelsNeedNotBeSorted) {
  Scenario s;
  std::swap(s.info.levels[0], s.info.levels[1]);
  std::swap(s.info.modules[0].levels[0], s.info.modules[0].levels[1]);
  std::swap(s.identity.levels[0], s.identity.levels[1]);
  EXPECT_EQ(s.judge().appraisal.status, TcbStatus::up_to_date);
}

Scenario relaunched() {
  Scenario s;
  s.td.td_1_5 = true;
  s.td.tee_tcb_svn = {4, 1, 3};    // at launch: out of date
  s.td.tee_tcb_svn_2 = {6, 1, 3};  // now: current
  return s;
}

TEST(SimulatedTcb, RelaunchIsAdvisedWhenOnlyTheLaunchIsOld) {
  const Verification got = relaunched().judge();
  EXPECT_EQ(got.appraisal.status, TcbStatus::td_relaunch_advised);
  EXPECT_EQ(got.appraisal.error, Error::tcb_status);
  Scenario allowed = relaunched();
  allowed.policy.allow_out_of_date = true;
  EXPECT_TRUE(allowed.judge().appraisal.accepted());
  Scenario configured = relaunched();
  configured.info.levels[0].at.status = "ConfigurationNeeded";
  EXPECT_EQ(configured.judge().appraisal.status,
            TcbStatus::td_relaunch_advised_configuration_needed);
}

TEST(SimulatedTcb, RelaunchIsNotAdvisedOtherwise) {
  const std::pair<const char*, void (*)(Scenario&)> cases[] = {
      {"module still old", [](Scenario& s) { s.td.tee_tcb_svn_2[0] = 5; }},
      {"SEAMLDR still old", [](Scenario& s) { s.td.tee_tcb_svn_2[2] = 2; }},
      {"module of unknown version", [](Scenario& s) { s.td.tee_tcb_svn_2[1] = 9; }},
      {"QE out of date", [](Scenario& s) { s.qe.isv_svn = 5; }},
      {"TD 1.0", [](Scenario& s) { s.td.td_1_5 = false; }},
  };
  for (const auto& [name, bend] : cases) {
    SCOPED_TRACE(name);
    Scenario s = relaunched();
    bend(s);
    EXPECT_EQ(s.judge().appraisal.status, TcbStatus::out_of_date);
  }
}

}  // namespace
}  // namespace cloister::evidence::dcap
