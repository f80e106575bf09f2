// Genuine evidence that its vendor takes back later: each of Intel's and AMD's ways to do so, in
// the true state machine.
#include <gmock/gmock.h>

#include "ledger/admit/ledger_testing.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

constexpr UnixSeconds kDay = 86'400;

// A TDX instance on machine 0, another on machine 1, an SNP instance on chip 0.
struct Served : TestLedger {
  Served() {
    bond("operator");
    bond("rival");
    put_all(intel_collateral(now()));
    put_all(amd_collateral(0, now()));
    const RegisterInstance first = registration({});
    accusation.instance = instance_id_of(first.registration.identity_key);
    accusation.evidence = first.registration.evidence;
    EXPECT_EQ(send("operator", first), Code::ok);
    Candidate second;
    second.identity = "second";
    second.machine = 1;
    EXPECT_EQ(enter(second), Code::ok);
    Candidate snp;
    snp.op = "rival";
    snp.identity = "snp";
    snp.tdx = false;
    snp.snp = true;
    EXPECT_EQ(enter(snp), Code::ok);
    skip(kDay);
  }
  InstanceState state_of(const std::string& identity) const { return instance(identity)->state; }
  uint64_t slashed(const std::string& op) const {
    return Operator::decode(*state.store().get(Family::operators, key_of(op).public_key()))
        ->slashed_micro;
  }
  std::vector<Buffer> signed_by_intel(std::string_view what, const std::string& body) const {
    const auto& signer = intel().tcb_signing_for_testing();
    return {to_buffer(as_bytes(evidence::sim::sign_document(what, body, signer.key))),
            intel_collateral(now())[0][1]};
  }
  evidence::sim::IntelWindow window() const { return {now() - 1, now() + 30 * kDay}; }
  // Brings collateral, and accuses the first instance in the same block.
  Code put_and_accuse(const std::vector<Buffer>& files) {
    PutCollateral body;
    body.files = files;
    const auto results = block({tx("operator", body), tx("rival", accusation)}).txs;
    EXPECT_EQ(results[0].code, Code::ok);
    return results[1].code;
  }
  RevokeInstance accusation;
};

struct Word {
  const char* name;
  std::function<void(evidence::sim::IntelTcbInfo&)> info;
  std::function<void(evidence::sim::IntelQeIdentity&)> identity;
  InstanceState want;
};

TEST(Review, IntelsDocumentsChangeWhatAMachineIsWorth) {
  const Word words[] = {
      {"a newer evaluation", [](auto& info) { info.evaluation_number = 19; }, nullptr,
       InstanceState::active},
      {"an advisory", [](auto& info) { info.levels[0].at.advisories = {"INTEL-SA-1"}; }, nullptr,
       InstanceState::active},
      {"out of date", [](auto& info) { info.levels[0].at.status = "OutOfDate"; }, nullptr,
       InstanceState::unverified},
      {"revoked", [](auto& info) { info.levels[0].at.status = "Revoked"; }, nullptr,
       InstanceState::unverified},
      {"no level",
       [](auto& info) {
         for (auto& level : info.levels) level.pce_svn = 99;
       },
       nullptr, InstanceState::unverified},
      {"another quoting enclave", nullptr, [](auto& identity) { identity.mr_signer.fill(1); },
       InstanceState::unverified},
      {"a quoting enclave out of date", nullptr,
       [](auto& identity) { identity.levels[0].isv_svn = 7; }, InstanceState::unverified},
      {"the same again", [](auto&) {}, [](auto&) {}, InstanceState::active},
  };
  for (const Word& word : words) {
    SCOPED_TRACE(word.name);
    Served ledger;
    auto info = evidence::sim::default_tcb_info(ledger.window());
    auto identity = evidence::sim::default_qe_identity(ledger.window());
    if (word.info) {
      word.info(info);
      ASSERT_EQ(ledger.put(ledger.signed_by_intel("tcbInfo", encode_tcb_info(info))), Code::ok);
    }
    if (word.identity) {
      word.identity(identity);
      ASSERT_EQ(ledger.put(ledger.signed_by_intel("enclaveIdentity", encode_qe_identity(identity))),
                Code::ok);
    }
    EXPECT_EQ(ledger.state_of("identity"), word.want);
    EXPECT_EQ(ledger.state_of("second"), word.want);
    EXPECT_EQ(ledger.state_of("snp"), InstanceState::active);
    EXPECT_EQ(ledger.slashed("operator"), 0u);
    const Platform platform = ledger.instance("identity")->platforms[0];
    if (word.want == InstanceState::active) {
      EXPECT_EQ(platform.tcb_evaluation_number, info.evaluation_number);
      EXPECT_EQ(platform.advisories, info.levels[0].at.advisories);
      // Evidence of today says the same.
      Candidate again;
      again.machine = 2;
      again.identity = "again";
      ASSERT_EQ(ledger.enter(again), Code::ok);
      const Platform fresh = ledger.instance("again")->platforms[0];
      EXPECT_EQ(fresh.tcb_status, platform.tcb_status);
      EXPECT_EQ(fresh.advisories, platform.advisories);
    }
  }
}

TEST(Review, ARevokedMachineIsOutAtOnceAndNoOther) {
  Served ledger;
  ASSERT_EQ(ledger.put(revocation_of({0}, ledger.now())), Code::ok);
  EXPECT_EQ(ledger.state_of("identity"), InstanceState::revoked);
  EXPECT_EQ(ledger.state_of("second"), InstanceState::active);
  EXPECT_EQ(ledger.state_of("snp"), InstanceState::active);
  EXPECT_EQ(ledger.slashed("operator"), ledger.state.genesis().params.fault_slash_micro);
}

TEST(Review, ARevokedAuthorityTakesAllItsMachinesOutAndSlashesNobody) {
  struct Case {
    const char* name;
    std::function<std::vector<Buffer>(const Served&)> files;
    InstanceState tdx, snp;
  };
  const auto root_list = [](const Served& ledger, const Buffer& serial) {
    const auto& root = intel().root_for_testing();
    return std::vector<Buffer>{crypto::issue_crl(root.certificate, root.key, ledger.now(),
                                                 ledger.now() + kDay, 2, {serial})
                                   .der(),
                               root.certificate.der()};
  };
  const Case cases[] = {
      {"Intel's PCK CA",
       [&](const Served& ledger) {
         return root_list(ledger, intel().platform_ca_for_testing().certificate.serial());
       },
       InstanceState::unverified, InstanceState::active},
      {"Intel's signer of documents",
       [&](const Served& ledger) {
         return root_list(ledger, intel().tcb_signing_for_testing().certificate.serial());
       },
       InstanceState::unverified, InstanceState::active},
      {"AMD's ASK",
       [](const Served& ledger) {
         const auto& ark = amd().ark_for_testing();
         return std::vector<Buffer>{
             crypto::issue_crl(ark.certificate, ark.key, ledger.now(), ledger.now() + kDay,
                               1'000'000'000'000, {amd().ask_for_testing().certificate.serial()})
                 .der(),
             ark.certificate.der()};
       },
       InstanceState::active, InstanceState::unverified},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Served ledger;
    EXPECT_EQ(ledger.put_and_accuse(c.files(ledger)), Code::ok);
    EXPECT_EQ(ledger.state_of("identity"), c.tdx);
    EXPECT_EQ(ledger.state_of("second"), c.tdx);
    EXPECT_EQ(ledger.state_of("snp"), c.snp);
    EXPECT_EQ(ledger.slashed("operator") + ledger.slashed("rival"), 0u);
  }
}

}  // namespace
}  // namespace cloister::ledger
