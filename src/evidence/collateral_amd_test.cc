// Single faults under a simulated AMD.
#include <gmock/gmock.h>

#include "evidence/collateral.h"
#include "evidence/sim/amd.h"

namespace cloister::evidence {
namespace {

using crypto::Certificate;
using sim::AmdAuthority;
using sim::AmdProduct;
using sim::AmdSimulator;
using Files = std::vector<Buffer>;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 86'400;
constexpr sim::AmdWindow kYear{kNow - kDay, kNow + 365 * kDay};

// RSA keys take seconds to make: one hierarchy of each product line.
const AmdSimulator& genoa() {
  static const AmdSimulator made = AmdSimulator::create(AmdProduct::genoa, kNow);
  return made;
}
const AmdSimulator& milan() {
  static const AmdSimulator made = AmdSimulator::create(AmdProduct::milan, kNow);
  return made;
}

TrustAnchors anchors() {
  TrustAnchors out = vendor_anchors();
  out.development_amd = {genoa().ark_spki()};
  return out;
}

Buffer pem(std::initializer_list<const Certificate*> chain) {
  std::string out;
  for (const Certificate* each : chain) out += crypto::to_pem(*each);
  return to_buffer(as_bytes(out));
}
const Certificate& ark() {
  return genoa().ark();
}
const Certificate& ask() {
  return genoa().ask_for_testing().certificate;
}
Buffer chain() {
  return pem({&ask(), &ark()});
}

sim::VcekParameters parameters() {
  sim::VcekParameters out;
  out.tcb = sim::amd_tcb(AmdProduct::genoa);
  out.chip_id = genoa().chip_id(0);
  out.window = kYear;
  out.product_name = "Genoa";
  return out;
}
Buffer vcek(const sim::VcekParameters& with = parameters(),
            const AmdAuthority& by = genoa().ask_for_testing()) {
  return sim::issue_vcek(by, genoa().vcek_key_for_testing(0), with).der();
}
Buffer crl(const AmdAuthority& by, sim::AmdWindow window = kYear, uint64_t number = 7) {
  return crypto::issue_crl(by.certificate, by.key, window.not_before, window.not_after, number, {})
      .der();
}

std::expected<CollateralFacts, CollateralError> judge(const Files& files, UnixSeconds now = kNow) {
  return verify_collateral(files, anchors(), now);
}

TEST(AmdCollateral, EachKindIsRecognised) {
  const auto key = judge({vcek(), chain()});
  ASSERT_TRUE(key);
  EXPECT_EQ(key->name.kind, CollateralKind::certificate);
  EXPECT_EQ(key->issued_at, kYear.not_before);
  EXPECT_EQ(key->next_update, kYear.not_after);
  EXPECT_EQ(key->number, 0u);
  EXPECT_TRUE(key->development);

  const auto list = judge({crl(genoa().ark_for_testing()), chain()});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->name.kind, CollateralKind::crl);
  EXPECT_EQ(list->number, 7u);
  EXPECT_TRUE(list->development);
  EXPECT_TRUE(judge({crl(genoa().ark_for_testing()), pem({&ark()})}));
}

TEST(AmdCollateral, ANameIsOfOneChipAtOneFirmware) {
  const CollateralName name = judge({vcek(), chain()})->name;
  auto later = parameters();
  later.window.not_before += 60;
  EXPECT_EQ(judge({vcek(later), chain()})->name, name);
  auto other_chip = parameters();
  other_chip.chip_id[63] ^= 1;
  EXPECT_NE(judge({vcek(other_chip), chain()})->name, name);
  auto other_tcb = parameters();
  other_tcb.tcb[7] ^= 1;
  EXPECT_NE(judge({vcek(other_tcb), chain()})->name, name);
}

TEST(AmdCollateral, TheSimulatorsFilesHaveTheNamesThatItsReportsNeed) {
  const auto files = genoa().collateral(5, kNow);
  sim::SnpParameters guest;
  guest.chip = 5;
  const auto needed = collateral_needed({Format::snp_report, genoa().report(guest, {})}, anchors());
  ASSERT_TRUE(needed);
  for (const char* object : {"vcek.der", "amd.crl"}) {
    const auto facts = judge({files.at(object), files.at("amd_chain.pem")});
    ASSERT_TRUE(facts);
    EXPECT_THAT(*needed, ::testing::Contains(facts->name));
  }
}

TEST(AmdCollateral, OnlyTheChainOfItsProductLineSigns) {
  const Certificate& milan_ark = milan().ark();
  const Certificate& milan_ask = milan().ask_for_testing().certificate;
  auto milan_product = parameters();
  milan_product.product_name = "Milan";
  auto crl_of_ask = crl(genoa().ask_for_testing());
  // An ASK that the root of another line issued for this line's name.
  const Certificate foreign_ask = sim::issue_ask(AmdProduct::genoa, milan().ark_for_testing(),
                                                 genoa().ask_for_testing().key, kYear);
  struct Case {
    const char* name;
    Files files;
  };
  const Case cases[] = {
      {"no chain", {vcek()}},
      {"no root", {vcek(), pem({&ask()})}},
      {"no intermediate", {vcek(), pem({&ark()})}},
      {"a root that is not pinned",
       {vcek(milan_product, milan().ask_for_testing()), pem({&milan_ask, &milan_ark})}},
      {"an intermediate of a foreign root", {vcek(), pem({&foreign_ask, &ark()})}},
      {"two roots", {vcek(), pem({&ask(), &ark(), &milan_ark})}},
      {"the chain twice", {vcek(), chain(), chain()}},
      {"another line in the key", {vcek(milan_product), chain()}},
      {"issued by the root", {vcek(parameters(), genoa().ark_for_testing()), chain()}},
      {"issued by another ASK", {vcek(parameters(), milan().ask_for_testing()), chain()}},
      {"the ASK as object", {ask().der(), chain()}},
      {"the root as object", {ark().der(), chain()}},
      {"list of the ASK", {crl_of_ask, chain()}},
      {"list of a foreign root", {crl(milan().ark_for_testing()), chain()}},
      {"list of a foreign root that came along",
       {crl(milan().ark_for_testing()), pem({&milan_ask, &milan_ark})}},
      {"list without a root", {crl(genoa().ark_for_testing()), pem({&ask()})}},
      {"a stranger beside the root", {crl(genoa().ark_for_testing()), pem({&milan_ask, &ark()})}},
  };
  ASSERT_TRUE(judge({vcek(), chain()}));
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(judge(c.files).error(), CollateralError::unverified);
  }
}

TEST(AmdCollateral, EveryWindowHasTwoEnds) {
  const sim::AmdWindow today{kNow, kNow + 10};
  auto brief = parameters();
  brief.window = today;
  struct Case {
    const char* name;
    Files files;
    UnixSeconds now;
    bool current;
  };
  const Files key = {vcek(brief), chain()};
  const Files list = {crl(genoa().ark_for_testing(), today), chain()};
  const Case cases[] = {
      {"key at its start", key, kNow, true},
      {"key a second early", key, kNow - 1, false},
      {"key at its end", key, kNow + 10, true},
      {"key a second late", key, kNow + 11, false},
      {"list at its start", list, kNow, true},
      {"list a second early", list, kNow - 1, false},
      {"list a second before its successor", list, kNow + 9, true},
      {"list when its successor is out", list, kNow + 10, false},
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

TEST(AmdCollateral, AnotherFormIsMalformed) {
  auto unknown = parameters();
  unknown.product_name = "Naples";
  EXPECT_EQ(judge({vcek(unknown), chain()}).error(), CollateralError::malformed);
  const auto p256 = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  const Certificate weak = sim::issue_vcek(genoa().ask_for_testing(), p256, parameters());
  EXPECT_EQ(judge({weak.der(), chain()}).error(), CollateralError::malformed);
}

TEST(AmdCollateral, EveryTruncationAndEditIsRefused) {
  const Buffer key = vcek();
  for (size_t size = 0; size < key.size(); ++size) {
    Buffer cut(key.begin(), key.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(judge({cut, chain()})) << "cut to " << size;
  }
  for (size_t at = 0; at < key.size(); ++at) {
    Buffer edited = key;
    edited[at] ^= 1;
    EXPECT_FALSE(judge({edited, chain()})) << "byte " << at;
  }
}

}  // namespace
}  // namespace cloister::evidence
