// Instances with GPUs in the true state machine: CPU and GPU evidence name each other, and what
// NVIDIA says later counts.
#include <gmock/gmock.h>

#include "ledger/admit/gpus_testing.h"
#include "ledger/admit/ledger_testing.h"
#include "ledger/admit/verifier.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

using crypto::OcspAnswer;
using crypto::OcspStatus;
using evidence::Format;
using evidence::kTestNow;
using evidence::bundle::Bundle;
using evidence::nvidia::answer_object;
using evidence::nvidia::Scenario;

constexpr OcspAnswer kRevoked{OcspStatus::revoked, kTestNow - 60, kTestNow + 600};

Candidate with(std::vector<Scenario> gpus) {
  Candidate out;
  out.gpus = [gpus](const Hash32& nonce) {
    return evidence::bundle::to_cbor(collected(gpus, nonce));
  };
  return out;
}
// `spoil` changes what was collected.
Candidate with(const Scenario& gpu, std::function<void(Bundle&)> spoil) {
  Candidate out;
  out.gpus = [gpu, spoil](const Hash32& nonce) {
    Bundle bundle = collected({gpu}, nonce);
    spoil(bundle);
    return evidence::bundle::to_cbor(bundle);
  };
  return out;
}

std::span<const crypto::Certificate> device_chain(const Scenario& s) {
  return std::span(s.chain).subspan(1);
}

// All vendors' collateral for machine 0 with `gpu`, at the time of the test hierarchy.
struct World : TestLedger {
  explicit World(const Genesis& genesis = TestLedger::genesis()) : TestLedger(genesis) {
    skip(kTestNow - now() - 60);
    bond("operator");
    bond("rival");
    put_all(intel_collateral(now()));
    put_all(amd_collateral(0, now()));
    put_all(gpu.objects());
  }
  InstanceState state_of(const std::string& identity) const { return instance(identity)->state; }
  uint64_t slashed() const {
    return Operator::decode(*state.store().get(Family::operators, key_of("operator").public_key()))
        ->slashed_micro;
  }
  Scenario gpu;
};

TEST(Gpus, AreRegisteredWithTheCpuThatNamesThem) {
  World world;
  const Scenario second = another_gpu(2);
  world.put_all(second.objects());
  ASSERT_EQ(world.enter(with({world.gpu, second})), Code::ok);
  const auto instance = world.instance("identity");
  ASSERT_EQ(instance->platforms.size(), 3u);
  EXPECT_EQ(instance->platforms[0].product, "TDX");
  for (size_t i : {size_t{1}, size_t{2}}) {
    const Platform& platform = instance->platforms[i];
    EXPECT_EQ(platform.format, kNvidiaGpuFormat);
    EXPECT_EQ(platform.product, "GH100");
    EXPECT_TRUE(platform.runtime_measurements.empty());
    EXPECT_EQ(platform.driver_version, "550.90.07");
    EXPECT_EQ(platform.firmware_version, "96.74.00.1C.00");
    EXPECT_TRUE(platform.development);
  }
  EXPECT_NE(instance->platforms[1].id_hash, instance->platforms[2].id_hash);
  EXPECT_TRUE(instance->gpu_nonce);
  Requirement asked;
  asked.gpu = true;
  EXPECT_TRUE(meets(*instance, asked));
}

TEST(Gpus, ACpuAloneHasNone) {
  World world;
  ASSERT_EQ(world.enter({}), Code::ok);
  EXPECT_FALSE(world.instance("identity")->gpu_nonce);
  Requirement asked;
  asked.gpu = true;
  EXPECT_FALSE(meets(*world.instance("identity"), asked));
}

TEST(Gpus, OneServesOneLiveInstance) {
  World world;
  ASSERT_EQ(world.enter(with({world.gpu})), Code::ok);
  Candidate again = with({world.gpu});
  again.op = "rival";
  again.identity = "other";
  again.machine = 1;
  EXPECT_EQ(world.enter(again), Code::platform_in_use);
  again.gpus = with({world.gpu, world.gpu}).gpus;
  EXPECT_EQ(world.enter(again), Code::evidence_identity_mismatch) << "one GPU twice";
}

struct Fault {
  const char* name;
  Candidate (*candidate)(const World&);
  Code want;
};

TEST(Gpus, EachSingleFaultHasItsCode) {
  const Fault faults[] = {
      {"not named in the claims",
       [](const World& w) {
         Candidate out = with({w.gpu});
         out.gpus_claimed = false;
         return out;
       },
       Code::claims_mismatch},
      {"before the CPU",
       [](const World& w) {
         Candidate out = with({w.gpu});
         out.gpus_at = 0;
         return out;
       },
       Code::claims_mismatch},
      {"before the CPU, and not named",
       [](const World& w) {
         Candidate out = with({w.gpu});
         out.gpus_at = 0;
         out.gpus_claimed = false;
         return out;
       },
       Code::evidence_unsupported},
      {"between two CPUs",
       [](const World& w) {
         Candidate out = with({w.gpu});
         out.snp = true;
         out.gpus_at = 1;
         out.gpus_claimed = false;
         return out;
       },
       Code::evidence_unsupported},
      {"without a CPU",
       [](const World& w) {
         Candidate out = with({w.gpu});
         out.tdx = false;
         return out;
       },
       Code::evidence_unsupported},
      {"of another registration",
       [](const World& w) {
         Candidate out = with({w.gpu});
         out.gpus = [made = out.gpus](const Hash32&) { return made(Hash32{1}); };
         return out;
       },
       Code::evidence_nonce_mismatch},
      {"a GPU whose answers nobody brought", [](const World&) { return with({another_gpu(9)}); },
       Code::evidence_collateral_missing},
      {"other measurements",
       [](const World& w) {
         Scenario gpu = w.gpu;
         gpu.blocks[1].value[0] ^= 1;
         return with({gpu});
       },
       Code::evidence_measurement_mismatch},
      {"a bent signature",
       [](const World& w) {
         return with(w.gpu, [](Bundle& b) { b.items[0].evidence.bytes.back() ^= 1; });
       },
       Code::evidence_bad_signature},
      {"no certificates",
       [](const World& w) { return with(w.gpu, [](Bundle& b) { b.collateral.clear(); }); },
       Code::evidence_collateral_missing},
      {"a manifest of the sender's choice",
       [](const World& w) {
         return with(w.gpu, [&](Bundle& b) {
           b.collateral.push_back(to_buffer(as_bytes(Scenario().driver.document())));
         });
       },
       Code::evidence_malformed},
      {"an answer of the sender's choice",
       [](const World& w) {
         return with(w.gpu, [](Bundle& b) {
           const Scenario s;
           b.collateral.push_back(answer_object(device_chain(s), *s.answer)[0]);
         });
       },
       Code::evidence_malformed},
      {"more certificates than devices have",
       [](const World& w) {
         return with(w.gpu, [](Bundle& b) {
           b.collateral.push_back(
               to_buffer(as_bytes(crypto::to_pem(intel().pck_for_testing(0).certificate))));
         });
       },
       Code::evidence_malformed},
      {"more devices than a record holds",
       [](const World& w) {
         return with(w.gpu, [](Bundle& b) {
           const auto first = b.items[0];
           for (size_t i = 1; i < kMaxPlatformsPerInstance; ++i) {
             b.items.push_back({"more/" + std::to_string(i), first.evidence});
           }
         });
       },
       Code::evidence_unsupported},
      {"a quote among the GPUs",
       [](const World& w) {
         return with(w.gpu,
                     [](Bundle& b) { b.items.push_back({"cpu", {Format::tdx_quote, Buffer(8)}}); });
       },
       Code::evidence_unsupported},
      {"no collection",
       [](const World&) {
         Candidate out;
         out.gpus = [](const Hash32&) { return Buffer{1, 2, 3}; };
         return out;
       },
       Code::evidence_malformed},
  };
  World world;
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.name);
    const Candidate candidate = fault.candidate(world);
    EXPECT_EQ(name(world.enter(candidate)), name(fault.want));
    EXPECT_FALSE(world.instance("identity"));
  }
  EXPECT_EQ(world.enter(with({world.gpu})), Code::ok) << "good as it stands";
}

TEST(Gpus, ARevokedOneIsNotAdmitted) {
  World world;
  ASSERT_EQ(world.put(answer_object(device_chain(world.gpu), kRevoked)), Code::ok);
  EXPECT_EQ(world.enter(with({world.gpu})), Code::evidence_revoked);
}

TEST(Gpus, ARevokedDeviceTakesItsInstanceOut) {
  World world;
  ASSERT_EQ(world.enter(with({world.gpu})), Code::ok);
  ASSERT_EQ(world.put(answer_object(device_chain(world.gpu), kRevoked)), Code::ok);
  EXPECT_EQ(world.state_of("identity"), InstanceState::revoked);
  EXPECT_GT(world.slashed(), 0u);
}

TEST(Gpus, OneThatIsOnHoldSuspendsAndSlashesNobody) {
  World world;
  ASSERT_EQ(world.enter(with({world.gpu})), Code::ok);
  EXPECT_EQ(world.put(answer_object(device_chain(world.gpu),
                                    {OcspStatus::on_hold, kTestNow - 60, kTestNow + 600})),
            Code::ok);
  EXPECT_EQ(world.state_of("identity"), InstanceState::unverified);
  EXPECT_EQ(world.slashed(), 0u);
}

// By a new signer, since nothing else dates a manifest.
struct Reissue {
  evidence::Authority signer =
      evidence::authority_of({.name = "test signer 2", .from = kTestNow - 600, .ca = false},
                             &evidence::rim::hierarchy().issuing);
  Scenario gpu;
  Reissue() {
    gpu.driver.chain.front() = signer.certificate;
    gpu.driver.signer = &signer.key;
  }
  std::vector<Buffer> manifest() const { return {to_buffer(as_bytes(gpu.driver.document()))}; }
  std::vector<Buffer> answer() const { return answer_object(gpu.driver.chain, *gpu.answer); }
};

TEST(Gpus, AManifestIssuedAnewSuspendsOnlyWhereItSaysSomethingElse) {
  const Reissue same;
  Reissue other;
  other.gpu.driver.measurements[0].alternatives.push_back(Buffer(48, 0xAB));
  for (const bool changed : {false, true}) {
    SCOPED_TRACE(changed);
    const Reissue& issued = changed ? other : same;
    World world;
    ASSERT_EQ(world.enter(with({world.gpu})), Code::ok);
    ASSERT_EQ(world.put(issued.answer()), Code::ok);
    ASSERT_EQ(world.put(issued.manifest()), Code::ok);
    EXPECT_EQ(world.state_of("identity"),
              changed ? InstanceState::unverified : InstanceState::active);
    EXPECT_EQ(world.slashed(), 0u);
    EXPECT_EQ(world.put({to_buffer(as_bytes(world.gpu.driver.document()))}),
              Code::collateral_rollback);
    Candidate again = with({world.gpu});
    again.identity = "again";
    EXPECT_EQ(world.enter(again), Code::ok) << "both issues allow what it measures";
  }
}

TEST(Gpus, AManifestWhoseSignerNobodyAnswersForSuspends) {
  World world;
  ASSERT_EQ(world.enter(with({world.gpu})), Code::ok);
  ASSERT_EQ(world.put(Reissue().manifest()), Code::ok);
  EXPECT_EQ(world.state_of("identity"), InstanceState::unverified);
}

// The same date and another statement: the first stays, or two authentic ones could take turns.
TEST(Gpus, AManifestOfTheSameSignerDoesNotTakeTheOthersPlace) {
  World world;
  Scenario reissued = world.gpu;
  reissued.driver.measurements[0].alternatives[0][0] ^= 1;
  EXPECT_EQ(world.put({to_buffer(as_bytes(reissued.driver.document()))}),
            Code::collateral_rollback);
  EXPECT_EQ(world.put({to_buffer(as_bytes(world.gpu.driver.document()))}), Code::ok);
  EXPECT_EQ(world.enter(with({world.gpu})), Code::ok);
}

TEST(Gpus, DevelopmentRootsCountOnlyWhereTheGenesisNamesThem) {
  Genesis genesis = TestLedger::genesis();
  genesis.development_nvidia.clear();
  TestLedger ledger(genesis);
  ledger.skip(kTestNow - ledger.now());
  const Scenario gpu;
  EXPECT_EQ(ledger.put({to_buffer(as_bytes(gpu.driver.document()))}), Code::collateral_unverified);
}

TEST(Gpus, AreAdmittedFromTheReleasedVersionsOn) {
  Genesis genesis = TestLedger::genesis();
  genesis.policy.releases.back().min_driver = "550.91";
  EXPECT_EQ(World(genesis).enter(with({Scenario()})), Code::policy_measurement);
  genesis.policy.releases.back().min_driver = "550.90.07";
  genesis.policy.releases.back().min_firmware = "97";
  EXPECT_EQ(World(genesis).enter(with({Scenario()})), Code::policy_measurement);
  genesis.policy.releases.pop_back();
  EXPECT_EQ(World(genesis).enter(with({Scenario()})), Code::policy_measurement);
}

// From what the ledger keeps of it, without its evidence.
TEST(Gpus, AreJudgedAgainWhenTheReleasedVersionsRise) {
  World world;
  ASSERT_EQ(world.enter(with({world.gpu})), Code::ok);
  const Platform gpu = world.instance("identity")->platforms[1];
  const auto verifier = make_verifier();
  NetworkPolicy policy = TestLedger::genesis().policy;
  EXPECT_EQ(verifier->reassess(gpu, policy, 1), Code::ok);
  policy.releases.back().min_driver = "550.91";
  EXPECT_EQ(verifier->reassess(gpu, policy, 1), Code::policy_measurement);
  policy.releases.back().min_driver = "";
  policy.releases.back().min_firmware = "97";
  EXPECT_EQ(verifier->reassess(gpu, policy, 1), Code::policy_measurement);
}

TEST(Gpus, AKindOfPlatformThatIsPausedIsNotAdmitted) {
  Genesis genesis = TestLedger::genesis();
  genesis.policy.paused_formats = {kNvidiaGpuFormat};
  World world(genesis);
  EXPECT_EQ(world.enter(with({world.gpu})), Code::policy_paused);
  EXPECT_EQ(world.enter({}), Code::ok);
}

}  // namespace
}  // namespace cloister::ledger
