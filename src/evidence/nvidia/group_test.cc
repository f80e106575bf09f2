#include "evidence/nvidia/group.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "evidence/common/cases_testing.h"
#include "evidence/nvidia/scenario_testing.h"

namespace cloister::evidence::nvidia {
namespace {

// --- recorded: eight GPUs and four switches of one machine
// -----------------------------------------

struct RecordedGroup {
  std::vector<NvidiaGroupMember> members;
  Collateral collateral;
  Buffer nonce;
};

void add_recorded(RecordedGroup& group, const std::filesystem::path& file, DeviceKind kind) {
  const auto devices = parse_json(as_text(read_file(file)), {.max_bytes = 1 << 20});
  for (const JsonValue& each : *devices->array()) {
    group.members.push_back({kind, *from_base64(*each["evidence"].string())});
    ASSERT_TRUE(group.collateral.add(*from_base64(*each["certificate"].string())));
    group.nonce = *from_hex(*each["nonce"].string());
  }
}

class Recorded : public testing::Test {
 protected:
  void SetUp() override {
    const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
    if (!vectors) GTEST_SKIP() << "the vectors are not here";
    add_recorded(group_, *vectors / "nvidia/ppcie_gpu.json", DeviceKind::gpu);
    add_recorded(group_, *vectors / "nvidia/ppcie_switch.json", DeviceKind::nvswitch);
    policy_.allow_no_rim = policy_.allow_no_revocation = true;
    binding_ = Binding::nonce(group_.nonce);
  }
  NvidiaGroupVerification judge(NvidiaGroupSize size = {8, 4}) const {
    return verify_nvidia_group(group_.members, size, group_.collateral, policy_, binding_,
                               1746057600);
  }
  RecordedGroup group_;
  VerifyPolicy policy_;
  Binding binding_ = Binding::not_compared();
};

TEST_F(Recorded, AWholeMachineIsAccepted) {
  const auto got = judge();
  EXPECT_TRUE(got.accepted()) << got.detail;
  EXPECT_EQ(got.devices.size(), 12u);
}

TEST_F(Recorded, AMissingDeviceIsRefused) {
  group_.members.erase(group_.members.begin() + 3);
  EXPECT_EQ(judge().error, Error::identity_mismatch);  // the switches name it
  EXPECT_EQ(judge({7, 4}).error, Error::identity_mismatch);
}

TEST_F(Recorded, GpusWithoutTheirSwitchesAreRefused) {
  group_.members.resize(8);
  EXPECT_EQ(judge({8, 4}).error, Error::policy_denied);
  EXPECT_EQ(judge({8, 0}).error, Error::policy_denied);
}

TEST_F(Recorded, ADeviceTwiceIsRefused) {
  group_.members[1] = group_.members[0];
  EXPECT_EQ(judge().error, Error::identity_mismatch);
}

TEST_F(Recorded, OneFaultIsNotHiddenByTheOthersWhereverItStands) {
  for (size_t i = 0; i < group_.members.size(); ++i) {
    const Buffer kept = group_.members[i].report;
    group_.members[i].report[60] ^= 1;
    const auto got = judge();
    EXPECT_EQ(got.error, Error::bad_signature) << i;
    for (size_t j = 0; j < got.devices.size(); ++j) {
      EXPECT_EQ(got.devices[j].verified.has_value(), j != i) << i << " " << j;
    }
    group_.members[i].report = kept;
  }
}

TEST_F(Recorded, ADeviceThatAnswersAnotherNonceIsRefused) {
  group_.nonce[0] ^= 1;
  binding_ = Binding::nonce(group_.nonce);
  EXPECT_EQ(judge().error, Error::nonce_mismatch);
}

TEST_F(Recorded, NoDevicesAreRefused) {
  group_.members.clear();
  EXPECT_EQ(judge({0, 0}).error, Error::malformed);
}

// --- under a test hierarchy
// ------------------------------------------------------------------------

// Two GPUs and a switch between them, of which a test bends one.
struct Machine {
  Machine() {
    for (uint8_t i = 0; i < 2; ++i) {
      Scenario gpu = with({.serial = {0x41, 3, 0, 0, 0, 0, 0, 0, i}});
      field(gpu.opaque, 36) = {2, 0};
      field(gpu.opaque, 22) = {1, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 2};
      devices.push_back(std::move(gpu));
    }
    Scenario fabric =
        with({.chip = "LS_10", .processor = "FSP", .serial = {0x50, 2, 0, 0, 0, 0, 0, 0, 1}});
    fabric.kind = DeviceKind::nvswitch;
    fabric.opaque = switch_fields();
    field(fabric.opaque, 22) = {2, 0, 0, 0, 0, 0, 0, 1};
    Buffer gpus(128, 0xFF);
    std::fill_n(gpus.begin(), 16, uint8_t{0});
    gpus[0] = gpus[8] = 3;
    gpus[15] = 1;
    field(fabric.opaque, 26) = gpus;
    devices.push_back(std::move(fabric));
    policy = devices[0].policy;
    policy.allow_no_rim = true;
  }
  static Scenario with(const DeviceForm& form) {
    Scenario s;
    s.device = std::make_shared<const Device>(make_device(form));
    s.signer = &s.device->leaf.key;
    s.chain = {s.device->leaf.certificate, s.device->device.certificate,
               s.device->provisioner.certificate, s.device->identity.certificate,
               rim::hierarchy().root.certificate};
    s.with_driver = s.with_vbios = false;
    return s;
  }
  NvidiaGroupVerification judge() const {
    std::vector<NvidiaGroupMember> members;
    Collateral all;
    for (const Scenario& each : devices) {
      members.push_back({each.kind, each.report()});
      const Collateral one = each.collateral();
      all.certificates.insert(all.certificates.end(), one.certificates.begin(),
                              one.certificates.end());
      all.ocsp_responses.push_back(one.ocsp_responses.front());
    }
    all.rims = rims;
    return verify_nvidia_group(members, size, all, policy, binding, kNow);
  }

  std::vector<Scenario> devices;
  Binding binding = Binding::nonce(Buffer(32, 0x11));
  NvidiaGroupSize size{2, 1};
  std::vector<std::string> rims;
  VerifyPolicy policy;
};

TEST(Group, AnAnswerThatNobodyFilledIsNoAcceptance) {
  EXPECT_FALSE(NvidiaGroupVerification().accepted());
}

TEST(Group, TheUnbentMachineIsAccepted) {
  const auto got = Machine().judge();
  EXPECT_TRUE(got.accepted()) << got.detail;
}

TEST(Group, Rules) {
  struct FaultCase {
    const char* name;
    Error want;
    std::function<void(Machine&)> spoil;
  };
  const FaultCase cases[] = {
      {"a GPU on another switch", Error::identity_mismatch,
       [](Machine& m) { field(m.devices[1].opaque, 22)[0] = 9; }},
      {"a GPU on one switch more", Error::identity_mismatch,
       [](Machine& m) { field(m.devices[1].opaque, 22)[8] = 9; }},
      {"a GPU on no switch", Error::identity_mismatch,
       [](Machine& m) { remove(m.devices[0].opaque, 22); }},
      {"a switch with another GPU", Error::identity_mismatch,
       [](Machine& m) { field(m.devices[2].opaque, 26)[0] = 9; }},
      {"a switch with one GPU more", Error::identity_mismatch,
       [](Machine& m) { field(m.devices[2].opaque, 26)[16] = 9; }},
      {"a switch that calls itself otherwise", Error::identity_mismatch,
       [](Machine& m) { field(m.devices[2].opaque, 22)[0] = 9; }},
      {"a switch that does not say its name", Error::identity_mismatch,
       [](Machine& m) { remove(m.devices[2].opaque, 22); }},
      {"another number of GPUs", Error::policy_denied, [](Machine& m) { m.size.gpus = 3; }},
      {"another number of switches", Error::policy_denied, [](Machine& m) { m.size.switches = 2; }},
      {"feature flags that differ", Error::policy_denied,
       [](Machine& m) { field(m.devices[1].opaque, 36) = {0, 0}; }},
      {"one GPU without a feature flag", Error::policy_denied,
       [](Machine& m) { remove(m.devices[1].opaque, 36); }},
      {"switches without protected PCIe", Error::policy_denied,
       [](Machine& m) {
         for (size_t i = 0; i < 2; ++i) field(m.devices[i].opaque, 36) = {1, 0};
       }},
      {"a GPU whose revocation is known", Error::revoked,
       [](Machine& m) {
         m.devices[1].answer = crypto::OcspAnswer{crypto::OcspStatus::revoked, kNow - 1, kNow + 1};
       }},
  };
  for (const FaultCase& c : cases) {
    SCOPED_TRACE(c.name);
    Machine machine;
    c.spoil(machine);
    const auto got = machine.judge();
    ASSERT_TRUE(got.error);
    EXPECT_EQ(name(*got.error), name(c.want)) << got.detail;
  }
}

TEST(Group, DevicesThatAnswerDifferentNoncesAreRefusedAlsoWhenNoneIsCompared) {
  Machine m;
  m.binding = Binding::not_compared();
  EXPECT_TRUE(m.judge().accepted()) << m.judge().detail;
  m.devices[1].nonce = Buffer(32, 0x33);
  EXPECT_EQ(m.judge().error, Error::nonce_mismatch);
}

TEST(Group, GpusOfTwoArchitecturesAreRefused) {
  Machine m;
  m.devices.pop_back();
  m.size = {2, 0};
  for (Scenario& each : m.devices) field(each.opaque, 36) = {1, 0};
  ASSERT_TRUE(m.judge().accepted()) << m.judge().detail;
  Scenario blackwell = Machine::with({.chip = "GB100", .serial = {0x41, 7, 7, 7, 7, 7, 7, 7, 7}});
  blackwell.opaque = m.devices[1].opaque;
  m.devices[1] = blackwell;
  EXPECT_EQ(m.judge().error, Error::identity_mismatch);
}

TEST(Group, AManifestOfTheSwitchIsNotAskedOfTheGpus) {
  Machine m;
  rim::Scenario bios;
  bios.version = "96.10.55.00.01";
  bios.product = "LS10";
  bios.edition = "SWITCH";
  bios.measurements = {{0, {m.devices[2].blocks[0].value}}};
  m.rims = {bios.document()};
  m.policy.allow_no_revocation = true;
  EXPECT_TRUE(m.judge().accepted()) << m.judge().detail;
}

}  // namespace
}  // namespace cloister::evidence::nvidia
