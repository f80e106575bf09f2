#include "admission/admission.h"

#include <gmock/gmock.h>

#include "evidence/collateral.h"
#include "evidence/sim/amd.h"
#include "evidence/sim/intel.h"

namespace cloister::admission {
namespace {

using evidence::Error;
using evidence::Format;
using evidence::sim::AmdSimulator;
using evidence::sim::IntelSimulator;
using policy::Reason;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr uint64_t kHeight = 100;
constexpr uint32_t kMachine = 3;
const Fixed<64> kBinding = {1, 2, 3};

const IntelSimulator& intel() {
  static const IntelSimulator made = IntelSimulator::create(kNow);
  return made;
}
// RSA keys take seconds to make.
const AmdSimulator& amd() {
  static const AmdSimulator made = AmdSimulator::create(evidence::sim::AmdProduct::milan, kNow);
  return made;
}

ledger::EvidenceItem item(Format format, Buffer bytes) {
  ledger::EvidenceItem out;
  out.format = static_cast<uint8_t>(format);
  out.bytes = std::move(bytes);
  return out;
}

ledger::EvidenceItem tdx(const Fixed<64>& binding = kBinding, uint8_t image = 0xAA) {
  evidence::sim::TdxParameters td;
  td.mrtd.fill(image);
  td.mrconfigid.fill(0xCC);
  td.platform = kMachine;
  return item(Format::tdx_quote, intel().quote(td, binding));
}

ledger::EvidenceItem snp(const Fixed<64>& binding = kBinding, uint8_t image = 0xAA) {
  evidence::sim::SnpParameters guest;
  guest.measurement.fill(image);
  guest.host_data.fill(0xCC);
  guest.chip = kMachine;
  return item(Format::snp_report, amd().report(guest, binding));
}

// As the ledger would keep them.
ledger::CollateralRecord record(std::vector<Buffer> files) {
  evidence::TrustAnchors anchors;
  anchors.development_intel = {intel().root_spki()};
  anchors.development_amd = {amd().ark_spki()};
  const auto facts = evidence::verify_collateral(files, anchors, kNow).value();
  ledger::CollateralRecord out;
  out.kind = static_cast<ledger::CollateralKind>(facts.name.kind);
  out.id = facts.name.id;
  out.files = std::move(files);
  return out;
}

std::vector<ledger::CollateralRecord> all_collateral() {
  const auto tdx = intel().collateral(kNow);
  const Buffer &signing = tdx.at("tcb_signing_chain.pem"),
               pck_chain = to_buffer(as_bytes(intel().pck_chain(kMachine)));
  const auto snp = amd().collateral(kMachine, kNow);
  const Buffer& amd_chain = snp.at("amd_chain.pem");
  return {record({tdx.at("tcb_info.json"), signing}),
          record({tdx.at("qe_identity.json"), signing}),
          record({tdx.at("root_ca.crl"), signing}),
          record({tdx.at("pck_platform_ca.crl"), pck_chain}),
          record({snp.at("vcek.der"), amd_chain}),
          record({snp.at("amd.crl"), amd_chain})};
}

ledger::Release release(Format format) {
  ledger::Release out;
  out.name = "node 1";
  out.format = static_cast<uint8_t>(format);
  out.measurement = Buffer(48, 0xAA);
  out.valid_from_height = 50;
  out.valid_until_height = 150;
  return out;
}

// All that a judgement is given; good as it stands.
struct World {
  ledger::Genesis genesis;
  ledger::NetworkPolicy policy;
  std::vector<ledger::EvidenceItem> evidence = {tdx()};
  std::vector<ledger::CollateralRecord> collateral = all_collateral();
  UnixSeconds now = kNow;
  uint64_t height = kHeight;
  CollateralMemory* memory = nullptr;
  std::optional<Hash32> gpu_nonce;

  World() {
    genesis.development = true;
    genesis.development_intel = {intel().root_spki()};
    genesis.development_amd = {amd().ark_spki()};
    for (const auto status : policy::default_accepted_statuses()) {
      policy.accepted_statuses.push_back(static_cast<uint8_t>(status));
    }
    policy.releases = {release(Format::tdx_quote), release(Format::snp_report)};
    policy.allow_development = true;
  }
  Judgement judged() const {
    const auto anchors = anchors_of(genesis);
    return judge({evidence, lookup_in(collateral), anchors, policy::layered(rules_of(policy)),
                  evidence::Binding::report_data(kBinding), now, height, "", memory, gpu_nonce});
  }
};

struct Fault {
  const char* name;
  void (*spoil)(World&);
  std::optional<Error> error;
  std::optional<Reason> reason;
};

void expect_each(std::initializer_list<Fault> faults) {
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.name);
    World world;
    fault.spoil(world);
    const Judgement got = world.judged();
    EXPECT_FALSE(got.admitted());
    EXPECT_EQ(got.evidence_error(), fault.error);
    EXPECT_EQ(got.policy_reason(), fault.reason);
  }
}

TEST(Judge, AdmitsSimulatedMachinesWhereDevelopmentIsAllowed) {
  World world;
  for (const auto& evidence : {std::vector{tdx()}, std::vector{snp()}, std::vector{tdx(), snp()}}) {
    world.evidence = evidence;
    const Judgement got = world.judged();
    EXPECT_TRUE(got.admitted()) << name(got.refusal);
    EXPECT_TRUE(got.development());
    EXPECT_EQ(got.items.size(), evidence.size());
    EXPECT_FALSE(got.evidence_error());
    EXPECT_FALSE(got.policy_reason());
  }
}

// No collection is read that does not stand where CPUs vouch for it. Good ones: ledger_admit_test.
TEST(Judge, GpusStandAfterAllCpusAndWhereANonceIsExpected) {
  const auto gpus = item(Format::nvidia_gpu, {1, 2, 3});
  World world;
  const auto refused = [&](std::vector<ledger::EvidenceItem> evidence) {
    world.evidence = std::move(evidence);
    return world.judged().evidence_error();
  };
  EXPECT_EQ(refused({tdx(), gpus}), Error::unsupported) << "no nonce";
  world.gpu_nonce = Hash32{1};
  EXPECT_EQ(refused({tdx(), gpus}), Error::malformed);
  EXPECT_EQ(refused({gpus}), Error::unsupported);
  EXPECT_EQ(refused({gpus, tdx()}), Error::unsupported);
  EXPECT_EQ(refused({tdx(), gpus, snp()}), Error::unsupported);
  EXPECT_EQ(refused({tdx(), gpus, gpus}), Error::unsupported);
}

// With a memory every verdict is what it is without one.
TEST(Judge, AMemoryChangesNoVerdict) {
  CollateralMemory memory;
  const std::function<void(World&)> changes[] = {
      [](World&) {},
      [](World&) {},
      [](World& w) { w.evidence = {tdx({9})}; },
      [](World& w) { w.evidence[0].bytes[200] ^= 1; },
      [](World& w) { w.now += 31 * 86'400; },
      [](World& w) { w.genesis.development_intel[0][0] ^= 1; },
      [](World& w) { w.policy.min_tcb_evaluation_number = 19; },
      [](World& w) { w.collateral.clear(); },
      [](World& w) { w.collateral[0].files[0][40] ^= 1; },
      [](World& w) { w.evidence = {snp()}; },
      [](World& w) { w.evidence = {snp(), tdx()}; },
  };
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < std::size(changes); ++i) {
      SCOPED_TRACE(i);
      World world;
      changes[i](world);
      const Judgement want = world.judged();
      world.memory = &memory;
      const Judgement got = world.judged();
      EXPECT_EQ(got.refusal, want.refusal);
      EXPECT_EQ(got.evidence_error(), want.evidence_error());
      EXPECT_EQ(got.policy_reason(), want.policy_reason());
      EXPECT_EQ(got.items.size(), want.items.size());
    }
  }
}

// It holds sixteen; whoever brings more only makes it forget.
TEST(CollateralMemory, KnowsWhatCameLastAndRefusesWhatIsNone) {
  CollateralMemory memory;
  const auto prepare = [&](const std::vector<Buffer>& files) {
    std::vector<const Buffer*> lent;
    for (const Buffer& file : files) lent.push_back(&file);
    return memory.prepare(lent);
  };
  const Buffer root = intel().root_for_testing().certificate.der();
  const auto first = prepare({root});
  ASSERT_TRUE(first);
  EXPECT_EQ(prepare({root}), first);
  EXPECT_FALSE(prepare({Buffer{1, 2, 3}}));
  EXPECT_NE(prepare({}), first);
  for (uint32_t i = 0; i < kMaxRemembered; ++i) {
    EXPECT_NE(prepare({intel().pck_for_testing(i).certificate.der()}), first);
  }
  EXPECT_NE(prepare({root}), first);
}

TEST(Judge, RefusesEachFaultOfATdxByItsOwnError) {
  expect_each({
      {"genesis is not development",
       [](World& w) { w.genesis.development = false; },
       Error::wrong_chain,
       {}},
      {"development of others",
       [](World& w) { w.genesis.development_intel[0][0] ^= 1; },
       Error::wrong_chain,
       {}},
      {"policy is not development",
       [](World& w) { w.policy.allow_development = false; },
       Error::wrong_chain,
       {}},
      {"bound to something else",
       [](World& w) { w.evidence = {tdx({9})}; },
       Error::report_data_mismatch,
       {}},
      {"a flipped byte", [](World& w) { w.evidence[0].bytes[200] ^= 1; }, Error::bad_signature, {}},
      {"no collateral", [](World& w) { w.collateral.clear(); }, Error::collateral_missing, {}},
      {"collateral of last month", [](World& w) { w.now += 31 * 86'400; }, Error::expired, {}},
      {"format of nobody", [](World& w) { w.evidence[0].format = 99; }, Error::unsupported, {}},
      {"taken for an SNP report", [](World& w) { w.evidence[0].format = 3; }, Error::malformed, {}},
      {"TCB evaluation too old",
       [](World& w) { w.policy.min_tcb_evaluation_number = 19; },
       Error::policy_denied,
       {}},
      {"no such release",
       [](World& w) { w.evidence = {tdx(kBinding, 0xAB)}; },
       {},
       Reason::measurement},
      {"released for the other vendor",
       [](World& w) { w.policy.releases = {release(Format::snp_report)}; },
       {},
       Reason::measurement},
      {"before the release", [](World& w) { w.height = 49; }, {}, Reason::measurement},
      {"after the release", [](World& w) { w.height = 151; }, {}, Reason::measurement},
      {"status not accepted",
       [](World& w) { w.policy.accepted_statuses.clear(); },
       {},
       Reason::tcb_status},
      {"product distrusted",
       [](World& w) { w.policy.distrusted_products = {"TDX"}; },
       {},
       Reason::product},
  });
}

TEST(Judge, RefusesEachFaultOfAnSnpByItsOwnError) {
  expect_each({
      {"genesis is not development",
       [](World& w) {
         w.evidence = {snp()};
         w.genesis.development = false;
       },
       Error::collateral_missing,
       {}},  // only collateral of trusted vendors is looked for
      {"policy is not development",
       [](World& w) {
         w.evidence = {snp()};
         w.policy.allow_development = false;
       },
       Error::wrong_chain,
       {}},
      {"bound to something else",
       [](World& w) { w.evidence = {snp({9})}; },
       Error::report_data_mismatch,
       {}},
      {"product distrusted",
       [](World& w) {
         w.evidence = {snp()};
         w.policy.distrusted_products = {"Milan"};
       },
       Error::policy_denied,
       {}},
      {"no such release",
       [](World& w) { w.evidence = {snp(kBinding, 0xAB)}; },
       {},
       Reason::measurement},
  });
}

TEST(Judge, OneBadItemFailsTheWholeInEitherOrder) {
  expect_each({
      {"bad, then good",
       [](World& w) { w.evidence = {snp({9}), tdx()}; },
       Error::report_data_mismatch,
       {}},
      {"good, then bad",
       [](World& w) { w.evidence = {tdx(), snp({9})}; },
       Error::report_data_mismatch,
       {}},
      {"unreleased, then good",
       [](World& w) { w.evidence = {snp(kBinding, 1), tdx()}; },
       {},
       Reason::measurement},
      {"good, then unreleased",
       [](World& w) { w.evidence = {tdx(), snp(kBinding, 1)}; },
       {},
       Reason::measurement},
  });
}

TEST(Judge, WithoutEvidenceNothingIsAdmitted) {
  World world;
  world.evidence.clear();
  EXPECT_EQ(world.judged().refusal, Refusal::evidence_absent);
  world.evidence.assign(ledger::kMaxEvidenceItems + 1, tdx());
  EXPECT_EQ(world.judged().refusal, Refusal::evidence_absent);
  world.evidence.pop_back();
  EXPECT_TRUE(world.judged().admitted());
}

TEST(PlatformOf, KeepsTheMachineOnlyAsAHash) {
  const Judgement got = World().judged();
  ASSERT_TRUE(got.admitted());
  const auto platform = platform_of(*got.items[0].verification.verified, "chain-1");
  const Buffer ppid = to_buffer(intel().platform(kMachine).ppid);
  EXPECT_EQ(platform.id_hash, ledger::platform_id_hash("chain-1", 1, ppid));
  EXPECT_NE(platform.id_hash, ledger::platform_id_hash("chain-2", 1, ppid));
  EXPECT_EQ(platform.format, 1);
  EXPECT_EQ(platform.product, "TDX");
  EXPECT_EQ(platform.tcb_status, 1);
  EXPECT_EQ(platform.tcb_evaluation_number, 18u);
  EXPECT_EQ(platform.measurement, Buffer(48, 0xAA));
  EXPECT_EQ(platform.configuration, Buffer(48, 0xCC));
  EXPECT_EQ(platform.runtime_measurements.size(), 4u);
  EXPECT_TRUE(platform.development);
}

TEST(Judge, LooksOnlyAtTheCollateralThatItsEvidenceNames) {
  World world;
  world.evidence = {tdx(), snp()};
  ledger::CollateralRecord stranger;  // of a name that nobody needs
  stranger.files = {to_buffer(as_bytes("hello"))};
  world.collateral.insert(world.collateral.begin(), 200, stranger);
  EXPECT_TRUE(world.judged().admitted());
  for (uint32_t chip = 0; chip < evidence::sim::kAmdChips; ++chip) {
    const auto files = amd().collateral(chip, kNow);
    world.collateral.push_back(record({files.at("vcek.der"), files.at("amd_chain.pem")}));
  }
  EXPECT_TRUE(world.judged().admitted());
}

TEST(Judge, RefusesARecordThatIsNotTheLedgers) {
  World world;
  world.collateral[0].files[0] = to_buffer(as_bytes("hello"));
  const Judgement got = world.judged();
  EXPECT_EQ(got.refusal, Refusal::collateral_unusable);
  EXPECT_FALSE(got.evidence_error());
  EXPECT_FALSE(got.policy_reason());
}

}  // namespace
}  // namespace cloister::admission
