// Manifests and OCSP answers of a test hierarchy of NVIDIA, as a ledger is asked to keep them.
#include <gmock/gmock.h>

#include <algorithm>

#include "evidence/collateral.h"
#include "evidence/nvidia/scenario_testing.h"
#include "evidence/standing.h"

namespace cloister::evidence {
namespace {

using crypto::OcspAnswer;
using crypto::OcspStatus;
using nvidia::answer_object;
using nvidia::Scenario;
using rim::kHour;
using rim::kNow;
using Files = std::vector<Buffer>;
using Held = std::map<CollateralName, Files>;

constexpr OcspAnswer kGood{OcspStatus::good, kNow - kHour, kNow + kHour};

Buffer text(const std::string& document) {
  return to_buffer(as_bytes(document));
}
std::span<const crypto::Certificate> device_chain(const Scenario& s) {
  return std::span(s.chain).subspan(1);
}

std::optional<CollateralError> refusal(const Scenario& s, const Files& files,
                                       UnixSeconds now = kNow) {
  const auto found = verify_collateral(files, s.policy.anchors, now);
  return found ? std::nullopt : std::optional(found.error());
}

TEST(NvidiaCollateral, AManifestIsKnownByItsSubjectAndDatedByItsSigner) {
  Scenario s;
  const auto driver = verify_collateral(Files{text(s.driver.document())}, s.policy.anchors, kNow);
  const auto vbios = verify_collateral(Files{text(s.vbios.document())}, s.policy.anchors, kNow);
  ASSERT_TRUE(driver && vbios);
  EXPECT_EQ(driver->name.kind, CollateralKind::manifest);
  EXPECT_NE(driver->name, vbios->name);
  EXPECT_EQ(driver->issued_at, s.driver.chain.front().not_before());
  EXPECT_EQ(driver->number, 0u);
  EXPECT_TRUE(driver->development);
  s.driver.measurements[0].alternatives[0][0] ^= 1;
  const auto reissued = verify_collateral(Files{text(s.driver.document())}, s.policy.anchors, kNow);
  EXPECT_EQ(reissued->name, driver->name);
}

TEST(NvidiaCollateral, AnAnswerIsKnownByItsCertificateWhateverItSays) {
  const Scenario s;
  const auto good =
      verify_collateral(answer_object(device_chain(s), kGood), s.policy.anchors, kNow);
  ASSERT_TRUE(good) << describe(good.error());
  EXPECT_EQ(good->name.kind, CollateralKind::ocsp_answer);
  EXPECT_EQ(good->issued_at, kNow - kHour);
  EXPECT_EQ(good->next_update, kNow + kHour);
  for (auto status : {OcspStatus::revoked, OcspStatus::on_hold, OcspStatus::unknown}) {
    const auto bad = verify_collateral(answer_object(device_chain(s), {status, kNow - 1, kNow + 1}),
                                       s.policy.anchors, kNow);
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->name, good->name);
  }
  const auto other =
      verify_collateral(answer_object(device_chain(s).subspan(1), kGood), s.policy.anchors, kNow);
  EXPECT_NE(other->name, good->name);
}

TEST(NvidiaCollateral, EachSingleFaultIsRefused) {
  Scenario s;
  const Files manifest = {text(s.driver.document())},
              answer = answer_object(device_chain(s), kGood);
  Files more = manifest;
  more.push_back(answer[1]);
  EXPECT_EQ(refusal(s, more), CollateralError::unverified) << "certificates beside a manifest";
  EXPECT_EQ(refusal(s, {answer[0]}), CollateralError::malformed) << "an answer about nothing";
  EXPECT_EQ(refusal(s, {manifest[0], manifest[0]}), CollateralError::malformed);
  EXPECT_EQ(refusal(s, {answer[0], answer[1], manifest[0]}), CollateralError::malformed);
  EXPECT_EQ(refusal(s, {answer[0], answer[1], answer[0]}), CollateralError::malformed);
  EXPECT_EQ(refusal(s, {answer[0], answer_object(device_chain(s).subspan(1), kGood)[1]}),
            CollateralError::unverified)
      << "about another certificate";
  EXPECT_EQ(refusal(s, answer, kNow + 2 * kHour), CollateralError::not_current);
  EXPECT_EQ(refusal(s, answer, kNow - 2 * kHour), CollateralError::not_current);
  EXPECT_EQ(refusal(s, answer_object(device_chain(s), {OcspStatus::good, kNow - 1, {}})),
            CollateralError::not_current)
      << "an answer without an end";
  EXPECT_EQ(refusal(s, manifest, kNow + 2 * kHour), CollateralError::not_current);
  // The signature is the last thing before the certificates that come along.
  Files forged = answer;
  const auto at = std::ranges::search(forged[0], rim::hierarchy().responder.certificate.der());
  ASSERT_FALSE(at.empty());
  *(at.begin() - 20) ^= 1;
  EXPECT_EQ(refusal(s, forged), CollateralError::unverified);
  const Authority lasting = authority_of({.name = "lasting responder",
                                          .until = kNow + 10 * kHour,
                                          .ca = false,
                                          .extensions = {rim::ocsp_signing()}},
                                         &rim::hierarchy().root);
  const OcspAnswer until_later{OcspStatus::good, kNow - kHour, kNow + 10 * kHour};
  const Files outlasting = {rim::ocsp_about(device_chain(s).first(2), until_later, lasting),
                            answer[1]};
  EXPECT_EQ(refusal(s, outlasting), std::nullopt);
  EXPECT_EQ(refusal(s, outlasting, kNow + 2 * kHour), CollateralError::not_current)
      << "an answer that outlasts its chain";
  std::string changed = s.driver.document();
  changed[changed.find("active=\"True\"") + 8] = 'F';
  EXPECT_EQ(refusal(s, {text(changed)}), CollateralError::malformed);
  changed = s.driver.document();
  changed.replace(changed.find("550.90.07"), 9, "550.90.08");
  EXPECT_EQ(refusal(s, {text(changed)}), CollateralError::unverified);
  s.policy.anchors.development_nvidia = {Hash32{1}};
  EXPECT_EQ(refusal(s, manifest), CollateralError::unverified) << "another root";
  EXPECT_EQ(refusal(s, answer), CollateralError::unverified) << "another root";
}

// --- what evidence needs, and what becomes of it ------------------------------------------------

Held collateral_of(const Scenario& s) {
  Held out;
  for (const Files& files : s.objects()) {
    const auto facts = verify_collateral(files, s.policy.anchors, kNow);
    if (facts) out[facts->name] = files;
  }
  return out;
}

TEST(NvidiaCollateral, TheDeviceAndItsManifestsNameAllThatVerificationLooksAt) {
  const Scenario s;
  Held held = collateral_of(s);
  Collateral gathered;
  gathered.certificates = s.chain;
  const auto needed =
      device_collateral_needed({Format::nvidia_gpu, s.report()}, gathered, s.policy.anchors);
  ASSERT_TRUE(needed);
  std::vector<CollateralName> names = *needed;
  for (const rim::Scenario* manifest : {&s.driver, &s.vbios}) {
    const auto more = manifest_collateral_needed(manifest->document());
    names.insert(names.end(), more.begin(), more.end());
  }
  for (const CollateralName& name : names) {
    const auto at = held.find(name);
    if (at == held.end()) continue;  // of another root
    ASSERT_TRUE(gathered.add(at->second.front()));
    held.erase(at);
  }
  EXPECT_TRUE(held.empty()) << held.size() << " objects are named by nobody";
  const auto judged = verify_nvidia(s.kind, s.report(), gathered, s.policy, s.binding, kNow);
  EXPECT_TRUE(judged.verified) << judged.appraisal.detail;
}

TEST(NvidiaCollateral, ADeviceThatCannotBeReadNeedsNothing) {
  const Scenario s;
  Collateral chain;
  chain.certificates = s.chain;
  Buffer cut = s.report();
  cut.pop_back();
  EXPECT_EQ(device_collateral_needed({Format::nvidia_gpu, cut}, chain, s.policy.anchors).error(),
            Error::malformed);
  EXPECT_EQ(
      device_collateral_needed({Format::nvidia_gpu, s.report()}, {}, s.policy.anchors).error(),
      Error::collateral_missing);
  EXPECT_EQ(
      device_collateral_needed({Format::tdx_quote, s.report()}, chain, s.policy.anchors).error(),
      Error::unsupported);
  EXPECT_TRUE(manifest_collateral_needed("<SoftwareIdentity/>").empty());
}

class NvidiaStanding : public testing::Test {
 protected:
  NvidiaStanding() {
    const auto judged = s.judge();
    EXPECT_TRUE(judged.verified) << judged.appraisal.detail;
    standing = judged.verified->standing().value();
    held = collateral_of(s);
  }
  void put(const Files& files) {
    const auto facts = verify_collateral(files, s.policy.anchors, kNow);
    ASSERT_TRUE(facts) << describe(facts.error());
    held[facts->name] = files;
  }
  std::expected<Restanding, Fall> judged() const {
    const auto kept = Standing::decode(standing.encode());
    EXPECT_EQ(kept, standing);
    return StandingJudge([&](const CollateralName& name) -> std::optional<Files> {
             const auto at = held.find(name);
             return at == held.end() ? std::nullopt : std::optional(at->second);
           })
        .judge(*kept);
  }

  Scenario s;
  Standing standing;
  Held held;
};

TEST_F(NvidiaStanding, HoldsUnderWhatItWasJudgedBy) {
  EXPECT_EQ(judged(), (Restanding{TcbStatus::up_to_date, {}, 0}));
  EXPECT_LE(standing.encode().size(), kMaxStandingBytes);
}

TEST_F(NvidiaStanding, OnlyTheDevicesOwnRevocationSpeaksAgainstThisMachine) {
  const OcspAnswer revoked{OcspStatus::revoked, kNow - 1, kNow + 1};
  put(answer_object(device_chain(s), revoked));
  EXPECT_EQ(judged().error(), (Fall{Error::revoked, true}));
  put(answer_object(device_chain(s), {OcspStatus::on_hold, kNow - 1, kNow + 1}));
  EXPECT_EQ(judged().error(), (Fall{Error::revoked, false}));
  put(answer_object(device_chain(s), {OcspStatus::unknown, kNow - 1, kNow + 1}));
  EXPECT_EQ(judged().error(), (Fall{Error::revoked, false}));
  put(answer_object(device_chain(s), kGood));
  put(answer_object(device_chain(s).subspan(1), revoked));
  EXPECT_EQ(judged().error(), (Fall{Error::revoked, false}));
}

TEST_F(NvidiaStanding, ARevokedSignerOfAManifestTakesItsDevicesOut) {
  put(answer_object(std::span(s.driver.chain), {OcspStatus::revoked, kNow - 1, kNow + 1}));
  EXPECT_EQ(judged().error(), (Fall{Error::revoked, false}));
}

TEST_F(NvidiaStanding, OtherGoldensNeedNewEvidence) {
  Scenario reissued = s;
  reissued.vbios.measurements[2].alternatives[0][0] ^= 1;  // not even an active one
  put({text(reissued.vbios.document())});
  EXPECT_EQ(judged().error(), (Fall{Error::measurement_mismatch, false}));
}

TEST_F(NvidiaStanding, LacksWhatIsNotHeld) {
  const Held all = held;
  for (const auto& [name, files] : all) {
    held = all;
    held.erase(name);
    EXPECT_EQ(judged().error(), (Fall{Error::collateral_missing, false}));
  }
  held = all;
  standing.facts.pop_back();
  EXPECT_EQ(judged().error(), (Fall{Error::malformed, false}));
  standing.facts.clear();
  EXPECT_EQ(judged().error(), (Fall{Error::malformed, false}));
}

TEST(NvidiaCollateral, ANewerIssueOfTheSameJudgesAlike) {
  Scenario s;
  const Files earlier = {text(s.vbios.document())};
  EXPECT_TRUE(judges_alike(earlier, Files{text(s.vbios.document())}));
  s.vbios.measurements[0].alternatives[0][0] ^= 1;
  EXPECT_FALSE(judges_alike(earlier, Files{text(s.vbios.document())}));
  const Files good = answer_object(device_chain(s), kGood);
  EXPECT_TRUE(
      judges_alike(good, answer_object(device_chain(s), {OcspStatus::good, kNow, kNow + 1})));
  EXPECT_FALSE(
      judges_alike(good, answer_object(device_chain(s), {OcspStatus::on_hold, kNow, kNow + 1})));
  EXPECT_FALSE(judges_alike(good, earlier));
  EXPECT_FALSE(judges_alike(earlier, good));
}

}  // namespace
}  // namespace cloister::evidence
