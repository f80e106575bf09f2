#include <gmock/gmock.h>

#include <functional>

#include "base/cbor.h"
#include "base/text.h"
#include "evidence/bundle/cmw.h"
#include "evidence/bundle/verify.h"
#include "evidence/common/cases_testing.h"
#include "evidence/common/media_types.h"
#include "evidence/nvidia/scenario_testing.h"

namespace cloister::evidence::bundle {
namespace {

const std::string kQuote = "application/vnd.cloister.tdx-quote";

Bundle two_items() {
  return {{{"cpu", {Format::tdx_quote, {1, 2, 3}}},
           {"gpus/0", {Format::nvidia_gpu, {4}}},
           {"gpus/1", {Format::nvidia_gpu, {5}}}},
          {{6, 7}, {8}}};
}

Error refusal(std::string_view text) {
  const auto got = read_bundle(as_bytes(text));
  return got ? Error{} : got.error().error;
}

TEST(MediaTypes, MapOneToOneToFormats) {
  for (uint8_t number = 1; number <= 9; ++number) {
    EXPECT_EQ(format_of_media_type(media_type(Format{number})), Format{number});
  }
  EXPECT_FALSE(format_of_media_type("application/vnd.cloister.bundle"));
  EXPECT_FALSE(format_of_media_type("tdx-quote"));
  EXPECT_FALSE(format_of_media_type(""));
}

TEST(Bundle, BothEncodingsReadBackAsTheyWereWritten) {
  const Bundle bundle = two_items();
  const std::string json = to_json(bundle);
  EXPECT_THAT(json, testing::HasSubstr(R"("cpu":["application/vnd.cloister.tdx-quote","AQID",4])"));
  for (const auto& got : {read_bundle(as_bytes(json)), read_bundle(to_cbor(bundle))}) {
    ASSERT_TRUE(got) << got.error().detail;
    ASSERT_EQ(got->items.size(), 3u);
    std::vector<std::string> labels;
    for (const Item& each : got->items) labels.push_back(each.label);
    EXPECT_THAT(labels, testing::UnorderedElementsAre("cpu", "gpus/0", "gpus/1"));
    EXPECT_THAT(got->collateral, testing::UnorderedElementsAre(Buffer{6, 7}, Buffer{8}));
  }
}

TEST(Bundle, ARecordByItselfIsACollectionOfOne) {
  const auto got = read_bundle(as_bytes(R"(["application/vnd.cloister.nitro","AQ"])"));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->items[0].label, "0");
  EXPECT_EQ(got->items[0].evidence.format, Format::nitro);
}

TEST(Bundle, TheCollectionsOwnTypeIsNotAnItem) {
  const auto got = read_bundle(as_bytes(
      R"({"__cmwc_t":"tag:example.com,2026:x","a":["application/vnd.cloister.nitro","AQ"]})"));
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->items.size(), 1u);
}

TEST(Bundle, IntegerLabelsOfCbor) {
  CborWriter out;
  out.map(1).key(7).array(2).text(kQuote).bytes(Buffer{1});
  const auto got = read_bundle(out.view());
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->items[0].label, "7");
}

TEST(Bundle, Form) {
  const std::string record = "[\"" + kQuote + "\",\"AQ\"]";
  const std::pair<std::string, Error> cases[] = {
      {"", Error::malformed},
      {"{}", Error::malformed},
      {"[]", Error::malformed},
      {"{", Error::malformed},
      {"{\"a\":" + record + "}x", Error::malformed},
      {"{\"a\":1}", Error::malformed},
      {"{\"a\":{}}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\"]}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\",\"AQ\",4,1]}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\",\"\"]}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\",\"AQ==\"]}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\",\"A\"]}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\",7]}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\",\"AQ\",-1]}", Error::malformed},
      {"{\"a\":[\"" + kQuote + "\",\"AQ\",\"4\"]}", Error::malformed},
      {"{\"a\":" + record + ",\"a\":" + record + "}", Error::malformed},
      {"{\"\":" + record + "}", Error::malformed},
      {"{\"a/b\":" + record + "}", Error::malformed},
      {"{\"__cmwc_x\":" + record + "}", Error::malformed},
      {"{\"" + std::string(65, 'a') + "\":" + record + "}", Error::malformed},
      {"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":" + record + "}}}}}", Error::malformed},
      {"{\"a\":[\"application/octet-stream\",\"AQ\",2]}", Error::malformed},  // no evidence
      {"{\"a\":[60,\"AQ\"]}", Error::unsupported},
      {"{\"a\":" + record + ",\"b\":[\"application/x\",\"AQ\"]}", Error::unsupported},
      {"{\"a\":" + record + ",\"b\":[\"application/x\",\"AQ\",4]}", Error::unsupported},
      {"{\"a\":" + record + ",\"b\":[\"application/x\",\"AQ\",8]}", Error::unsupported},
      {"{\"a\":" + record + ",\"b\":[\"application/x\",\"AQ\",0]}", Error::unsupported},
      {"{\"a\":[\"" + kQuote + "\",\"AQ\",2]}", Error::unsupported},
      {"{\"a\":[\"application/vnd.cloister.bundle\",\"AQ\"]}", Error::unsupported},
      {"\xd9\x01\x8f\x41\x01", Error::unsupported},        // a record as a CBOR tag
      {"\xa1\x41\x61\x82\x60\x41\x01", Error::malformed},  // a label of bytes
      {"\xa1\x61\x61\x82\x60\x61\x61", Error::malformed},  // a value of text
      {"\xff", Error::malformed},
  };
  for (const auto& [text, want] : cases) {
    EXPECT_EQ(name(refusal(text)), name(want)) << text;
  }
  std::string many = "{";
  for (int i = 0; i < 129; ++i) many += "\"" + std::to_string(i) + "\":" + record + ",";
  many.back() = '}';
  EXPECT_EQ(refusal(many), Error::malformed);
  const auto evidence_of = [&](int count) {
    std::string out = "{";
    for (int i = 0; i < count; ++i) out += "\"" + std::to_string(i) + "\":" + record + ",";
    out.back() = '}';
    return refusal(out);
  };
  EXPECT_EQ(evidence_of(40), Error{});
  EXPECT_EQ(evidence_of(41), Error::malformed);
  EXPECT_EQ(refusal(std::string(kMaxBundleBytes + 1, ' ')), Error::malformed);
}

// --- verification
// ---------------------------------------------------------------------------------

struct World {
  World() {
    gpu.policy.allow_no_rim = true;
    gpu.with_driver = gpu.with_vbios = false;
    bundle.items = {{"gpu", {Format::nvidia_gpu, gpu.report()}}};
    collateral = gpu.collateral();
  }
  BundleVerification judge(const Binding& binding = Binding::nonce(Buffer(32, 0x11))) const {
    return verify_bundle(bundle, collateral, gpu.policy, binding, nvidia::kNow);
  }
  nvidia::Scenario gpu;
  Bundle bundle;
  Collateral collateral;
};

TEST(BundleVerify, AnAnswerThatNobodyFilledIsNoAcceptance) {
  EXPECT_FALSE(BundleVerification().accepted());
}

TEST(BundleVerify, TheUnbentBundleIsAccepted) {
  const auto got = World().judge();
  EXPECT_TRUE(got.accepted()) << got.detail;
  ASSERT_EQ(got.items.size(), 1u);
  EXPECT_TRUE(got.items[0].verification.verified);
}

TEST(BundleVerify, CollateralOfTheBundleCounts) {
  World w;
  for (const auto& each : w.collateral.certificates) w.bundle.collateral.push_back(each.der());
  w.collateral.certificates.clear();
  EXPECT_TRUE(w.judge().accepted());
  w.bundle.collateral.pop_back();
  EXPECT_EQ(w.judge().error, Error::wrong_chain);
  w.bundle.collateral.push_back({1, 2, 3});
  EXPECT_EQ(w.judge().error, Error::malformed);
}

TEST(BundleVerify, AKeyInTheBundleVouchesForNothing) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : load_cases(*vectors, "tpm-quote")) {
    if (c.id != "tpm-azure-1") continue;
    Bundle bundle{{{"tpm", {Format::tpm_quote, c.evidence}}}, {}};
    const auto judge = [&](const Collateral& more) {
      return verify_bundle(bundle, more, c.policy, c.binding(), c.time);
    };
    EXPECT_TRUE(judge(*c.gathered()).accepted());  // the caller's key
    bundle.collateral.push_back(c.collateral.at("ak_public"));
    const auto got = judge({});
    EXPECT_EQ(got.error, Error::malformed);
    EXPECT_EQ(got.items[0].verification.appraisal.error, Error::collateral_missing);
    EXPECT_EQ(judge(*c.gathered()).error, Error::malformed);
    return;
  }
  FAIL() << "no case";
}

TEST(BundleVerify, OneBadItemRefusesAllAndEachIsJudged) {
  for (const bool first : {true, false}) {
    World w;
    const Item broken{"broken", {Format::snp_report, Buffer(10)}};
    w.bundle.items.insert(first ? w.bundle.items.begin() : w.bundle.items.end(), broken);
    const auto got = w.judge();
    EXPECT_EQ(got.error, Error::malformed);
    ASSERT_EQ(got.items.size(), 2u);
    EXPECT_EQ(got.items[first ? 0 : 1].verification.verified.has_value(), false);
    EXPECT_EQ(got.items[first ? 1 : 0].verification.verified.has_value(), true);
  }
}

TEST(BundleVerify, GpusAreOneMachine) {
  World w;
  w.bundle.items.push_back({"again", w.bundle.items[0].evidence});
  const auto got = w.judge();
  EXPECT_EQ(got.error, Error::identity_mismatch);
  EXPECT_TRUE(got.items[0].verification.verified && got.items[1].verification.verified);
}

TEST(BundleVerify, WhatIsExpectedMustBeCarriedBySomething) {
  World w;
  EXPECT_EQ(w.judge(Binding::nonce(Buffer(32, 0x12))).error, Error::nonce_mismatch);
  EXPECT_EQ(w.judge(Binding::report_data(Buffer(64, 1))).error, Error::report_data_mismatch);
  EXPECT_TRUE(w.judge(Binding::not_compared()).accepted());
}

}  // namespace
}  // namespace cloister::evidence::bundle
