#include "evidence/sim/amd.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "evidence/snp/verify.h"

namespace cloister::evidence::sim {
namespace {

constexpr UnixSeconds kNow = 1'800'000'000;

class AmdSim : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "amd_sim_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static const AmdSimulator& simulator() {
    static const AmdSimulator made = AmdSimulator::create(AmdProduct::milan, kNow);
    return made;
  }

  static Verification judge(const AmdSimulator& issuer, const TrustAnchors& anchors) {
    SnpParameters guest;
    guest.chip = kAmdChips - 1;
    guest.measurement.fill(7);
    Collateral collateral;
    for (const auto& [name, file] : issuer.collateral(guest.chip, kNow)) {
      EXPECT_TRUE(collateral.add(file)) << name;
    }
    VerifyPolicy policy;
    policy.anchors = anchors;
    return verify_snp_report(issuer.report(guest, {}), collateral, policy,
                             Binding::report_data(Fixed<64>{}), kNow);
  }

  std::filesystem::path folder_;
};

TEST_F(AmdSim, AcceptedOnlyUnderItsOwnDevelopmentAnchor) {
  TrustAnchors anchors = vendor_anchors();
  EXPECT_EQ(judge(simulator(), anchors).appraisal.error, Error::wrong_chain);
  anchors.development_intel = {simulator().ark_spki()};
  EXPECT_EQ(judge(simulator(), anchors).appraisal.error, Error::wrong_chain);
  anchors.development_amd = {simulator().ark_spki()};
  const auto out = judge(simulator(), anchors);
  ASSERT_TRUE(out.verified) << out.appraisal.detail;
  EXPECT_TRUE(out.verified->development());
  EXPECT_EQ(out.verified->product(), "Milan");
}

TEST_F(AmdSim, LoadingGivesTheSameHierarchy) {
  ASSERT_TRUE(simulator().save(folder_ / "amd"));
  const auto loaded = AmdSimulator::load(folder_ / "amd");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->ark_spki(), simulator().ark_spki());
  EXPECT_EQ(loaded->chip_id(3), simulator().chip_id(3));
  TrustAnchors anchors;
  anchors.development_amd = {simulator().ark_spki()};
  EXPECT_TRUE(judge(*loaded, anchors).verified);
}

TEST_F(AmdSim, FilesBelongToTheirOwnerAlone) {
  ASSERT_TRUE(simulator().save(folder_ / "amd"));
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "amd")) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u) << entry.path();
    ++count;
  }
  EXPECT_EQ(count, 2u * (2u + kAmdChips));
}

TEST_F(AmdSim, BrokenOrMixedFoldersDoNotLoad) {
  EXPECT_FALSE(AmdSimulator::load(folder_ / "absent"));
  ASSERT_TRUE(simulator().save(folder_));
  std::filesystem::copy_file(folder_ / "vcek_0.pem", folder_ / "vcek_1.pem",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(AmdSimulator::load(folder_));  // key and certificate of two chips
  ASSERT_TRUE(simulator().save(folder_));
  ASSERT_TRUE(AmdSimulator::load(folder_));
  std::ofstream(folder_ / "ask_key.pem") << "not a key";
  EXPECT_FALSE(AmdSimulator::load(folder_));
}

TEST_F(AmdSim, ChipsDifferWithinAndBetweenHierarchies) {
  EXPECT_NE(simulator().chip_id(0), simulator().chip_id(1));
  SnpParameters first, second;
  second.chip = 1;
  const Buffer a = simulator().report(first, {}), b = simulator().report(second, {});
  EXPECT_EQ(a.size(), 0x4A0u);
  EXPECT_FALSE(equal(Bytes(a).subspan(0x1A0, 64), Bytes(b).subspan(0x1A0, 64)));
}

}  // namespace
}  // namespace cloister::evidence::sim
