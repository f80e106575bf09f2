// What new collateral makes of a platform without its evidence is what verification makes of it
// with its evidence.
#include "evidence/standing.h"

#include <gmock/gmock.h>

#include <random>

#include "evidence/dcap/scenario_testing.h"
#include "evidence/sim/amd.h"
#include "evidence/verify.h"

namespace cloister::evidence {
namespace {

using dcap::crl_of;
using dcap::hierarchy;
using dcap::kNow;
using dcap::Scenario;

using Files = std::vector<Buffer>;
using Held = std::map<CollateralName, Files>;

Buffer bytes_of(std::string_view text) {
  return to_buffer(as_bytes(text));
}

// As the ledger comes to hold it: every object is verified and gets its name.
void hold(Held& held, const Files& files, const TrustAnchors& anchors) {
  const auto facts = verify_collateral(files, anchors, kNow);
  ASSERT_TRUE(facts) << describe(facts.error());
  held[facts->name] = files;
}

Held collateral_of(const Scenario& s) {
  const Buffer signer = s.signers[0].der(), root = s.root.der(), ca = s.intermediate.der();
  Held out;
  hold(out, {bytes_of(s.info_document()), signer, root}, s.policy.anchors);
  hold(out, {bytes_of(s.identity_document()), signer, root}, s.policy.anchors);
  hold(out, {s.root_crl->der(), root}, s.policy.anchors);
  hold(out, {s.pck_crl->der(), ca, root}, s.policy.anchors);
  return out;
}

std::expected<Restanding, Fall> judge(const Held& held, const Standing& standing) {
  const auto lookup = [&](const CollateralName& name) -> std::optional<Files> {
    const auto at = held.find(name);
    return at == held.end() ? std::nullopt : std::optional(at->second);
  };
  const auto kept = Standing::decode(standing.encode());
  EXPECT_EQ(kept, standing);
  return StandingJudge(lookup).judge(*kept);
}

// Every status is somebody else's to accept.
VerifyPolicy lenient(VerifyPolicy policy) {
  policy.allow_out_of_date = true;
  return policy;
}

Standing standing_of(const Scenario& s) {
  const auto verification = s.judge();
  EXPECT_TRUE(verification.verified) << verification.appraisal.detail;
  return verification.verified->standing().value();
}

// `later`: the same platform under other collateral.
void expect_as_verified(const Standing& standing, Scenario later) {
  later.policy = lenient(later.policy);
  const auto verification = later.judge();
  const auto got = judge(collateral_of(later), standing);
  if (const auto& verified = verification.verified) {
    ASSERT_TRUE(got) << name(got.error().error);
    EXPECT_EQ(got->status, verified->status());
    EXPECT_EQ(got->advisories, verified->advisories());
    EXPECT_EQ(got->tcb_evaluation_number, verified->tcb_evaluation_number());
  } else {
    ASSERT_FALSE(got) << name(*verification.appraisal.error);
    EXPECT_EQ(got.error().error, *verification.appraisal.error);
  }
}

struct Change {
  const char* name;
  std::function<void(Scenario&)> apply;
};

const std::vector<Change>& changes() {
  static const std::vector<Change> all = {
      {"nothing", [](Scenario&) {}},
      {"a higher evaluation", [](Scenario& s) { s.info.evaluation_number = 19; }},
      {"a level that is out of date",
       [](Scenario& s) {
         s.info.levels[0].at.status = "OutOfDate";
         s.info.levels[0].at.advisories = {"INTEL-SA-2", "INTEL-SA-1"};
       }},
      {"a level that is revoked", [](Scenario& s) { s.info.levels[0].at.status = "Revoked"; }},
      {"no level low enough",
       [](Scenario& s) {
         for (auto& level : s.info.levels) level.pce_svn = 99;
       }},
      {"a TDX component that is asked for", [](Scenario& s) { s.info.levels[0].tdx[2] = 9; }},
      {"a module that is behind", [](Scenario& s) { s.info.modules[0].levels[0].isv_svn = 60; }},
      {"a module that nobody knows", [](Scenario& s) { s.info.modules[0].id = "TDX_07"; }},
      {"another signer of the module", [](Scenario& s) { s.info.modules[0].mr_signer.fill(1); }},
      {"another quoting enclave", [](Scenario& s) { s.identity.mr_signer.fill(1); }},
      {"a quoting enclave that is behind", [](Scenario& s) { s.identity.levels[0].isv_svn = 200; }},
      {"a quoting enclave below all",
       [](Scenario& s) {
         for (auto& level : s.identity.levels) level.isv_svn += 200;
       }},
      {"a revoked platform",
       [](Scenario& s) {
         s.pck_crl = crl_of(hierarchy().platform_ca_for_testing(), {s.leaf.serial()});
       }},
      {"another revoked platform",
       [](Scenario& s) {
         const auto& other = hierarchy().pck_for_testing(1).certificate;
         s.pck_crl = crl_of(hierarchy().platform_ca_for_testing(), {other.serial()});
       }},
      {"a revoked PCK CA",
       [](Scenario& s) {
         s.root_crl = crl_of(hierarchy().root_for_testing(), {s.intermediate.serial()});
       }},
      {"a revoked signer of documents",
       [](Scenario& s) {
         s.root_crl = crl_of(hierarchy().root_for_testing(), {s.signers[0].serial()});
       }},
  };
  return all;
}

Scenario td_1_5() {
  Scenario s;
  s.td.td_1_5 = true;
  return s;
}

TEST(Standing, NewCollateralMakesOfItWhatVerificationWould) {
  const std::vector<std::pair<const char*, std::function<Scenario()>>> kinds = {
      {"TD 1.0", [] { return Scenario(); }},
      {"TD 1.5", td_1_5},
      {"SGX", [] { return dcap::sgx_scenario(4); }},
  };
  for (const auto& [kind, make] : kinds) {
    const Standing standing = standing_of(make());
    EXPECT_LE(standing.encode().size(), kMaxStandingBytes);
    for (const Change& change : changes()) {
      SCOPED_TRACE(std::string(kind) + ": " + change.name);
      Scenario later = make();
      change.apply(later);
      expect_as_verified(standing, std::move(later));
    }
  }
}

// Levels, statuses and advisories at random, so that matching, merging and relaunching all vary.
TEST(Standing, RandomCollateralMakesOfItWhatVerificationWould) {
  constexpr uint32_t kSeed = 20'261'129;
  std::mt19937 random(kSeed);
  const auto below = [&](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  const std::vector<std::string> statuses = {"UpToDate",
                                             "SWHardeningNeeded",
                                             "ConfigurationNeeded",
                                             "ConfigurationAndSWHardeningNeeded",
                                             "OutOfDate",
                                             "OutOfDateConfigurationNeeded"};
  const auto bend = [&](sim::IntelStatus& at) {
    at.status = statuses[below(6)];
    at.advisories.clear();
    for (uint32_t i = below(3); i > 0; --i) {
      at.advisories.push_back("INTEL-SA-" + std::to_string(below(5)));
    }
  };
  const Standing standing = standing_of(td_1_5());
  std::set<TcbStatus> seen;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", collateral " + std::to_string(i));
    Scenario later = td_1_5();
    later.info.evaluation_number = 17 + below(4);
    for (auto& level : later.info.levels) {
      bend(level.at);
      if (below(4) == 0) level.pce_svn = static_cast<uint16_t>(below(20));
      if (below(4) == 0) level.tdx[below(3)] = static_cast<uint8_t>(below(8));
    }
    for (auto& level : later.info.modules[0].levels) bend(level.at);
    later.info.modules[0].levels[0].isv_svn = static_cast<uint16_t>(5 + below(4));
    for (auto& level : later.identity.levels) bend(level.at);
    expect_as_verified(standing, later);
    const auto got = judge(collateral_of(later), standing);
    if (got) seen.insert(got->status);
    if (HasFailure()) return;
  }
  EXPECT_GE(seen.size(), 5u);
}

TEST(Standing, OnlyTheMachinesOwnCertificateSpeaksAgainstTheMachine) {
  const Standing standing = standing_of(Scenario());
  const auto fall = [&](const char* change) {
    Scenario later;
    for (const Change& each : changes()) {
      if (each.name == std::string_view(change)) each.apply(later);
    }
    return judge(collateral_of(later), standing).error();
  };
  EXPECT_EQ(fall("a revoked platform"), (Fall{Error::revoked, true}));
  EXPECT_EQ(fall("a revoked PCK CA"), (Fall{Error::revoked, false}));
  EXPECT_EQ(fall("a revoked signer of documents"), (Fall{Error::revoked, false}));
  EXPECT_EQ(fall("no level low enough"), (Fall{Error::no_tcb_level, false}));
}

// Whoever brings collateral may add certificates of the hierarchy to it. Those say nothing.
TEST(Standing, ACertificateThatCameAlongRevokesNothing) {
  Scenario later;
  later.root_crl = crl_of(hierarchy().root_for_testing(), {later.leaf.serial()});
  Held held = collateral_of(later);
  const Buffer document = bytes_of(later.info_document()), signer = later.signers[0].der(),
               root = later.root.der(), ca = later.intermediate.der(), leaf = later.leaf.der();
  const Files alone = {document, signer, root};
  for (const Files& files :
       {alone, Files{document, ca, signer, root}, Files{document, leaf, ca, signer, root},
        Files{document, signer, root, ca, leaf}}) {
    hold(held, files, later.policy.anchors);
    EXPECT_TRUE(judge(held, standing_of(Scenario())));
    EXPECT_TRUE(judges_alike(alone, files));
  }
}

TEST(Standing, WithoutOneOfItsRecordsNothingIsJudged) {
  const Standing standing = standing_of(Scenario());
  const Held all = collateral_of(Scenario());
  for (const auto& [gone, files] : all) {
    Held held = all;
    held.erase(gone);
    EXPECT_EQ(judge(held, standing).error(), (Fall{Error::collateral_missing, false}));
    // A record that cannot be read is as good as none.
    held[gone] = {Buffer{1, 2, 3}};
    EXPECT_EQ(judge(held, standing).error(), (Fall{Error::collateral_missing, false}));
  }
}

TEST(Standing, BytesThatAreNoStandingAreRefused) {
  const Standing standing = standing_of(td_1_5());
  const Buffer good = standing.encode();
  const Held held = collateral_of(Scenario());
  for (size_t size = 0; size < good.size(); ++size) {
    const auto cut = Standing::decode(Bytes(good).first(size));
    if (!cut) continue;
    EXPECT_EQ(judge(held, *cut).error().error, Error::malformed) << size;
  }
  Buffer longer = good;
  longer.push_back(0);
  EXPECT_EQ(judge(held, *Standing::decode(longer)).error().error, Error::malformed);
  EXPECT_FALSE(Standing::decode(Buffer(kMaxStandingBytes + 1)));
  for (Format format : {Format::sgx_quote, Format::nitro, Format{99}}) {
    Standing other = standing;
    other.format = format;
    EXPECT_EQ(judge(held, other).error().error, Error::malformed);
  }
  Standing bare = standing;
  bare.certificates.clear();
  EXPECT_EQ(judge(held, bare).error().error, Error::malformed);
}

TEST(Standing, TheSameStatementIssuedAgainChangesNothing) {
  const Scenario now;
  const Buffer signer = now.signers[0].der(), root = now.root.der(), ca = now.intermediate.der();
  const auto info = [&](const Scenario& s) {
    return Files{bytes_of(s.info_document()), signer, root};
  };
  const auto identity = [&](const Scenario& s) {
    return Files{bytes_of(s.identity_document()), signer, root};
  };
  const auto list = [&](const Scenario& s) { return Files{s.pck_crl->der(), ca, root}; };
  Scenario reissued;
  reissued.info.window.from = reissued.identity.window.from = kNow - 1;
  auto window = dcap::good_window();
  window.from += 100;
  reissued.pck_crl = crl_of(hierarchy().platform_ca_for_testing(), {}, window);
  EXPECT_NE(info(now), info(reissued));
  EXPECT_TRUE(judges_alike(info(now), info(reissued)));
  EXPECT_TRUE(judges_alike(identity(now), identity(reissued)));
  EXPECT_TRUE(judges_alike(list(now), list(reissued)));
  EXPECT_FALSE(judges_alike(info(now), identity(now)));
  EXPECT_FALSE(judges_alike(info(now), {}));
  EXPECT_FALSE(judges_alike(list(now), info(now)));
  for (const Change& change : changes()) {
    SCOPED_TRACE(change.name);
    Scenario later;
    change.apply(later);
    const Files root_list = {later.root_crl->der(), root};
    const bool alike = judges_alike(info(now), info(later)) &&
                       judges_alike(identity(now), identity(later)) &&
                       judges_alike(list(now), list(later)) &&
                       judges_alike({{now.root_crl->der(), root}}, root_list);
    EXPECT_EQ(alike, std::string_view(change.name) == "nothing");
  }
}

// --- AMD ----------------------------------------------------------------------------------------

struct AmdWorld {
  AmdWorld() { anchors.development_amd = {amd().ark_spki()}; }
  // RSA keys take seconds to make.
  static const sim::AmdSimulator& amd() {
    static const auto made = sim::AmdSimulator::create(sim::AmdProduct::milan, kNow);
    return made;
  }
  Files vcek() const {
    const auto& ask = amd().ask_for_testing();
    return {sim::issue_vcek(ask, amd().vcek_key_for_testing(0),
                            {sim::amd_tcb(amd().product()),
                             amd().chip_id(0),
                             {kNow - 10, kNow + 1000},
                             {},
                             "Milan-B0"})
                .der(),
            ask.certificate.der(), amd().ark().der()};
  }
  Files list(const std::vector<Buffer>& revoked) const {
    const auto& ark = amd().ark_for_testing();
    return {crypto::issue_crl(ark.certificate, ark.key, kNow - 10, kNow + 1000, 1, revoked).der(),
            ark.certificate.der()};
  }
  Held held(const std::vector<Buffer>& revoked) const {
    Held out;
    hold(out, vcek(), anchors);
    hold(out, list(revoked), anchors);
    return out;
  }
  Standing standing() const {
    Collateral collateral;
    for (const auto& files : {vcek(), list({})}) {
      for (const Buffer& file : files) EXPECT_TRUE(collateral.add(file));
    }
    VerifyPolicy policy;
    policy.anchors = anchors;
    const Evidence report{Format::snp_report, amd().report({}, dcap::kReportData)};
    const auto got =
        verify(report, collateral, policy, Binding::report_data(dcap::kReportData), kNow);
    EXPECT_TRUE(got.verified) << got.appraisal.detail;
    return got.verified->standing().value();
  }
  TrustAnchors anchors;
};

TEST(Standing, AmdRevokesByItsListAlone) {
  const AmdWorld world;
  const Standing standing = world.standing();
  EXPECT_EQ(judge(world.held({}), standing).value(), (Restanding{TcbStatus::up_to_date, {}, 0}));
  EXPECT_EQ(judge(world.held({{42}}), standing).value().status, TcbStatus::up_to_date);
  const Buffer ask = AmdWorld::amd().ask_for_testing().certificate.serial();
  EXPECT_EQ(judge(world.held({ask}), standing).error(), (Fall{Error::revoked, false}));
  // Every VCEK has this serial number: it names no machine.
  EXPECT_EQ(judge(world.held({Buffer{}}), standing).error(), (Fall{Error::revoked, false}));
  EXPECT_EQ(judge({}, standing).error(), (Fall{Error::collateral_missing, false}));
  EXPECT_FALSE(judges_alike(world.list({}), world.list({ask})));
  EXPECT_TRUE(judges_alike(world.list({ask}), world.list({ask})));
  EXPECT_TRUE(judges_alike(world.vcek(), world.vcek()));
}

}  // namespace
}  // namespace cloister::evidence
