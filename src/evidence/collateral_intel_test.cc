// Single faults under a simulated Intel: everything is signed as it should be, so that only the
// check under test can refuse.
#include <gmock/gmock.h>

#include <algorithm>

#include "evidence/collateral.h"
#include "evidence/sim/intel.h"

namespace cloister::evidence {
namespace {

using sim::IntelAuthority;
using sim::IntelSimulator;
using Files = std::vector<Buffer>;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 86'400;
constexpr sim::IntelWindow kWindow{kNow - kDay, kNow + kDay};

const IntelSimulator& intel() {
  static const IntelSimulator made = IntelSimulator::create(kNow);
  return made;
}
const IntelSimulator& other_intel() {
  static const IntelSimulator made = IntelSimulator::create(kNow);
  return made;
}

Buffer text(std::string_view content) {
  return to_buffer(as_bytes(content));
}
Buffer pem(std::initializer_list<const IntelAuthority*> chain) {
  std::string out;
  for (const IntelAuthority* each : chain) out += crypto::to_pem(each->certificate);
  return text(out);
}
const IntelAuthority& root() {
  return intel().root_for_testing();
}
const IntelAuthority& signer() {
  return intel().tcb_signing_for_testing();
}
const IntelAuthority& pck_ca() {
  return intel().platform_ca_for_testing();
}
const IntelAuthority& pck() {
  return intel().pck_for_testing(0);
}

TrustAnchors anchors() {
  TrustAnchors out = vendor_anchors();
  out.development_intel = {intel().root_spki()};
  return out;
}

Buffer tcb_info(const IntelAuthority& by, sim::IntelTcbInfo info = sim::default_tcb_info(kWindow)) {
  return text(sim::sign_document("tcbInfo", sim::encode_tcb_info(info), by.key));
}
Buffer qe_identity(const IntelAuthority& by,
                   sim::IntelQeIdentity identity = sim::default_qe_identity(kWindow)) {
  return text(sim::sign_document("enclaveIdentity", sim::encode_qe_identity(identity), by.key));
}
Buffer crl(const IntelAuthority& by, sim::IntelWindow window = kWindow, uint64_t number = 7) {
  return crypto::issue_crl(by.certificate, by.key, window.from, window.until, number, {}).der();
}

// A certificate of this role with another key, issued by `issuer`.
IntelAuthority another(const char* common_name, const IntelAuthority* issuer,
                       sim::IntelWindow window = {kNow - kDay, kNow + 30 * kDay}) {
  return sim::make_intel_authority({common_name, window, false, std::nullopt, {}}, issuer);
}

Files good_tcb_info() {
  return {tcb_info(signer()), pem({&signer(), &root()})};
}

std::expected<CollateralFacts, CollateralError> judge(const Files& files, UnixSeconds now = kNow) {
  return verify_collateral(files, anchors(), now);
}

TEST(IntelCollateral, EachKindIsRecognised) {
  const auto info = judge(good_tcb_info());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name.kind, CollateralKind::tdx_tcb_info);
  EXPECT_EQ(info->issued_at, kWindow.from);
  EXPECT_EQ(info->next_update, kWindow.until);
  EXPECT_EQ(info->number, 18u);
  EXPECT_TRUE(info->development);

  const auto identity = judge({qe_identity(signer()), pem({&signer(), &root()})});
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->name.kind, CollateralKind::tdx_qe_identity);
  EXPECT_EQ(identity->number, 18u);

  const auto list = judge({crl(root()), pem({&root()})});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->name.kind, CollateralKind::crl);
  EXPECT_EQ(list->number, 7u);
  EXPECT_EQ(list->next_update, kWindow.until);
  EXPECT_NE(judge({crl(pck_ca()), pem({&pck_ca(), &root()})})->name, list->name);
}

TEST(IntelCollateral, TheSgxKindsAreOtherObjects) {
  auto info = sim::default_tcb_info(kWindow);
  info.id = "SGX";
  auto identity = sim::default_qe_identity(kWindow);
  identity.id = "QE";
  const Buffer chain = pem({&signer(), &root()});
  EXPECT_EQ(judge({tcb_info(signer(), info), chain})->name.kind, CollateralKind::sgx_tcb_info);
  EXPECT_EQ(judge({qe_identity(signer(), identity), chain})->name.kind,
            CollateralKind::sgx_qe_identity);
}

TEST(IntelCollateral, ANameIsOfOnePlatformFamilyUnderOneRoot) {
  const CollateralName name = judge(good_tcb_info())->name;
  const auto name_with = [&](auto change) {
    auto info = sim::default_tcb_info(kWindow);
    change(info);
    return judge({tcb_info(signer(), info), pem({&signer(), &root()})})->name;
  };
  EXPECT_EQ(name_with([](auto& i) { i.evaluation_number = 19; }), name);
  EXPECT_NE(name_with([](auto& i) { i.fmspc[0] ^= 1; }), name);
  EXPECT_NE(name_with([](auto& i) { i.pce_id[0] ^= 1; }), name);
  EXPECT_NE(name_with([](auto& i) { i.id = "SGX"; }), name);

  TrustAnchors both = anchors();
  both.development_intel.push_back(other_intel().root_spki());
  const auto files = other_intel().collateral(kNow);
  const auto elsewhere = verify_collateral(
      Files{files.at("tcb_info.json"), files.at("tcb_signing_chain.pem")}, both, kNow);
  ASSERT_TRUE(elsewhere);
  EXPECT_NE(elsewhere->name, name);
}

TEST(IntelCollateral, TheSimulatorsFilesHaveTheNamesThatItsQuotesNeed) {
  auto files = intel().collateral(kNow);
  const Buffer signing = files.at("tcb_signing_chain.pem");
  const Buffer pck_chain = text(intel().pck_chain(3));
  std::vector<CollateralName> names;
  for (const Files& group :
       {Files{files.at("tcb_info.json"), signing}, Files{files.at("qe_identity.json"), signing},
        Files{files.at("root_ca.crl"), signing},
        Files{files.at("pck_platform_ca.crl"), pck_chain}}) {
    const auto facts = judge(group);
    ASSERT_TRUE(facts);
    names.push_back(facts->name);
  }
  const auto needed =
      collateral_needed({Format::tdx_quote, intel().quote({}, {})}, vendor_anchors());
  ASSERT_TRUE(needed);
  EXPECT_THAT(names, ::testing::UnorderedElementsAreArray(*needed));
}

TEST(IntelCollateral, OnlyTheRightRoleUnderThePinnedRootSigns) {
  const IntelAuthority below_ca = another(sim::kIntelTcbSigningName, &pck_ca());
  const IntelAuthority impostor =
      another(sim::kIntelTcbSigningName, &other_intel().root_for_testing());
  const IntelAuthority& foreign_root = other_intel().root_for_testing();
  const IntelAuthority false_ca =
      sim::make_intel_authority({sim::kIntelPlatformCaName, kWindow, true, 0, {}}, &pck_ca());
  const Buffer chain = pem({&signer(), &root()});
  struct Case {
    const char* name;
    Files files;
  };
  const Case cases[] = {
      {"no certificates", {tcb_info(signer())}},
      {"no root", {tcb_info(signer()), pem({&signer()})}},
      {"no signer", {tcb_info(signer()), pem({&root()})}},
      {"a root that is not pinned", {tcb_info(impostor), pem({&impostor, &foreign_root})}},
      {"both roots", {tcb_info(signer()), pem({&signer(), &root(), &foreign_root})}},
      {"signed by the root itself", {tcb_info(root()), chain}},
      {"signed by a PCK key", {tcb_info(pck()), pem({&pck(), &pck_ca(), &root()})}},
      {"signed by a PCK key, the signer beside it",
       {tcb_info(pck()), pem({&signer(), &pck(), &pck_ca(), &root()})}},
      {"a signer below the PCK CA", {tcb_info(below_ca), pem({&below_ca, &pck_ca(), &root()})}},
      {"QE identity signed by a PCK key", {qe_identity(pck()), pem({&pck(), &pck_ca(), &root()})}},
      {"root list signed by the PCK CA's key",
       {crypto::issue_crl(root().certificate, pck_ca().key, kWindow.from, kWindow.until, 1, {})
            .der(),
        pem({&root()})}},
      {"list of the TCB signer", {crl(signer()), chain}},
      {"list of a PCK leaf", {crl(pck()), pem({&pck(), &pck_ca(), &root()})}},
      {"list of a foreign root", {crl(foreign_root), pem({&foreign_root})}},
      {"list of a foreign root of the same name", {crl(foreign_root), pem({&root()})}},
      {"PCK list without its CA", {crl(pck_ca()), pem({&root()})}},
      {"list of a PCK CA below a PCK CA", {crl(false_ca), pem({&false_ca, &pck_ca(), &root()})}},
      {"a leaf without its CA", {crl(root()), pem({&pck(), &root()})}},
      {"a stranger beside the chain", {tcb_info(signer()), pem({&signer(), &root(), &impostor})}},
      {"the signer twice", {tcb_info(signer()), pem({&signer(), &signer(), &root()})}},
  };
  ASSERT_TRUE(judge(good_tcb_info()));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(judge(c.files).error(), CollateralError::unverified);
  }
}

TEST(IntelCollateral, AnEditAfterSigningIsSeen) {
  const Buffer chain = pem({&signer(), &root()});
  std::string info(as_text(tcb_info(signer())));
  const size_t at = info.find("\"tcbEvaluationDataNumber\":18");
  ASSERT_NE(at, std::string::npos);
  info[at + 27] = '9';
  EXPECT_EQ(judge({text(info), chain}).error(), CollateralError::unverified);

  Buffer list = crl(root());
  list[list.size() - 1] ^= 1;  // the last byte of s
  EXPECT_EQ(judge({list, pem({&root()})}).error(), CollateralError::unverified);
}

TEST(IntelCollateral, EveryWindowHasTwoEnds) {
  const IntelAuthority soon = another(sim::kIntelTcbSigningName, &root(), {kNow + 1, kNow + kDay});
  const IntelAuthority gone = another(sim::kIntelTcbSigningName, &root(), {kNow - kDay, kNow - 1});
  struct Case {
    const char* name;
    Files files;
    UnixSeconds now;
    bool current;
  };
  const Buffer chain = pem({&signer(), &root()});
  const Files info = good_tcb_info(), list = {crl(root()), pem({&root()})};
  const Files identity = {qe_identity(signer()), chain};
  const Case cases[] = {
      {"TCB info at its issue", info, kWindow.from, true},
      {"TCB info a second early", info, kWindow.from - 1, false},
      {"TCB info at its end", info, kWindow.until, true},
      {"TCB info a second late", info, kWindow.until + 1, false},
      {"QE identity at its end", identity, kWindow.until, true},
      {"QE identity a second late", identity, kWindow.until + 1, false},
      {"list a second before its successor", list, kWindow.until - 1, true},
      {"list when its successor is out", list, kWindow.until, false},
      {"list a second early", list, kWindow.from - 1, false},
      {"a signer of tomorrow", {tcb_info(soon), pem({&soon, &root()})}, kNow, false},
      {"a signer of yesterday", {tcb_info(gone), pem({&gone, &root()})}, kNow, false},
      {"an old signer beside a list", {crl(root()), pem({&gone, &root()})}, kNow, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto got = judge(c.files, c.now);
    EXPECT_EQ(got.has_value(), c.current);
    if (!got) {
      EXPECT_EQ(got.error(), CollateralError::not_current);
    }
  }
}

TEST(IntelCollateral, AnotherFormIsMalformed) {
  const Buffer chain = pem({&signer(), &root()});
  auto old_version = sim::default_tcb_info(kWindow);
  old_version.version = 2;
  auto other_enclave = sim::default_qe_identity(kWindow);
  other_enclave.id = "QVE";
  Buffer chain_and_root = pem({&signer(), &root()});
  const Buffer many = pem({&root(), &root(), &root(), &root(), &root()});
  const Files cases[] = {
      {tcb_info(signer(), old_version), chain},
      {qe_identity(signer(), other_enclave), chain},
      {tcb_info(signer()), chain, tcb_info(signer())},
      {tcb_info(signer()), chain, crl(root())},
      {pem({&signer(), &root()})},  // two certificates are not one object
      {crl(root()), many, many},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(judge(cases[i]).error(), CollateralError::malformed);
  }
}

// An Intel certificate alone is nothing that the ledger keeps.
TEST(IntelCollateral, ACertificateIsNoObjectOfIntels) {
  for (const IntelAuthority* each : {&root(), &signer(), &pck_ca(), &pck()}) {
    EXPECT_EQ(judge({each->certificate.der(), pem({&signer(), &root()})}).error(),
              CollateralError::unverified);
  }
}

TEST(IntelCollateral, EveryTruncationIsRefused) {
  const auto expect_refused = [](const Files& good) {
    ASSERT_TRUE(judge(good));
    for (size_t file = 0; file < good.size(); ++file) {
      for (size_t size = 0; size < good[file].size(); ++size) {
        Files cut = good;
        cut[file].resize(size);
        const bool only_line_end = size + 1 == good[file].size() && good[file].back() == '\n';
        if (only_line_end) continue;
        EXPECT_FALSE(judge(cut)) << "file " << file << " cut to " << size;
      }
    }
  };
  expect_refused(good_tcb_info());
  expect_refused({crl(root()), root().certificate.der()});
}

}  // namespace
}  // namespace cloister::evidence
