#include "evidence/sim/intel.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/temporary_folder_testing.h"
#include "evidence/dcap/verify.h"

namespace cloister::evidence::sim {
namespace {

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 86'400;
const Fixed<64> kReportData = {1, 2, 3};

const IntelSimulator& simulator() {
  static const IntelSimulator made = IntelSimulator::create(kNow);
  return made;
}

TdxParameters machine() {
  TdxParameters out;
  out.mrtd.fill(0xaa);
  out.mrconfigid.fill(0xbb);
  out.rtmrs[3].fill(0xcc);
  out.platform = 2;
  return out;
}

VerifyPolicy trusting(const Hash32& root) {
  VerifyPolicy policy;
  policy.anchors.development_intel = {root};
  return policy;
}

Verification judge(const Buffer& quote, const Files& files, const VerifyPolicy& policy,
                   UnixSeconds now = kNow) {
  Collateral collateral;
  for (const auto& [name, content] : files) EXPECT_TRUE(collateral.add(content)) << name;
  return dcap::verify_quote(dcap::Tee::tdx, quote, collateral, policy,
                            Binding::report_data(kReportData), now);
}

TEST(IntelSimulator, ItsQuotesPassTheTrueVerifierUnderTheDevelopmentRoot) {
  const auto policy = trusting(simulator().root_spki());
  const auto got =
      judge(simulator().quote(machine(), kReportData), simulator().collateral(kNow), policy);
  ASSERT_TRUE(got.appraisal.accepted()) << got.appraisal.detail;
  EXPECT_TRUE(got.appraisal.development);
  EXPECT_EQ(got.appraisal.status, TcbStatus::up_to_date);
  EXPECT_TRUE(got.appraisal.advisories.empty());
  const VerifiedEvidence& verified = *got.verified;
  EXPECT_TRUE(verified.development());
  EXPECT_EQ(verified.report_data(), to_buffer(kReportData));
  EXPECT_EQ(verified.measurement(), Buffer(48, 0xaa));
  EXPECT_EQ(verified.configuration(), Buffer(48, 0xbb));
  ASSERT_EQ(verified.runtime_measurements().size(), 4u);
  EXPECT_EQ(verified.runtime_measurements()[3], Buffer(48, 0xcc));
  EXPECT_EQ(verified.platform_id(), to_buffer(simulator().platform(2).ppid));
  EXPECT_EQ(verified.product(), "TDX");
  EXPECT_EQ(verified.tcb_evaluation_number(), 18u);
  EXPECT_EQ(verified.valid_until(), kNow + 30 * kDay - 1);  // the revocation lists end first
}

TEST(IntelSimulator, ItsQuotesAreRefusedUnderTheVendorsRoots) {
  const Buffer quote = simulator().quote(machine(), kReportData);
  const auto got = judge(quote, simulator().collateral(kNow), {});
  EXPECT_EQ(got.appraisal.error, Error::wrong_chain);
  EXPECT_FALSE(got.appraisal.development);
}

TEST(IntelSimulator, EachPlatformHasItsOwnIdentity) {
  std::vector<Fixed<16>> seen;
  for (uint32_t i = 0; i < kIntelPlatforms; ++i) {
    const Fixed<16> ppid = simulator().platform(i).ppid;
    EXPECT_EQ(std::count(seen.begin(), seen.end(), ppid), 0);
    seen.push_back(ppid);
  }
  EXPECT_NE(IntelSimulator::create(kNow).platform(0).ppid, seen[0]);
}

TEST(IntelSimulator, SavedKeysLoadPrivatelyAndQuoteAsBefore) {
  TemporaryFolder folder;
  ASSERT_TRUE(simulator().save(folder.path()));
  struct stat key{};
  ASSERT_EQ(::stat((folder.path() / "intel_root_key.pem").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 0777, 0600u);

  const auto loaded = IntelSimulator::load(folder.path());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->root_spki(), simulator().root_spki());
  EXPECT_EQ(loaded->platform(2).ppid, simulator().platform(2).ppid);
  const auto got = judge(loaded->quote(machine(), kReportData), simulator().collateral(kNow),
                         trusting(simulator().root_spki()));
  EXPECT_TRUE(got.appraisal.accepted()) << got.appraisal.detail;
}

TEST(IntelSimulator, MixedOrMissingFilesDoNotLoad) {
  TemporaryFolder folder;
  EXPECT_FALSE(IntelSimulator::load(folder.path()));
  ASSERT_TRUE(simulator().save(folder.path()));
  const auto pck = folder.path() / "intel_pck_5_key.pem";
  const auto content = read_private_file(pck);
  ASSERT_TRUE(content);
  std::filesystem::remove(pck);
  EXPECT_FALSE(IntelSimulator::load(folder.path()));

  const IntelSimulator other = IntelSimulator::create(kNow);
  TemporaryFolder elsewhere;
  ASSERT_TRUE(other.save(elsewhere.path()));
  for (const char* name : {"intel_pck_5_key.pem", "intel_pck_5.pem"}) {
    std::filesystem::copy_file(elsewhere.path() / name, folder.path() / name,
                               std::filesystem::copy_options::overwrite_existing);
  }
  EXPECT_FALSE(IntelSimulator::load(folder.path()));
}

}  // namespace
}  // namespace cloister::evidence::sim
