#include <gmock/gmock.h>

#include "base/text.h"
#include "evidence/common/cases_testing.h"
#include "evidence/common/faults_testing.h"
#include "evidence/common/version_floor.h"
#include "evidence/nvidia/scenario_testing.h"

namespace cloister::evidence::nvidia {
namespace {

using crypto::OcspAnswer;
using crypto::OcspStatus;

void use(Scenario& s, const std::shared_ptr<const Device>& device) {
  s.device = device;
  s.signer = &device->leaf.key;
  s.chain = {device->leaf.certificate, device->device.certificate, device->provisioner.certificate,
             device->identity.certificate, rim::hierarchy().root.certificate};
}
std::shared_ptr<const Device> made(const DeviceForm& form) {
  return std::make_shared<const Device>(make_device(form));
}

TEST(Nvidia, EveryCaseHasItsAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  size_t count = 0;
  for (const auto& [format, kind] : {std::pair("nvidia-gpu", DeviceKind::gpu),
                                     std::pair("nvidia-switch", DeviceKind::nvswitch)}) {
    for (const Case& c : load_cases(*vectors, format)) {
      SCOPED_TRACE(c.id);
      ++count;
      const auto got =
          verify_nvidia(kind, c.evidence, *c.gathered(), c.policy, c.binding(), c.time);
      EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
      EXPECT_THAT(differences(c, got.appraisal), testing::IsEmpty());
    }
  }
  EXPECT_EQ(count, 53u);
}

TEST(Nvidia, TheUnbentScenarioIsAcceptedAndGivesTypedClaims) {
  const Scenario s;
  const Verification got = s.judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_TRUE(got.verified->development());
  EXPECT_EQ(got.verified->nonce(), Buffer(32, 0x11));
  EXPECT_EQ(got.verified->platform_id(), (Buffer{0x41, 0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(got.verified->product(), "GH100");
  EXPECT_EQ(got.verified->runtime_measurements().size(), 64u);
  EXPECT_EQ(got.verified->valid_until(), kNow + kHour / 2);
  EXPECT_EQ(got.appraisal.claims["driver_rim"].string(), "match");
  EXPECT_EQ(got.appraisal.claims["vbios_rim"].string(), "match");
  EXPECT_EQ(got.appraisal.claims["feature_flag"].string(), "SPT");
}

TEST(Nvidia, ABlackwellDeviceHasItsIdentityInTcbInfo) {
  Scenario s;
  use(s, made({.chip = "GB100", .tcb_info = true}));
  s.driver.product = s.vbios.product = "GB100";
  const Verification got = s.judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_EQ(got.appraisal.claims["arch"].string(), "BLACKWELL");
}

TEST(Nvidia, FirmwareThatReportsNoFwidIsAccepted) {
  Scenario s;
  remove(s.opaque, 20);
  EXPECT_TRUE(s.judge().verified);
}

TEST(Nvidia, Form) {
  expect_refusals_of<Scenario>({
      {"a request of SPDM 1.2", Error::unsupported, [](Scenario& s) { s.request_version = 0x12; }},
      {"a response of SPDM 1.0", Error::unsupported,
       [](Scenario& s) { s.response_version = 0x10; }},
      {"another request", Error::malformed, [](Scenario& s) { s.request_code = 0xE1; }},
      {"no signature requested", Error::malformed, [](Scenario& s) { s.request_attributes = 0; }},
      {"one measurement requested", Error::malformed, [](Scenario& s) { s.operation = 1; }},
      {"another response", Error::malformed, [](Scenario& s) { s.response_code = 0x61; }},
      {"no measurements", Error::malformed, [](Scenario& s) { s.blocks.clear(); }},
      {"a block fewer than counted", Error::malformed, [](Scenario& s) { s.count = 65; }},
      {"a block more than counted", Error::malformed, [](Scenario& s) { s.count = 63; }},
      {"a count of zero", Error::malformed, [](Scenario& s) { s.count = 0; }},
      {"an index twice", Error::malformed,
       [](Scenario& s) {
         s.keep_indices = true;
         for (size_t i = 0; i < 64; ++i) s.blocks[i].index = static_cast<uint8_t>(i + 1);
         s.blocks[5].index = 5;
       }},
      {"indices from zero", Error::malformed,
       [](Scenario& s) {
         s.keep_indices = true;
         for (size_t i = 0; i < 64; ++i) s.blocks[i].index = static_cast<uint8_t>(i);
       }},
      {"another specification", Error::malformed,
       [](Scenario& s) { s.blocks[3].specification = 2; }},
      {"a raw measurement", Error::malformed, [](Scenario& s) { s.blocks[3].kind = 0x81; }},
      {"a block of another size", Error::malformed, [](Scenario& s) { s.blocks[3].size = 52; }},
      {"a value of 32 bytes", Error::malformed,
       [](Scenario& s) {
         s.blocks[3].value.resize(32);
         s.blocks[3].value_size = 32;
         s.blocks[3].size = 35;
       }},
      {"a record that ends early", Error::malformed, [](Scenario& s) { s.record_bytes = 3519; }},
      {"a record past the end", Error::malformed, [](Scenario& s) { s.record_bytes = 0xFFFFFF; }},
      {"opaque data past the end", Error::malformed, [](Scenario& s) { s.opaque_bytes = 4000; }},
      {"opaque data cut within a field", Error::malformed,
       [](Scenario& s) { s.opaque_bytes = 20; }},
      {"a byte after the signature", Error::malformed,
       [](Scenario& s) { s.bend_report = [](Buffer& r) { r.push_back(0); }; }},
      {"a byte of the signature missing", Error::malformed,
       [](Scenario& s) { s.bend_report = [](Buffer& r) { r.pop_back(); }; }},
  });
}

TEST(Nvidia, OpaqueData) {
  expect_refusals_of<Scenario>({
      {"a field twice", Error::malformed,
       [](Scenario& s) { s.opaque.push_back({3, to_buffer(as_bytes("580.00"))}); }},
      {"a field that is invalid", Error::malformed,
       [](Scenario& s) { s.opaque.push_back({255, {}}); }},
      {"65 fields", Error::malformed,
       [](Scenario& s) {
         for (uint16_t i = 0; i < 60; ++i) s.opaque.push_back({static_cast<uint16_t>(100 + i), {}});
       }},
      {"opaque version 2", Error::unsupported, [](Scenario& s) { field(s.opaque, 34) = {2, 0}; }},
      {"an opaque version of one byte", Error::malformed,
       [](Scenario& s) { field(s.opaque, 34) = {1}; }},
      {"feature flag 3", Error::unsupported, [](Scenario& s) { field(s.opaque, 36) = {3, 0}; }},
      {"NVDEC0 that is neither on nor off", Error::malformed,
       [](Scenario& s) { field(s.opaque, 11) = {0}; }},
      {"protected PCIe that is neither", Error::malformed,
       [](Scenario& s) { field(s.opaque, 21) = {0xAB}; }},
      {"no driver", Error::malformed, [](Scenario& s) { remove(s.opaque, 3); }},
      {"a driver of zeros", Error::malformed, [](Scenario& s) { field(s.opaque, 3) = Buffer(8); }},
      {"text after the end of a text", Error::malformed,
       [](Scenario& s) { field(s.opaque, 3) = {'5', 0, '6'}; }},
      {"a driver that is not printable", Error::malformed,
       [](Scenario& s) { field(s.opaque, 3) = {'5', 7, 0}; }},
      {"a long text", Error::malformed, [](Scenario& s) { field(s.opaque, 17) = Buffer(65, 'x'); }},
      {"no VBIOS", Error::malformed, [](Scenario& s) { remove(s.opaque, 6); }},
      {"a VBIOS of seven bytes", Error::malformed,
       [](Scenario& s) { field(s.opaque, 6).resize(7); }},
      {"an FWID of 32 bytes", Error::malformed,
       [](Scenario& s) { field(s.opaque, 20).resize(32); }},
      {"switches of nine bytes", Error::malformed,
       [](Scenario& s) { field(s.opaque, 22) = Buffer(9); }},
      {"a GPU judged as a switch", Error::malformed,
       [](Scenario& s) { s.kind = DeviceKind::nvswitch; }},
  });
}

TEST(Nvidia, Collateral) {
  expect_refusals_of<Scenario>({
      {"no certificates", Error::collateral_missing,
       [](Scenario& s) { s.bend_collateral = [](auto& c) { c.certificates.clear(); }; }},
      {"no leaf", Error::collateral_missing,
       [](Scenario& s) {
         s.bend_collateral = [](auto& c) { c.certificates.erase(c.certificates.begin()); };
       }},
      {"no OCSP answers", Error::collateral_missing, [](Scenario& s) { s.answer.reset(); }},
      {"OCSP answers about the manifests only", Error::collateral_missing,
       [](Scenario& s) {
         s.bend_collateral = [](auto& c) { c.ocsp_responses.erase(c.ocsp_responses.begin()); };
       }},
      {"OCSP answers about the device only", Error::collateral_missing,
       [](Scenario& s) { s.bend_collateral = [](auto& c) { c.ocsp_responses.resize(1); }; }},
      {"no driver manifest", Error::collateral_missing, [](Scenario& s) { s.with_driver = false; }},
      {"no VBIOS manifest", Error::collateral_missing, [](Scenario& s) { s.with_vbios = false; }},
      {"a manifest that does not parse", Error::malformed,
       [](Scenario& s) { s.bend_collateral = [](auto& c) { c.rims.push_back("<a/>"); }; }},
      {"a driver manifest of another version", Error::collateral_mismatch,
       [](Scenario& s) { s.driver.version = "550.90.08"; }},
      {"a driver manifest of a version of which ours is a prefix", Error::collateral_mismatch,
       [](Scenario& s) { s.driver.version = "550.90.070"; }},
      {"a VBIOS manifest of another version", Error::collateral_mismatch,
       [](Scenario& s) { s.vbios.version = "96.74.00.1C.01"; }},
      {"a VBIOS manifest of another chip", Error::collateral_mismatch,
       [](Scenario& s) { s.vbios.product = "GB100"; }},
      {"a manifest of a switch", Error::collateral_mismatch,
       [](Scenario& s) { s.vbios.edition = "SWITCH"; }},
      {"a manifest of another version although none is waived", Error::collateral_mismatch,
       [](Scenario& s) {
         s.policy.allow_no_rim = true;
         s.vbios.version = "96.74.00.1C.01";
       }},
      {"a manifest whose signature is bad", Error::bad_signature,
       [](Scenario& s) {
         s.vbios.bend_document = [](std::string& d) { d.insert(d.find("<n:Meta"), " "); };
       }},
      {"a manifest whose signer has ended", Error::expired,
       [](Scenario& s) {
         s.driver.chain[0] = certificate_of({.name = "test signer", .until = kNow - 1, .ca = false},
                                            rim::hierarchy().signer.key, &rim::hierarchy().issuing);
       }},
  });
}

TEST(Nvidia, Chain) {
  static const auto other = made({.serial = {0x41, 9, 9, 9, 9, 9, 9, 9, 9}});
  static const auto unknown_chip = made({.chip = "GA100"});
  static const auto switch_device = made({.chip = "LS_10", .processor = "FSP"});
  static const auto short_serial = made({.serial = {1, 2, 3}});
  static const Authority stranger = authority_of({.name = "stranger"}, nullptr);
  const Device& d = *Scenario().device;
  const auto leaf_with = [&](CertificateForm form) {
    return [=, &d](Scenario& s) { s.chain[0] = certificate_of(form, d.leaf.key, &d.device); };
  };
  const auto fwid = fwid_extension(Fixed<48>{7}, false);
  const auto short_fwid = [&] {
    auto out = fwid;
    out.value.pop_back();
    return out;
  }();
  expect_refusals_of<Scenario>({
      {"the root is not pinned", Error::wrong_chain,
       [](Scenario& s) { s.policy.anchors.development_nvidia.clear(); }},
      {"the root of manifests instead", Error::wrong_chain,
       [](Scenario& s) {
         s.policy.anchors.nvidia_rim_root = s.policy.anchors.development_nvidia;
         s.policy.anchors.development_nvidia.clear();
       }},
      {"four certificates", Error::wrong_chain,
       [](Scenario& s) { s.bend_collateral = [](auto& c) { c.certificates.pop_back(); }; }},
      {"no provisioner", Error::wrong_chain,
       [](Scenario& s) {
         s.bend_collateral = [](auto& c) { c.certificates.erase(c.certificates.begin() + 2); };
       }},
      {"a provisioner that another signed", Error::wrong_chain,
       [&d](Scenario& s) {
         s.chain[2] = certificate_of({.name = "NVIDIA GH100 Provisioner ICA 1"}, d.provisioner.key,
                                     &stranger);
       }},
      {"a leaf that another signed", Error::wrong_chain,
       [&d, fwid](Scenario& s) {
         s.chain[0] =
             certificate_of({.name = "GH100 A01 GSP FMC LF", .ca = false, .extensions = {fwid}},
                            d.leaf.key, &d.provisioner);
       }},
      {"a chip that is not known", Error::wrong_chain, [](Scenario& s) { use(s, unknown_chip); }},
      {"a switch's chain for a GPU", Error::wrong_chain,
       [](Scenario& s) { use(s, switch_device); }},
      {"a leaf of another chip", Error::wrong_chain,
       leaf_with({.name = "GB100 A01 GSP FMC LF", .ca = false, .extensions = {fwid}})},
      {"a leaf of another role", Error::wrong_chain,
       leaf_with({.name = "GH100 A01 GSP BROM", .ca = false, .extensions = {fwid}})},
      {"a leaf whose identity is cut", Error::wrong_chain,
       leaf_with({.name = "GH100 A01 GSP FMC LF", .ca = false, .extensions = {short_fwid}})},
      {"a leaf with a critical extension", Error::wrong_chain,
       leaf_with({.name = "GH100 A01 GSP FMC LF",
                  .ca = false,
                  .extensions = {fwid, {"1.2.3.4", true, {5, 0}}}})},
      {"a leaf without identity", Error::collateral_missing,
       leaf_with({.name = "GH100 A01 GSP FMC LF", .ca = false})},
      {"a device with a short serial", Error::wrong_chain,
       [](Scenario& s) { use(s, short_serial); }},
      {"a leaf that has not begun", Error::not_yet_valid,
       leaf_with(
           {.name = "GH100 A01 GSP FMC LF", .from = kNow + 1, .ca = false, .extensions = {fwid}})},
      {"a leaf that has ended", Error::expired,
       leaf_with(
           {.name = "GH100 A01 GSP FMC LF", .until = kNow - 1, .ca = false, .extensions = {fwid}})},
      {"revoked", Error::revoked,
       [](Scenario& s) { s.answer = OcspAnswer{OcspStatus::revoked, kNow - 1, kNow + 1}; }},
      {"on hold", Error::revoked,
       [](Scenario& s) { s.answer = OcspAnswer{OcspStatus::on_hold, kNow - 1, kNow + 1}; }},
      {"an OCSP answer that has ended", Error::expired,
       [](Scenario& s) { s.answer = OcspAnswer{OcspStatus::good, kNow - 2, kNow - 1}; }},
      {"another device's chain", Error::bad_signature,
       [](Scenario& s) {
         const auto* signer = s.signer;
         use(s, other);
         s.signer = signer;
       }},
      {"signed by the device instead of its firmware", Error::bad_signature,
       [&d](Scenario& s) { s.signer = &d.device.key; }},
  });
}

TEST(Nvidia, TheLowestClassOfSeveralFaultsIsTheVerdict) {
  Scenario s;
  s.bend_report = [](Buffer& r) { r[60] ^= 1; };
  EXPECT_EQ(s.judge().appraisal.error, Error::bad_signature);
  s.vbios.version = "96.74.00.1C.01";
  EXPECT_EQ(s.judge().appraisal.error, Error::collateral_mismatch);
  s.answer = OcspAnswer{OcspStatus::revoked, kNow - 1, kNow + 1};
  EXPECT_EQ(s.judge().appraisal.error, Error::revoked);
  s.now = kNow + 2 * kHour;
  EXPECT_EQ(s.judge().appraisal.error, Error::expired);
  s.policy.anchors.development_nvidia.clear();
  EXPECT_EQ(s.judge().appraisal.error, Error::wrong_chain);
  s.with_driver = false;
  EXPECT_EQ(s.judge().appraisal.error, Error::collateral_missing);
}

TEST(Nvidia, Measurements) {
  expect_refusals_of<Scenario>({
      {"another FWID", Error::identity_mismatch,
       [](Scenario& s) { field(s.opaque, 20) = Buffer(48, 9); }},
      {"a driver below the floor", Error::policy_denied,
       [](Scenario& s) { s.policy.min_nvidia_driver = "550.100"; }},
      {"a VBIOS below the floor", Error::policy_denied,
       [](Scenario& s) { s.policy.min_nvidia_vbios = "96.74.00.1D.00"; }},
      {"a driver's measurement differs", Error::measurement_mismatch,
       [](Scenario& s) { s.blocks[3].value = Buffer(48, 0xDD); }},
      {"a VBIOS's measurement differs", Error::measurement_mismatch,
       [](Scenario& s) { s.blocks[1].value = Buffer(48, 0xDD); }},
      {"a measurement equals one at another index", Error::measurement_mismatch,
       [](Scenario& s) { std::swap(s.blocks[0].value, s.blocks[3].value); }},
      {"NVDEC0 is on and differs", Error::measurement_mismatch,
       [](Scenario& s) { field(s.opaque, 11) = {0xAA}; }},
      {"NVDEC0 is not mentioned and differs", Error::measurement_mismatch,
       [](Scenario& s) { remove(s.opaque, 11); }},
      {"both manifests measure an index", Error::measurement_mismatch,
       [](Scenario& s) { s.driver.measurements.push_back({0, {s.blocks[0].value}}); }},
      {"an index past the measurements", Error::measurement_mismatch,
       [](Scenario& s) { s.vbios.measurements.push_back({64, {Buffer(48, 64)}}); }},
      {"a manifest with nothing active", Error::measurement_mismatch,
       [](Scenario& s) {
         for (auto& each : s.driver.measurements) each.active = false;
       }},
      {"a manifest with nothing but NVDEC0", Error::measurement_mismatch,
       [](Scenario& s) { s.driver.measurements.erase(s.driver.measurements.begin()); }},
      {"another nonce", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(32, 0x12)); }},
      {"the responder's nonce", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(32, 0x22)); }},
      {"a nonce of which ours is a prefix", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(31, 0x11)); }},
      {"report data, which measurements have not", Error::report_data_mismatch,
       [](Scenario& s) { s.binding = Binding::report_data(Buffer(64, 0x11)); }},
  });
}

TEST(Nvidia, OfTwoManifestsOfOneVersionTheNewerSignerCounts) {
  Scenario s;
  s.vbios.measurements[0].alternatives = {Buffer(48, 0xEE)};
  const auto newer = [&](UnixSeconds from) {
    rim::Scenario reissued = s.vbios;
    reissued.measurements[0].alternatives = {s.blocks[0].value};
    reissued.chain[0] = certificate_of({.name = "test signer", .from = from, .ca = false},
                                       rim::hierarchy().signer.key, &rim::hierarchy().issuing);
    s.bend_collateral = [=](Collateral& c) {
      c.rims.push_back(reissued.document());
      c.ocsp_responses.push_back(rim::ocsp_about(
          reissued.chain, {OcspStatus::good, kNow - 1, kNow + 1}, rim::hierarchy().responder));
    };
    return s.judge().appraisal.error;
  };
  EXPECT_EQ(newer(kNow - 1), std::nullopt);
  EXPECT_EQ(newer(kNow - 2 * kHour), Error::measurement_mismatch);
}

TEST(Nvidia, WaivedManifestsAreSaidToBeAbsent) {
  Scenario s;
  s.with_driver = s.with_vbios = false;
  s.policy.allow_no_rim = true;
  const Verification got = s.judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_EQ(got.appraisal.claims["driver_rim"].string(), "absent");
}

TEST(Nvidia, VersionsAreComparedAsNumbers) {
  EXPECT_TRUE(at_least("550.90.07", ""));
  EXPECT_TRUE(at_least("550.90.07", "550.90.07"));
  EXPECT_TRUE(at_least("550.100", "550.90.07"));
  EXPECT_TRUE(at_least("96.00.9F.00.01", "96.00.74.00.1C"));
  EXPECT_FALSE(at_least("550.90", "550.90.07"));
  EXPECT_FALSE(at_least("535.183", "550"));
  EXPECT_FALSE(at_least("", "550"));
  EXPECT_FALSE(at_least("x", "550"));
  EXPECT_FALSE(at_least("550.", "550"));
  EXPECT_FALSE(at_least("999999999999", "550"));
}

TEST(Nvidia, EveryFlippedByteAndEveryCutOfRealReportsIsRefused) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const auto& [format, kind] : {std::pair("nvidia-gpu", DeviceKind::gpu),
                                     std::pair("nvidia-switch", DeviceKind::nvswitch)}) {
    for (const Case& c : load_cases(*vectors, format)) {
      if (c.id != "gpu-h100-550" && c.id != "gpu-gb100-575" && c.id != "switch-ls10-norim")
        continue;
      SCOPED_TRACE(c.id);
      const Collateral collateral = *c.gathered();
      const auto judge = [&](Bytes bytes) {
        return verify_nvidia(kind, bytes, collateral, c.policy, c.binding(), c.time)
            .appraisal.error;
      };
      expect_every_flip_refused(c.evidence, judge);
      for (size_t size = 0; size < c.evidence.size(); ++size) {
        ASSERT_FALSE(parse_report(kind, Bytes(c.evidence).first(size))) << size;
      }
    }
  }
}

}  // namespace
}  // namespace cloister::evidence::nvidia
