// Product lines, report versions and key kinds of which no recorded report exists: the true
// layouts, signed under a simulated hierarchy.
#include <gtest/gtest.h>

#include "evidence/snp/hierarchy_testing.h"
#include "evidence/snp/report.h"

namespace cloister::evidence {
namespace {

using Values = std::map<std::string, Buffer>;  // arc below AMD's -> extension value

Buffer integer(uint8_t value) {
  return {0x02, 1, value};
}

Buffer ia5_string(std::string_view text) {
  return ByteWriter().u8(0x16).u8(static_cast<uint8_t>(text.size())).text(text).take();
}

// A report, its chain of two authorities and its key's certificate, all of which a test may bend.
struct Layout {
  std::string ark_name, ask_name, vek_name;
  Values extensions;
  Buffer report = sim::encode_report(sim::AmdProduct::genoa, {}, genoa().chip_id(0), {});

  void put(size_t at, Bytes bytes) { std::copy(bytes.begin(), bytes.end(), report.data() + at); }
  void put_tcb(const snp::Tcb& tcb) {
    for (size_t at : {0x38u, 0x180u, 0x1E0u, 0x1F0u}) put(at, tcb);
  }
  VerifyPolicy policy{};

  Verification verify() const;
};

std::vector<crypto::IssueExtension> amd_extensions(const Values& values) {
  std::vector<crypto::IssueExtension> out;
  for (const auto& [arc, value] : values) {
    out.push_back({"1.3.6.1.4.1.3704.1." + arc, false, value});
  }
  return out;
}

Verification Layout::verify() const {
  const sim::AmdAuthority ark{
      copy_of(genoa().ark_for_testing().key),
      issue_any(ark_name, genoa().ark_for_testing().key, nullptr, [](auto& r) { r.ca = true; })};
  const sim::AmdAuthority ask{copy_of(genoa().ask_for_testing().key),
                              issue_any(ask_name, genoa().ask_for_testing().key, &ark, [](auto& r) {
                                r.ca = true;
                                r.path_length = 0;
                              })};
  const crypto::PrivateKey& key = genoa().vcek_key_for_testing(0);
  Collateral collateral;
  collateral.certificates = {
      issue_any(vek_name, key, &ask, [&](auto& r) { r.extensions = amd_extensions(extensions); }),
      ask.certificate, ark.certificate};
  collateral.crls = {crl_of(ark, kTestNow - kTestDay, kTestNow + kTestDay)};
  VerifyPolicy judged_by = policy;
  judged_by.anchors.development_amd = {genoa().ark_spki()};
  Buffer signed_report = report;
  sim::sign_report(signed_report, key);
  return verify_snp_report(signed_report, collateral, judged_by, Binding::report_data(Fixed<64>{}),
                           kTestNow);
}

Layout genoa_layout() {
  Layout out;
  out.ark_name = "ARK-Genoa";
  out.ask_name = "SEV-Genoa";
  out.vek_name = "SEV-VCEK";
  out.extensions = {{"1", integer(0)},
                    {"2", ia5_string("Genoa")},
                    {"3.1", integer(1)},
                    {"3.2", integer(2)},
                    {"3.3", integer(7)},
                    {"3.4", integer(0)},
                    {"3.5", integer(0)},
                    {"3.6", integer(0)},
                    {"3.7", integer(0)},
                    {"3.8", integer(8)},
                    {"4", to_buffer(genoa().chip_id(0))}};
  out.put_tcb({1, 2, 0, 0, 0, 0, 7, 8});
  return out;
}

Layout turin_layout() {
  Layout out;
  out.ark_name = "ARK-Turin";
  out.ask_name = "SEV-Turin";
  out.vek_name = "SEV-VCEK";
  const Buffer chip = {1, 2, 3, 4, 5, 6, 7, 8};
  out.extensions = {
      {"1", integer(1)},   {"2", ia5_string("Turin")}, {"3.9", integer(9)}, {"3.1", integer(1)},
      {"3.2", integer(2)}, {"3.3", integer(3)},        {"3.5", integer(0)}, {"3.6", integer(0)},
      {"3.7", integer(0)}, {"3.8", integer(8)},        {"4", chip}};
  out.put_tcb({9, 1, 2, 3, 0, 0, 0, 8});
  out.put(0x188, Buffer{0x1A, 0x02});
  out.put(0x1A0, Buffer(64, 0));
  out.put(0x1A0, chip);
  return out;
}

Layout vlek_layout() {
  Layout out = genoa_layout();
  out.ask_name = "SEV-VLEK-Genoa";
  out.vek_name = "SEV-VLEK";
  out.extensions.erase("4");
  out.extensions["5"] = ia5_string("cloud.example");
  out.report[0x48] = 0x04;
  out.put(0x1A0, Buffer(64, 0));
  return out;
}

struct Change {
  const char* name;
  void (*apply)(Layout&);
  std::optional<Error> want;
};

void expect_each(Layout (*make)(), std::initializer_list<Change> changes) {
  for (const Change& change : changes) {
    SCOPED_TRACE(change.name);
    Layout layout = make();
    change.apply(layout);
    const Verification out = layout.verify();
    EXPECT_EQ(out.appraisal.error, change.want) << out.appraisal.detail;
  }
}

TEST(SnpLayouts, Turin) {
  const Verification out = turin_layout().verify();
  ASSERT_TRUE(out.verified) << out.appraisal.detail;
  EXPECT_EQ(out.verified->product(), "Turin");
  expect_each(
      turin_layout,
      {{"wrapped chip id", [](Layout& l) { l.extensions["4"] = {0x04, 8, 1, 2, 3, 4, 5, 6, 7, 8}; },
        std::nullopt},
       {"FMC of other firmware", [](Layout& l) { l.extensions["3.9"] = integer(8); },
        Error::identity_mismatch},
       {"chip id that goes on", [](Layout& l) { l.report[0x1A8] = 1; }, Error::identity_mismatch},
       {"older structure", [](Layout& l) { l.extensions["1"] = integer(0); }, Error::malformed},
       {"structure of the future", [](Layout& l) { l.extensions["1"] = integer(2); },
        Error::unsupported},
       {"counter of the older layout", [](Layout& l) { l.extensions["3.4"] = integer(0); },
        Error::malformed},
       {"no FMC", [](Layout& l) { l.extensions.erase("3.9"); }, Error::malformed},
       {"processor of another line", [](Layout& l) { l.report[0x188] = 0x19; },
        Error::identity_mismatch}});
}

TEST(SnpLayouts, KeyExtensions) {
  expect_each(
      genoa_layout,
      {{"as issued", [](Layout&) {}, std::nullopt},
       {"wrapped chip id",
        [](Layout& l) {
          const Buffer id = to_buffer(genoa().chip_id(0));
          l.extensions["4"] = ByteWriter().u8(0x04).u8(64).bytes(id).take();
        },
        std::nullopt},
       {"raw product name", [](Layout& l) { l.extensions["2"] = to_buffer(as_bytes("Genoa")); },
        std::nullopt},
       {"FMC where none is", [](Layout& l) { l.extensions["3.9"] = integer(0); }, Error::malformed},
       {"long form of a counter", [](Layout& l) { l.extensions["3.1"] = {0x02, 2, 0, 1}; },
        Error::malformed},
       {"negative counter", [](Layout& l) { l.extensions["3.1"] = integer(0x81); },
        Error::malformed},
       {"counter with a tail", [](Layout& l) { l.extensions["3.1"] = {0x02, 1, 1, 0}; },
        Error::malformed},
       {"no counter", [](Layout& l) { l.extensions.erase("3.8"); }, Error::malformed},
       {"short chip id", [](Layout& l) { l.extensions["4"].pop_back(); }, Error::malformed},
       {"a cloud beside the chip",
        [](Layout& l) { l.extensions["5"] = ia5_string("cloud.example"); }, Error::malformed}});
}

TEST(SnpLayouts, LentKeys) {
  const Verification out = vlek_layout().verify();
  ASSERT_TRUE(out.verified) << out.appraisal.detail;
  EXPECT_EQ(out.appraisal.claims["csp_id"].string(), "cloud.example");
  EXPECT_EQ(out.verified->platform_id(), Buffer(64, 0));
  expect_each(
      vlek_layout,
      {{"names a chip", [](Layout& l) { l.report[0x1A0] = 1; }, Error::identity_mismatch},
       {"names no cloud", [](Layout& l) { l.extensions.erase("5"); }, Error::malformed},
       {"chip in the certificate", [](Layout& l) { l.extensions["4"] = Buffer(64, 1); },
        Error::malformed},
       {"another cloud than demanded",
        [](Layout& l) { l.policy.snp.cloud_providers = {"other.example"}; }, Error::policy_denied},
       {"the cloud demanded", [](Layout& l) { l.policy.snp.cloud_providers = {"cloud.example"}; },
        std::nullopt},
       {"intermediate for chips", [](Layout& l) { l.ask_name = "SEV-Genoa"; },
        Error::wrong_chain}});
}

TEST(SnpLayouts, Versions) {
  expect_each(genoa_layout, {{"4", [](Layout& l) { l.report[0] = 4; }, std::nullopt},
                             {"5", [](Layout& l) { l.report[0] = 5; }, std::nullopt},
                             {"4 with a field of 5",
                              [](Layout& l) {
                                l.report[0] = 4;
                                l.report[0x200] = 1;
                              },
                              Error::malformed},
                             {"6", [](Layout& l) { l.report[0] = 6; }, Error::unsupported}});
  Layout five = genoa_layout();
  five.report[0] = 5;
  five.report[0x1F8] = 3;
  five.report[0x201] = 1;
  const Verification out = five.verify();
  ASSERT_TRUE(out.verified);
  EXPECT_EQ(out.appraisal.claims["launch_mitigations"].string(), "0x3");
  EXPECT_EQ(out.appraisal.claims["current_mitigations"].string(), "0x100");
}

}  // namespace
}  // namespace cloister::evidence
