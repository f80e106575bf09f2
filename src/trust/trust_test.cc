#include <gtest/gtest.h>

#include "trust/report.h"

namespace cloister::trust {
namespace {

Bundle small_bundle() {
  Bundle out;
  out.genesis.chain_id = "chain";
  out.evidence.emplace_back();
  out.evidence[0].format = 1;
  out.evidence[0].bytes = {1, 2, 3};
  out.claims = {0xA0};
  out.channel.bind = Buffer(48, 5);
  out.checked_at = 1'700'000'000;
  out.receipt_id = "rcpt-1";
  ProvenRead read;
  read.family = ledger::Family::sessions;
  read.key = Buffer(32, 1);
  read.height = 9;
  read.proof.push_back({"smt:v1", Buffer(32, 1), {7}});
  out.reads.push_back(read);
  read.value = Buffer{4};
  out.reads.push_back(read);
  out.receipt.emplace();
  out.request_salt.fill(3);
  return out;
}

TEST(Bundle, RoundTripsThroughJson) {
  auto text = to_json(small_bundle()).dump();
  auto back = bundle_from_json(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back).dump(), text);
  EXPECT_FALSE(back->reads[0].value);
  EXPECT_EQ(back->reads[1].value, Buffer{4});
}

TEST(Bundle, EachChangeOfShapeIsRefused) {
  const std::string good = to_json(small_bundle()).dump();
  struct Case {
    const char* name;
    const char* find;
    const char* with;
  };
  const Case cases[] = {
      {"other version", R"("version":1)", R"("version":2)"},
      {"unknown member", R"("version":1)", R"("version":1,"more":0)"},
      {"missing member", R"("receipt_id":"rcpt-1",)", ""},
      {"odd hex", R"("claims":"a0")", R"("claims":"a")"},
      {"text height", R"("height":9)", R"("height":"9")"},
      {"unknown family", R"("family":"sessions")", R"("family":"session")"},
      {"short salt", R"("request_salt":"03)", R"("request_salt":")"},
      {"bad base64", R"("bytes":"AQID")", R"("bytes":"AQI")"},
      {"genesis", R"("chain_id":"chain")", R"("chain":"chain")"},
      {"other mechanism", R"("kem":"X-Wing")", R"("kem":"X25519")"},
      {"unknown padding", R"("padding":"default")", R"("padding":"some")"},
  };
  for (const Case& c : cases) {
    std::string text = good;
    size_t at = text.find(c.find);
    ASSERT_NE(at, std::string::npos) << c.name;
    text.replace(at, std::string_view(c.find).size(), c.with);
    EXPECT_FALSE(bundle_from_json(text)) << c.name;
  }
  EXPECT_EQ(bundle_from_json("{").error(), BundleError::not_json);
}

TEST(Report, NamesEveryCheckInItsOrderAndFailsClosed) {
  const std::vector<std::string> names = {"vendor_root",
                                          "evidence_signature",
                                          "collateral_fresh",
                                          "revocation",
                                          "tcb_status",
                                          "debug_off",
                                          "measurement",
                                          "configuration",
                                          "gpu",
                                          "model_root",
                                          "channel_binding",
                                          "key_binding",
                                          "ledger_record",
                                          "ledger_quorum",
                                          "policy",
                                          "confirmed_before_compute",
                                          "receipt_signature"};
  auto report = evaluate(small_bundle(), {});
  ASSERT_EQ(report.checks.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(report.checks[i].name, names[i]);
    EXPECT_FALSE(report.checks[i].ok) << names[i];
    EXPECT_FALSE(report.checks[i].expected.empty()) << names[i];
    EXPECT_FALSE(report.checks[i].found.empty()) << names[i];
  }
  EXPECT_EQ(report.level, Level::failed);
  EXPECT_FALSE(report.trusted());
}

TEST(Report, SaysDevelopmentAlsoWhenItFails) {
  auto bundle = small_bundle();
  bundle.genesis.development = true;
  EXPECT_NE(evaluate(bundle, {}).statement.find("development: no hardware protection"),
            std::string::npos);
}

}  // namespace
}  // namespace cloister::trust
