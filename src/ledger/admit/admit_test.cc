// The true verifier in the true state machine: genuine evidence is admitted, and each single fault
// is refused with its own code and leaves no record.
#include <gmock/gmock.h>

#include "ledger/admit/ledger_testing.h"
#include "ledger/admit/verifier.h"
#include "ledger/types/keys.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

constexpr UnixSeconds kDay = 86'400;

// Bonded operators, both vendors' collateral for machine 0.
struct Ready : TestLedger {
  explicit Ready(const Genesis& genesis = TestLedger::genesis()) : TestLedger(genesis) {
    bond("operator");
    bond("rival");
    put_all(intel_collateral(now()));
    put_all(amd_collateral(0, now()));
  }
};

Buffer platform_key(const Platform& platform) {
  return id_key(platform.id_hash);
}

void expect_proven(const TestLedger& ledger, const std::string& identity) {
  const Snapshot& sealed = ledger.state.store().sealed();
  const Hash32 id = instance_id_of(key_of(identity).public_key());
  const auto value = sealed.get(Family::instances, id);
  ASSERT_TRUE(value);
  EXPECT_TRUE(verify_read(sealed.app_hash(), Family::instances, id, Bytes(*value),
                          sealed.prove(Family::instances, id)));
}

TEST(Admit, AGenuineTdxIsRegisteredAndProven) {
  Ready ledger;
  ASSERT_EQ(ledger.enter({}), Code::ok);
  const auto instance = ledger.instance("identity");
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->state, InstanceState::active);
  EXPECT_TRUE(instance->development);
  ASSERT_EQ(instance->platforms.size(), 1u);
  const Platform& platform = instance->platforms[0];
  EXPECT_EQ(platform.product, "TDX");
  EXPECT_EQ(platform.measurement, Buffer(48, kImage));
  EXPECT_EQ(platform.tcb_evaluation_number, 18u);
  EXPECT_EQ(platform.id_hash, platform_id_hash(ledger.state.genesis().chain_id, 1,
                                               to_buffer(intel().platform(0).ppid)));
  expect_proven(ledger, "identity");
}

TEST(Admit, AGenuineSnpIsRegisteredAndProven) {
  Ready ledger;
  Candidate candidate;
  candidate.tdx = false;
  candidate.snp = true;
  ASSERT_EQ(ledger.enter(candidate), Code::ok);
  const auto instance = ledger.instance("identity");
  ASSERT_TRUE(instance);
  ASSERT_EQ(instance->platforms.size(), 1u);
  EXPECT_EQ(instance->platforms[0].product, "Milan");
  EXPECT_TRUE(instance->platforms[0].development);
  expect_proven(ledger, "identity");
}

TEST(Admit, TwoMachinesOfOneInstanceAreBothKept) {
  Ready ledger;
  Candidate candidate;
  candidate.snp = true;
  ASSERT_EQ(ledger.enter(candidate), Code::ok);
  const auto instance = ledger.instance("identity");
  ASSERT_EQ(instance->platforms.size(), 2u);
  EXPECT_EQ(instance->platforms[0].product, "TDX");
  EXPECT_EQ(instance->platforms[1].product, "Milan");
}

// What is wrong with a registration before it is signed again by the identity.
struct Fault {
  const char* name;
  void (*change)(Candidate&);
  void (*spoil)(Registration&);
  Code want;
};

const Fault kFaults[] = {
    {"a flipped byte of the TD report", nullptr,
     [](Registration& r) { r.evidence[0].bytes[200] ^= 1; }, Code::evidence_bad_signature},
    {"a flipped byte of the header", nullptr,
     [](Registration& r) { r.evidence[0].bytes[0] ^= 0x80; }, Code::evidence_unsupported},
    {"a quote cut short", nullptr, [](Registration& r) { r.evidence[0].bytes.resize(700); },
     Code::evidence_malformed},
    {"a format of nobody", nullptr, [](Registration& r) { r.evidence[0].format = 99; },
     Code::evidence_unsupported},
    {"no evidence", [](Candidate& c) { c.tdx = false; }, nullptr, Code::evidence_absent},
    {"evidence for another key", [](Candidate& c) { c.bound_to = "another"; }, nullptr,
     Code::evidence_report_data_mismatch},
    {"evidence for another block", [](Candidate& c) { c.other_block = true; }, nullptr,
     Code::evidence_report_data_mismatch},
    {"a block that nobody knows", nullptr, [](Registration& r) { r.block_hash[0] ^= 1; },
     Code::block_unknown},
    {"a TD open to debugging", [](Candidate& c) { c.debug = true; }, nullptr,
     Code::evidence_debug_enabled},
    {"a guest open to debugging",
     [](Candidate& c) {
       c.tdx = false;
       c.snp = c.debug = true;
     },
     nullptr, Code::evidence_debug_enabled},
    {"a program that is no release", [](Candidate& c) { c.image = 8; }, nullptr,
     Code::policy_measurement},
    {"a chip without its certificate",
     [](Candidate& c) {
       c.tdx = false;
       c.snp = true;
       c.machine = 1;
     },
     nullptr, Code::evidence_collateral_missing},
    {"one good machine, one bad", [](Candidate& c) { c.snp = true; },
     [](Registration& r) { r.evidence[1].bytes[0x60] ^= 1; }, Code::evidence_bad_signature},
    {"one bad machine, one good", [](Candidate& c) { c.snp = true; },
     [](Registration& r) { r.evidence[0].bytes[200] ^= 1; }, Code::evidence_bad_signature},
};

TEST(Admit, EachFaultOfEvidenceHasItsCodeAndLeavesNoRecord) {
  Ready ledger;
  for (const Fault& fault : kFaults) {
    SCOPED_TRACE(fault.name);
    Candidate candidate;
    if (fault.change) fault.change(candidate);
    Registration r = ledger.registration(candidate).registration;
    if (fault.spoil) fault.spoil(r);
    const auto& genesis = ledger.state.genesis();
    EXPECT_EQ(ledger.send("operator",
                          sign_registration(r, genesis.chain_id, key_of("operator").public_key(),
                                            key_of("identity"))),
              fault.want);
    EXPECT_FALSE(ledger.instance("identity"));
  }
  EXPECT_EQ(ledger.enter({}), Code::ok);
}

TEST(Admit, ARegistrationServesNoOtherOperator) {
  Ready ledger;
  const RegisterInstance original = ledger.registration({});
  EXPECT_EQ(ledger.send("rival", original), Code::identity_signature);

  // The rival brings the operator's evidence under an identity of its own.
  Registration stolen = original.registration;
  Candidate rivals;
  rivals.op = "rival";
  rivals.identity = "rival's identity";
  const Registration own = ledger.registration(rivals).registration;
  stolen.identity_key = own.identity_key;
  stolen.claims = own.claims;
  const auto resigned = sign_registration(stolen, ledger.state.genesis().chain_id,
                                          key_of("rival").public_key(), key_of("rival's identity"));
  EXPECT_EQ(ledger.send("rival", resigned), Code::evidence_report_data_mismatch);
  EXPECT_FALSE(ledger.instance("identity"));
  EXPECT_FALSE(ledger.instance("rival's identity"));
}

TEST(Admit, OneLiveInstanceAMachine) {
  Ready ledger;
  ASSERT_EQ(ledger.enter({}), Code::ok);
  const Buffer key = platform_key(ledger.instance("identity")->platforms[0]);
  Candidate rivals;
  rivals.op = "rival";
  rivals.identity = "rival's identity";
  EXPECT_EQ(ledger.enter(rivals), Code::platform_in_use);
  EXPECT_FALSE(ledger.instance("rival's identity"));

  Candidate restarted;
  restarted.identity = "after a restart";
  EXPECT_EQ(ledger.enter(restarted), Code::ok);
  EXPECT_EQ(ledger.instance("identity")->state, InstanceState::retired);
  const auto holder = ledger.state.store().get(Family::platforms, key);
  ASSERT_TRUE(holder);
  EXPECT_TRUE(equal(*holder, ledger.instance("after a restart")->id));

  rivals.machine = 1;
  EXPECT_EQ(ledger.enter(rivals), Code::ok);
}

TEST(Admit, WithoutCollateralNothingIsAdmitted) {
  TestLedger ledger;
  ledger.bond("operator");
  FileGroups groups = intel_collateral(ledger.now());
  EXPECT_EQ(ledger.enter({}), Code::evidence_collateral_missing);
  for (const auto& files : groups) {
    EXPECT_EQ(ledger.enter({}), Code::evidence_collateral_missing);
    ASSERT_EQ(ledger.put(files), Code::ok);
  }
  EXPECT_EQ(ledger.enter({}), Code::ok);
}

TEST(Admit, ExpiredCollateralAdmitsNobodyUntilItIsRenewed) {
  Ready ledger;
  ledger.skip(31 * kDay);
  EXPECT_EQ(ledger.enter({}), Code::evidence_expired);
  EXPECT_FALSE(ledger.instance("identity"));
  ledger.put_all(intel_collateral(ledger.now()));
  EXPECT_EQ(ledger.enter({}), Code::ok);
}

TEST(Admit, ARevokedMachineIsRefusedAndNoOther) {
  Ready ledger;
  ASSERT_EQ(ledger.put(revocation_of({0}, ledger.now())), Code::ok);
  EXPECT_EQ(ledger.enter({}), Code::evidence_revoked);
  EXPECT_FALSE(ledger.instance("identity"));
  Candidate other;
  other.machine = 1;
  EXPECT_EQ(ledger.enter(other), Code::ok);
}

TEST(Admit, DevelopmentMustBeAllowedByGenesisAndPolicy) {
  Genesis strict_policy = TestLedger::genesis();
  strict_policy.policy.allow_development = false;
  Ready by_policy(strict_policy);
  EXPECT_EQ(by_policy.enter({}), Code::evidence_wrong_chain);
  EXPECT_FALSE(by_policy.instance("identity"));

  Genesis real = strict_policy;
  real.development = real.embedded = false;
  real.validators[0].operator_account = key_of("backer").public_key();
  real.development_intel.clear();
  real.development_amd.clear();
  real.development_nvidia.clear();
  TestLedger by_genesis(real);
  by_genesis.bond("operator");
  for (const auto& groups : {intel_collateral(kStart), amd_collateral(0, kStart)}) {
    for (const auto& files : groups) {
      EXPECT_EQ(by_genesis.put(files), Code::collateral_unverified);
    }
  }
  EXPECT_EQ(by_genesis.enter({}), Code::evidence_collateral_missing);
}

TEST(PutCollateral, EachRefusalHasItsCode) {
  Ready ledger;
  const auto groups = intel_collateral(ledger.now());
  EXPECT_EQ(ledger.put({to_buffer(as_bytes("hello"))}), Code::collateral_malformed);
  EXPECT_EQ(ledger.put({groups[0][0]}), Code::collateral_unverified);
  EXPECT_EQ(ledger.put({groups[0][0], groups[3][1]}), Code::collateral_unverified);
  EXPECT_EQ(ledger.put(intel_collateral(ledger.now() - 40 * kDay)[0]),
            Code::collateral_not_current);
  EXPECT_EQ(ledger.put(intel_collateral(ledger.now() + 40 * kDay)[0]),
            Code::collateral_not_current);
}

TEST(PutCollateral, NothingGoesBackToWhatAVendorReplaced) {
  Ready ledger;
  const auto older = intel_collateral(ledger.now());
  ledger.skip(kDay);
  const auto newer = intel_collateral(ledger.now());
  ledger.put_all(newer);
  for (const auto& files : older) EXPECT_EQ(ledger.put(files), Code::collateral_rollback);
  ledger.put_all(newer);  // the same again changes nothing

  const auto older_list = amd_collateral(0, ledger.now() - 60)[1];
  ledger.put_all({amd_collateral(0, ledger.now())[1]});
  EXPECT_EQ(ledger.put(older_list), Code::collateral_rollback);

  // A lower number issued later is a rollback too.
  const auto& signer = intel().tcb_signing_for_testing();
  auto info = evidence::sim::default_tcb_info({ledger.now(), ledger.now() + kDay});
  info.evaluation_number = 17;
  const std::string document =
      evidence::sim::sign_document("tcbInfo", evidence::sim::encode_tcb_info(info), signer.key);
  EXPECT_EQ(ledger.put({to_buffer(as_bytes(document)), newer[0][1]}), Code::collateral_rollback);
}

// Vendors' lists of advisories may be longer than a record holds.
TEST(Admit, WhatDoesNotFitARecordIsRefused) {
  Ready ledger;
  const auto& signer = intel().tcb_signing_for_testing();
  const auto put_with_advisories = [&](size_t count) {
    auto info = evidence::sim::default_tcb_info({ledger.now(), ledger.now() + kDay});
    info.levels[0].at.advisories.clear();
    for (size_t i = 0; i < count; ++i) {
      info.levels[0].at.advisories.push_back("SA-" + std::to_string(i));
    }
    const std::string document =
        evidence::sim::sign_document("tcbInfo", evidence::sim::encode_tcb_info(info), signer.key);
    ledger.put_all({{to_buffer(as_bytes(document)), intel_collateral(ledger.now())[0][1]}});
  };
  put_with_advisories(kMaxAdvisories + 1);
  EXPECT_EQ(ledger.enter({}), Code::evidence_unsupported);
  EXPECT_FALSE(ledger.instance("identity"));
  put_with_advisories(kMaxAdvisories);
  EXPECT_EQ(ledger.enter({}), Code::ok);
  EXPECT_EQ(ledger.instance("identity")->platforms[0].advisories.size(), kMaxAdvisories);
}

// Governance asks again with nothing but the claims on the ledger.
TEST(Reassess, EachChangeOfPolicyHasItsCode) {
  TestLedger ledger;
  ledger.put_all(intel_collateral(kStart));
  ledger.bond("operator");
  ASSERT_EQ(ledger.enter({}), Code::ok);
  const Platform platform = ledger.instance("identity")->platforms[0];
  const NetworkPolicy policy = TestLedger::genesis().policy;
  const auto verifier = make_verifier();
  ASSERT_EQ(verifier->reassess(platform, policy, 1), Code::ok);
  struct Case {
    const char* name;
    Code want;
    std::function<void(NetworkPolicy&)> change;
  };
  const Case cases[] = {
      {"no status", Code::policy_tcb_status, [](auto& p) { p.accepted_statuses.clear(); }},
      {"newer evaluation", Code::policy_tcb_evaluation,
       [&](auto& p) { p.min_tcb_evaluation_number = platform.tcb_evaluation_number + 1; }},
      {"product", Code::policy_product,
       [&](auto& p) { p.distrusted_products = {platform.product}; }},
      {"no release", Code::policy_measurement, [](auto& p) { p.releases.clear(); }},
      {"release over", Code::policy_measurement,
       [](auto& p) {
         for (Release& release : p.releases) release.valid_until_height = 0;
       }},
      {"denied program", Code::policy_measurement,
       [&](auto& p) { p.denied_measurements = {platform.measurement}; }},
      {"development", Code::policy_development, [](auto& p) { p.allow_development = false; }},
      {"paused", Code::policy_paused, [&](auto& p) { p.paused_formats = {platform.format}; }},
      {"denied machine", Code::policy_platform,
       [&](auto& p) { p.denied_platforms = {platform.id_hash}; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    NetworkPolicy changed = policy;
    c.change(changed);
    EXPECT_EQ(name(verifier->reassess(platform, changed, 1)), name(c.want));
  }
}

}  // namespace
}  // namespace cloister::ledger
