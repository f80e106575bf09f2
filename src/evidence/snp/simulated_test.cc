// Single faults under a simulated hierarchy: everything is signed as it should be, so that only the
// check under test can refuse.
#include <gmock/gmock.h>

#include "evidence/snp/hierarchy_testing.h"
#include "evidence/snp/report.h"

namespace cloister::evidence {
namespace {

using crypto::Certificate;
using sim::AmdAuthority;
using sim::AmdProduct;

constexpr UnixSeconds kNow = kTestNow;
constexpr UnixSeconds kDay = kTestDay;

sim::SnpParameters guest() {
  sim::SnpParameters out;
  out.measurement.fill(0xAA);
  out.host_data.fill(0xBB);
  return out;
}

sim::VcekParameters vcek_parameters() {
  sim::VcekParameters out;
  out.tcb = sim::amd_tcb(AmdProduct::genoa);
  out.chip_id = genoa().chip_id(0);
  out.window = kTestYear;
  out.product_name = "Genoa";
  return out;
}

// All that a verification is given.
struct World {
  Buffer report = genoa().report(guest(), kTestReportData);
  Certificate vcek = sim::issue_vcek(genoa().ask_for_testing(), key(0), vcek_parameters());
  std::optional<Certificate> ask = genoa().ask_for_testing().certificate;
  std::optional<Certificate> ark = genoa().ark();
  std::optional<crypto::Crl> crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow + kDay);
  VerifyPolicy policy;
  Binding binding = Binding::report_data(kTestReportData);
  UnixSeconds now = kNow;

  World() { policy.anchors.development_amd = {genoa().ark_spki()}; }

  static const crypto::PrivateKey& key(uint32_t chip) { return genoa().vcek_key_for_testing(chip); }
  // Changes a byte of the report and signs it again.
  void set(size_t at, uint8_t value) {
    report[at] = value;
    sim::sign_report(report, key(0));
  }
  void issue(const sim::VcekParameters& parameters) {
    vcek = sim::issue_vcek(genoa().ask_for_testing(), key(0), parameters);
  }
  Verification verify() const {
    Collateral collateral;
    collateral.certificates.push_back(vcek);
    if (ask) collateral.certificates.push_back(*ask);
    if (ark) collateral.certificates.push_back(*ark);
    if (crl) collateral.crls.push_back(*crl);
    return verify_snp_report(report, collateral, policy, binding, now);
  }
};

struct Fault {
  const char* name;
  void (*spoil)(World&);
  std::optional<Error> want;  // nothing: still accepted
};

void expect_each(std::initializer_list<Fault> faults) {
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.name);
    World world;
    fault.spoil(world);
    const Verification out = world.verify();
    EXPECT_EQ(out.appraisal.error, fault.want) << out.appraisal.detail;
    EXPECT_EQ(out.verified.has_value(), !fault.want);
    ASSERT_FALSE(out.appraisal.checks.empty());
    EXPECT_EQ(out.appraisal.checks.back().ok, !fault.want);
  }
}

TEST(SnpSimulated, AcceptedAndMarkedAsDevelopment) {
  const Verification out = World().verify();
  ASSERT_TRUE(out.verified) << out.appraisal.detail;
  EXPECT_TRUE(out.verified->development());
  EXPECT_TRUE(out.appraisal.development);
  EXPECT_EQ(out.verified->product(), "Genoa");
  EXPECT_EQ(out.verified->measurement(), Buffer(48, 0xAA));
  EXPECT_EQ(out.verified->configuration(), Buffer(32, 0xBB));
  EXPECT_EQ(out.verified->report_data(), to_buffer(kTestReportData));
  EXPECT_EQ(out.verified->platform_id(), to_buffer(genoa().chip_id(0)));
  EXPECT_EQ(out.verified->valid_until(), kNow + kDay - 1);
}

TEST(SnpSimulated, ChainFaults) {
  expect_each({
      {"root not listed", [](World& w) { w.policy.anchors.development_amd.clear(); },
       Error::wrong_chain},
      {"root pinned for another line",
       [](World& w) {
         w.policy.anchors.development_amd.clear();
         w.policy.anchors.amd_ark["Milan"] = {genoa().ark_spki()};
       },
       Error::wrong_chain},
      {"root of the same name with another key",
       [](World& w) {
         const AmdAuthority& other = other_ark();
         w.ark = issue_any("ARK-Genoa", other.key, &other, [](auto& r) { r.ca = true; });
       },
       Error::wrong_chain},
      {"intermediate of another root",
       [](World& w) {
         w.ask = sim::issue_ask(AmdProduct::genoa, other_ark(), genoa().ask_for_testing().key,
                                kTestYear);
       },
       Error::wrong_chain},
      {"intermediate with the right names, signed by itself",
       [](World& w) {
         const AmdAuthority forged{copy_of(genoa().ask_for_testing().key), genoa().ark()};
         w.ask = sim::issue_ask(AmdProduct::genoa, forged, forged.key, kTestYear);
       },
       Error::wrong_chain},
      {"intermediate that may issue intermediates",
       [](World& w) {
         w.ask = issue_any("SEV-Genoa", genoa().ask_for_testing().key, &genoa().ark_for_testing(),
                           [](auto& r) { r.ca = true; });
       },
       Error::wrong_chain},
      {"intermediate for lent keys",
       [](World& w) {
         w.ask = issue_any("SEV-VLEK-Genoa", genoa().ask_for_testing().key,
                           &genoa().ark_for_testing(), [](auto& r) {
                             r.ca = true;
                             r.path_length = 0;
                           });
       },
       Error::wrong_chain},
      {"chip key of another intermediate",
       [](World& w) { w.vcek = sim::issue_vcek(other_ask(), World::key(0), vcek_parameters()); },
       Error::wrong_chain},
      {"chip key with the right names, signed by another intermediate",
       [](World& w) {
         const AmdAuthority forged{copy_of(other_ask().key), *w.ask};
         w.vcek = sim::issue_vcek(forged, World::key(0), vcek_parameters());
       },
       Error::wrong_chain},
  });
}

TEST(SnpSimulated, MissingCollateral) {
  expect_each({
      {"no key", [](World& w) { w.vcek = *w.ask; }, Error::collateral_missing},
      {"no intermediate", [](World& w) { w.ask.reset(); }, Error::collateral_missing},
      {"no root", [](World& w) { w.ark.reset(); }, Error::collateral_missing},
      {"no list", [](World& w) { w.crl.reset(); }, Error::collateral_missing},
      {"no list, waived",
       [](World& w) {
         w.crl.reset();
         w.policy.allow_no_revocation = true;
       },
       std::nullopt},
      {"the report asks for a lent key", [](World& w) { w.set(0x48, 0x04); },
       Error::collateral_missing},
  });
}

TEST(SnpSimulated, WindowFaults) {
  expect_each({
      {"first second of the key", [](World& w) { w.now = kTestYear.not_before; }, std::nullopt},
      {"key not yet valid",
       [](World& w) {
         auto p = vcek_parameters();
         p.window.not_before = kNow + 1;
         w.issue(p);
       },
       Error::not_yet_valid},
      {"last second of the key",
       [](World& w) {
         auto p = vcek_parameters();
         p.window.not_after = kNow;
         w.issue(p);
       },
       std::nullopt},
      {"key expired",
       [](World& w) {
         auto p = vcek_parameters();
         p.window.not_after = kNow - 1;
         w.issue(p);
       },
       Error::expired},
      {"intermediate expired",
       [](World& w) {
         w.ask = sim::issue_ask(AmdProduct::genoa, genoa().ark_for_testing(),
                                genoa().ask_for_testing().key, {kNow - kDay, kNow - 1});
       },
       Error::expired},
      {"list of tomorrow",
       [](World& w) { w.crl = crl_of(genoa().ark_for_testing(), kNow + 1, kNow + kDay); },
       Error::not_yet_valid},
      {"last second of the list",
       [](World& w) { w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow + 1); },
       std::nullopt},
      {"the next list is out",
       [](World& w) { w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow); },
       Error::expired},
      {"expired list, absence waived",
       [](World& w) {
         w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow);
         w.policy.allow_no_revocation = true;
       },
       Error::expired},
  });
}

TEST(SnpSimulated, RevocationFaults) {
  expect_each({
      {"intermediate listed",
       [](World& w) {
         w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow + kDay, {w.ask->serial()});
       },
       Error::revoked},
      {"key listed",
       [](World& w) {
         auto p = vcek_parameters();
         p.serial = {0x77};
         w.issue(p);
         w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow + kDay, {{0x77}});
       },
       Error::revoked},
      {"another serial listed",
       [](World& w) {
         w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow + kDay, {{0x78}});
       },
       std::nullopt},
      {"list of another root",
       [](World& w) { w.crl = crl_of(other_ark(), kNow - kDay, kNow + kDay); },
       Error::collateral_mismatch},
      {"list of another root, absence waived",
       [](World& w) {
         w.crl = crl_of(other_ark(), kNow - kDay, kNow + kDay);
         w.policy.allow_no_revocation = true;
       },
       Error::collateral_mismatch},
      {"list in the root's name, signed by the intermediate",
       [](World& w) {
         const AmdAuthority forged{copy_of(genoa().ask_for_testing().key), genoa().ark()};
         w.crl = crl_of(forged, kNow - kDay, kNow + kDay);
       },
       Error::bad_signature},
  });
}

TEST(SnpSimulated, PartsThatDoNotBelongTogether) {
  expect_each({
      {"signed by another chip", [](World& w) { sim::sign_report(w.report, World::key(1)); },
       Error::bad_signature},
      {"key of another chip with the same firmware",
       [](World& w) {
         auto p = vcek_parameters();
         p.chip_id = genoa().chip_id(1);
         w.issue(p);
       },
       Error::identity_mismatch},
      {"key of other firmware",
       [](World& w) {
         auto p = vcek_parameters();
         p.tcb[7] ^= 1;
         w.issue(p);
       },
       Error::identity_mismatch},
      {"key with another reserved counter",
       [](World& w) {
         auto p = vcek_parameters();
         p.tcb[3] = 1;
         w.issue(p);
       },
       Error::identity_mismatch},
      {"key of another line",
       [](World& w) {
         auto p = vcek_parameters();
         p.product_name = "Milan-B0";
         w.issue(p);
       },
       Error::identity_mismatch},
      {"processor of another line", [](World& w) { w.set(0x189, 0x01); }, Error::identity_mismatch},
      {"processor not known", [](World& w) { w.set(0x188, 0x17); }, Error::identity_mismatch},
      {"committed beyond current", [](World& w) { w.set(0x1E0, 0x0B); }, Error::identity_mismatch},
      {"launched beyond current", [](World& w) { w.set(0x1F7, 0x55); }, Error::identity_mismatch},
      {"current beyond reported", [](World& w) { w.set(0x3F, 0x55); }, std::nullopt},
  });
}

TEST(SnpSimulated, KeyExtensionFaults) {
  expect_each({
      {"unknown product",
       [](World& w) {
         auto p = vcek_parameters();
         p.product_name = "Napoli";
         w.issue(p);
       },
       Error::unsupported},
      {"layout of another structure version",
       [](World& w) {
         auto p = vcek_parameters();
         p.product_name = "Turin";
         w.issue(p);
       },
       Error::malformed},
      {"no extensions at all",
       [](World& w) {
         w.vcek = issue_any("SEV-VCEK", World::key(0), &genoa().ask_for_testing(), [](auto&) {});
       },
       Error::malformed},
  });
}

TEST(SnpSimulated, PolicyFaults) {
  expect_each({
      {"debug", [](World& w) { w.set(0x0A, 0x0B); }, Error::debug_enabled},
      {"debug allowed",
       [](World& w) {
         w.set(0x0A, 0x0B);
         w.policy.allow_debug = true;
       },
       std::nullopt},
      {"policy bit 17 clear", [](World& w) { w.set(0x0A, 0x01); }, Error::malformed},
      {"migration", [](World& w) { w.set(0x0A, 0x07); }, Error::policy_denied},
      {"migration allowed",
       [](World& w) {
         w.set(0x0A, 0x07);
         w.policy.allow_migration = true;
       },
       std::nullopt},
      {"least privileged level of the guest", [](World& w) { w.set(0x30, 3); }, std::nullopt},
      {"no such level", [](World& w) { w.set(0x30, 4); }, Error::malformed},
      {"requested by the host",
       [](World& w) {
         for (size_t at = 0x30; at < 0x34; ++at) w.set(at, 0xFF);
       },
       Error::policy_denied},
      {"masked chip key", [](World& w) { w.set(0x48, 0x02); }, Error::policy_denied},
      {"masked chip id",
       [](World& w) {
         for (size_t at = 0x1A0; at < 0x1E0; ++at) w.set(at, 0);
       },
       Error::policy_denied},
      {"distrusted line", [](World& w) { w.policy.distrusted_products = {"Genoa"}; },
       Error::policy_denied},
      {"another line distrusted", [](World& w) { w.policy.distrusted_products = {"Milan"}; },
       std::nullopt},
      {"other report data", [](World& w) { w.binding = Binding::report_data(Fixed<64>{9}); },
       Error::report_data_mismatch},
      {"report data not compared", [](World& w) { w.binding = Binding::not_compared(); },
       std::nullopt},
  });
}

TEST(SnpSimulated, Demands) {
  using namespace snp;
  // The unbent report: version 3, policy 0x30000, no platform bits, committed firmware as
  // simulated.
  expect_each({
      {"nothing demanded", [](World&) {}, std::nullopt},
      {"SMT forbidden", [](World& w) { w.policy.snp.policy.clear = kPolicySmtAllowed; },
       Error::policy_denied},
      {"one socket", [](World& w) { w.policy.snp.policy.set = kPolicySingleSocket; },
       Error::policy_denied},
      {"no CXL", [](World& w) { w.policy.snp.policy.clear = kPolicyCxlAllowed; }, std::nullopt},
      {"ciphertext hiding", [](World& w) { w.policy.snp.policy.set = kPolicyCiphertextHiding; },
       Error::policy_denied},
      {"page swap disabled", [](World& w) { w.policy.snp.policy.set = kPolicyPageSwapDisabled; },
       Error::policy_denied},
      {"AES-256", [](World& w) { w.policy.snp.policy.set = kPolicyMemoryAes256Xts; },
       Error::policy_denied},
      {"alias check not complete",
       [](World& w) {
         w.set(0x40, 0x1F);
         w.policy.snp.platform.set = kPlatformAliasCheckComplete;
       },
       Error::policy_denied},
      {"alias check complete",
       [](World& w) {
         w.set(0x40, 0x20);
         w.policy.snp.platform.set = kPlatformAliasCheckComplete;
       },
       std::nullopt},
      {"SMT on at the platform",
       [](World& w) {
         w.set(0x40, 0x21);
         w.policy.snp.platform = {kPlatformAliasCheckComplete, kPlatformSmtEnabled};
       },
       Error::policy_denied},
      {"mitigations of a report that has none", [](World& w) { w.policy.snp.mitigations = 1; },
       Error::policy_denied},
      {"a mitigation in the current vector only",
       [](World& w) {
         w.set(0x00, 5);
         w.set(0x200, 1);
         w.policy.snp.mitigations = 1;
       },
       Error::policy_denied},
      {"a mitigation in both vectors",
       [](World& w) {
         w.set(0x00, 5);
         w.set(0x1F8, 3);
         w.set(0x200, 1);
         w.policy.snp.mitigations = 1;
       },
       std::nullopt},
      {"a later ABI", [](World& w) { w.policy.snp.min_abi = 0x0101; }, Error::policy_denied},
      {"ABI met",
       [](World& w) {
         w.set(0x08, 0x37);
         w.set(0x09, 0x01);
         w.policy.snp.min_abi = 0x0137;
       },
       std::nullopt},
      {"VMPL above the greatest",
       [](World& w) {
         w.set(0x30, 2);
         w.policy.snp.max_vmpl = 1;
       },
       Error::policy_denied},
      {"VMPL 0", [](World& w) { w.policy.snp.max_vmpl = 0; }, std::nullopt},
      {"a cloud, which a VCEK does not name",
       [](World& w) { w.policy.snp.cloud_providers = {"cloud.example"}; }, std::nullopt},
      {"later firmware", [](World& w) { w.policy.snp.min_committed_firmware = {255, 0, 0}; },
       Error::policy_denied},
      {"another id key", [](World& w) { w.policy.snp.id_key_digests = {Fixed<48>{7}}; },
       Error::policy_denied},
      {"an author key where none is used",
       [](World& w) { w.policy.snp.author_key_digests = {Fixed<48>{}}; }, Error::policy_denied},
  });
}

TEST(SnpSimulated, FloorDecidesTheStatus) {
  World world;
  const Fixed<8> tcb = sim::amd_tcb(AmdProduct::genoa);
  world.policy.min_amd_tcb["Genoa"] = tcb;
  EXPECT_EQ(world.verify().appraisal.status, TcbStatus::up_to_date);

  world.policy.min_amd_tcb["Genoa"][6] += 1;
  EXPECT_EQ(world.verify().appraisal.error, Error::tcb_status);
  EXPECT_EQ(world.verify().appraisal.status, TcbStatus::out_of_date);
  world.policy.allow_out_of_date = true;
  EXPECT_TRUE(world.verify().verified);

  World launched_earlier;  // the running firmware meets the floor, the one that launched did not
  launched_earlier.policy.min_amd_tcb["Genoa"] = tcb;
  launched_earlier.set(0x1F7, static_cast<uint8_t>(tcb[7] - 1));
  EXPECT_EQ(launched_earlier.verify().appraisal.error, Error::tcb_status);
}

TEST(SnpSimulated, OfSeveralFaultsTheFirstClassAnswers) {
  expect_each({
      {"debug and other report data",
       [](World& w) {
         w.set(0x0A, 0x0B);
         w.binding = Binding::report_data(Fixed<64>{9});
       },
       Error::debug_enabled},
      {"bad signature and debug",
       [](World& w) {
         w.set(0x0A, 0x0B);
         w.report[0x90] ^= 1;
       },
       Error::bad_signature},
      {"expired list and bad signature",
       [](World& w) {
         w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow);
         w.report[0x90] ^= 1;
       },
       Error::expired},
      {"unlisted root and expired list",
       [](World& w) {
         w.policy.anchors.development_amd.clear();
         w.crl = crl_of(genoa().ark_for_testing(), kNow - kDay, kNow);
       },
       Error::wrong_chain},
  });
}

}  // namespace
}  // namespace cloister::evidence
