#include <gmock/gmock.h>

#include "evidence/common/cases_testing.h"
#include "evidence/common/faults_testing.h"
#include "evidence/nitro/scenario_testing.h"

namespace cloister::evidence::nitro {
namespace {

const Hierarchy& h() {
  return hierarchy();
}

TEST(Nitro, EveryCaseHasItsAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const std::vector<Case> cases = load_cases(*vectors, "nitro");
  EXPECT_EQ(cases.size(), 12u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    const auto got = verify_nitro(c.evidence, c.policy, c.binding(), c.time);
    EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
    EXPECT_THAT(differences(c, got.appraisal), testing::IsEmpty());
  }
}

TEST(Nitro, TheUnbentScenarioIsAcceptedAndGivesTypedClaims) {
  Scenario s;
  s.user_data = Buffer(64, 9);
  s.nonce = Buffer(32, 8);
  s.public_key = Buffer(10, 7);
  s.binding = Binding::report_data(Buffer(64, 9)).and_nonce(Buffer(32, 8));
  const Verification got = s.judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_TRUE(got.verified->development());
  EXPECT_EQ(got.verified->measurement(), Buffer(48, 1));
  EXPECT_EQ(got.verified->runtime_measurements().size(), 16u);
  EXPECT_EQ(got.verified->report_data(), Buffer(64, 9));
  EXPECT_EQ(got.verified->nonce(), Buffer(32, 8));
  EXPECT_EQ(got.verified->valid_until(), kNow + kHour);
  EXPECT_EQ(got.verified->product(), "Nitro");
}

TEST(Nitro, WithAndWithoutItsTag) {
  Scenario s;
  s.tag = 18;
  EXPECT_TRUE(s.judge().verified);
  s.tag = 17;
  EXPECT_EQ(s.judge().appraisal.error, Error::malformed);
}

TEST(Nitro, Form) {
  expect_refusals_of<Scenario>({
      {"ES256 in the header", Error::malformed,
       [](Scenario& s) { s.protected_header = {0xA1, 0x01, 0x26}; }},
      {"ES512", Error::unsupported,
       [](Scenario& s) { s.protected_header = {0xA1, 0x01, 0x38, 0x23}; }},
      {"no algorithm", Error::malformed,
       [](Scenario& s) { s.protected_header = {0xA1, 0x02, 0x38, 0x22}; }},
      {"a second header", Error::malformed,
       [](Scenario& s) { s.protected_header = {0xA2, 0x01, 0x38, 0x22, 0x04, 0x41, 0x31}; }},
      {"an empty header", Error::malformed, [](Scenario& s) { s.protected_header = {}; }},
      {"an unprotected header", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](Buffer& d) {
           d[6] = 0xA1;
           const Buffer alg = {0x01, 0x38, 0x22};
           d.insert(d.begin() + 7, alg.begin(), alg.end());
         };
       }},
      {"five parts", Error::malformed,
       [](Scenario& s) {
         s.bend_document = [](Buffer& d) {
           d[0] = 0x85;
           d.push_back(0xF6);
         };
       }},
      {"bytes after it", Error::malformed,
       [](Scenario& s) { s.bend_document = [](Buffer& d) { d.push_back(0); }; }},
      {"a short signature", Error::malformed,
       [](Scenario& s) { s.bend_signature = [](Buffer& x) { x.pop_back(); }; }},
      {"SHA256", Error::unsupported, [](Scenario& s) { s.digest = "SHA256"; }},
      {"no module", Error::malformed, [](Scenario& s) { s.leave_out = {"module_id"}; }},
      {"an empty module", Error::malformed, [](Scenario& s) { s.module_id.clear(); }},
      {"a long module", Error::malformed, [](Scenario& s) { s.module_id.resize(129, 'x'); }},
      {"no digest", Error::malformed, [](Scenario& s) { s.leave_out = {"digest"}; }},
      {"no timestamp", Error::malformed, [](Scenario& s) { s.leave_out = {"timestamp"}; }},
      {"timestamp zero", Error::malformed, [](Scenario& s) { s.timestamp_ms = 0; }},
      {"timestamp past 63 bits", Error::malformed,
       [](Scenario& s) { s.timestamp_ms = uint64_t{1} << 63; }},
      {"no PCRs", Error::malformed, [](Scenario& s) { s.pcrs.clear(); }},
      {"PCR 32", Error::malformed, [](Scenario& s) { s.pcrs[32] = Buffer(48, 1); }},
      {"a PCR of SHA-256", Error::malformed, [](Scenario& s) { s.pcrs[4] = Buffer(32, 1); }},
      {"no certificate", Error::malformed, [](Scenario& s) { s.leave_out = {"certificate"}; }},
      {"no bundle", Error::malformed, [](Scenario& s) { s.leave_out = {"cabundle"}; }},
      {"an empty bundle", Error::malformed, [](Scenario& s) { s.cabundle.clear(); }},
      {"nine certificates in the bundle", Error::malformed,
       [](Scenario& s) { s.cabundle.assign(9, h().root.certificate); }},
      {"user data of 513 bytes", Error::malformed, [](Scenario& s) { s.user_data = Buffer(513); }},
      {"empty user data", Error::malformed, [](Scenario& s) { s.user_data = Buffer(); }},
      {"a nonce of 513 bytes", Error::malformed, [](Scenario& s) { s.nonce = Buffer(513); }},
      {"a public key of 1025 bytes", Error::malformed,
       [](Scenario& s) { s.public_key = Buffer(1025); }},
      {"an unknown field", Error::malformed,
       [](Scenario& s) {
         s.more_field_count = 1;
         s.more_fields = [](CborWriter& out) { out.text("extra").u64(1); };
       }},
      {"a field twice", Error::malformed,
       [](Scenario& s) {
         s.more_field_count = 1;
         s.more_fields = [](CborWriter& out) { out.text("digest").text("SHA384"); };
       }},
      {"a field that is a float", Error::malformed,
       [](Scenario& s) {
         s.leave_out = {"nonce"};
         s.more_field_count = 1;
         s.more_fields = [](CborWriter& out) {
           const Buffer half = {0xF9, 0x3C, 0x00};
           out.text("nonce").raw(half);
         };
       }},
      {"a head longer than needed", Error::malformed,
       [](Scenario& s) {
         s.bend_payload = [](Buffer& p) {
           p[0] = 0xB8;
           p.insert(p.begin() + 1, 9);
         };
       }},
      {"the document is an array", Error::malformed,
       [](Scenario& s) { s.bend_payload = [](Buffer& p) { p = {0x80}; }; }},
  });
}

TEST(Nitro, Chain) {
  expect_refusals_of<Scenario>({
      {"a root that is not pinned", Error::wrong_chain,
       [](Scenario& s) { s.policy.anchors.development_nitro.clear(); }},
      {"the root missing", Error::wrong_chain,
       [](Scenario& s) { s.cabundle.erase(s.cabundle.begin()); }},
      {"an intermediate missing", Error::wrong_chain,
       [](Scenario& s) { s.cabundle.erase(s.cabundle.begin() + 1); }},
      {"the bundle leaf first", Error::wrong_chain,
       [](Scenario& s) { std::swap(s.cabundle.front(), s.cabundle.back()); }},
      {"an intermediate that is no CA", Error::wrong_chain,
       [](Scenario& s) {
         s.cabundle[2] = certificate_of({.name = "zone", .ca = false}, h().zone.key, &h().region);
       }},
      {"a path length that does not suffice", Error::wrong_chain,
       [](Scenario& s) {
         s.cabundle[1] =
             certificate_of({.name = "region", .path_length = 0}, h().region.key, &h().root);
       }},
      {"an intermediate of another issuer", Error::wrong_chain,
       [](Scenario& s) {
         s.cabundle[2] =
             certificate_of({.name = "zone", .path_length = 0}, h().zone.key, &h().root);
       }},
      {"an intermediate that signs itself", Error::wrong_chain,
       [](Scenario& s) {
         s.cabundle[1] =
             certificate_of({.name = "region", .path_length = 2}, h().region.key, nullptr);
       }},
      {"an unknown critical extension", Error::wrong_chain,
       [](Scenario& s) {
         s.leaf = certificate_of(
             {.name = "enclave", .ca = false, .extensions = {{"1.2.3.4", true, {0x05, 0x00}}}},
             h().leaf.key, &h().zone);
       }},
      {"a leaf that is a CA", Error::wrong_chain,
       [](Scenario& s) { s.leaf = certificate_of({.name = "enclave"}, h().leaf.key, &h().zone); }},
      {"a leaf of the region", Error::wrong_chain,
       [](Scenario& s) {
         s.leaf = certificate_of({.name = "enclave", .ca = false}, h().leaf.key, &h().region);
       }},
      {"a P-256 leaf", Error::wrong_chain,
       [](Scenario& s) {
         static const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
         s.leaf = certificate_of({.name = "enclave", .ca = false}, key, &h().zone);
       }},
      {"a zone from tomorrow", Error::not_yet_valid,
       [](Scenario& s) {
         s.cabundle[2] = certificate_of({.name = "zone", .from = kNow + 1, .path_length = 0},
                                        h().zone.key, &h().region);
       }},
      {"a zone of yesterday", Error::expired,
       [](Scenario& s) {
         s.cabundle[2] = certificate_of({.name = "zone", .until = kNow - 1, .path_length = 0},
                                        h().zone.key, &h().region);
       }},
      {"a second after the leaf's end", Error::expired,
       [](Scenario& s) { s.now = kNow + kHour + 1; }},
      {"a second before the leaf's begin", Error::not_yet_valid,
       [](Scenario& s) { s.now = kNow - kHour - 1; }},
  });
}

TEST(Nitro, BothEndsOfTheWindowAreInside) {
  for (UnixSeconds now : {kNow - kHour, kNow + kHour}) {
    Scenario s;
    s.now = now;
    EXPECT_TRUE(s.judge().verified);
  }
}

TEST(Nitro, SignaturePolicyAndBinding) {
  expect_refusals_of<Scenario>({
      {"another key signed", Error::bad_signature, [](Scenario& s) { s.signer = &h().zone.key; }},
      {"a flipped signature", Error::bad_signature,
       [](Scenario& s) { s.bend_signature = [](Buffer& x) { x[95] ^= 1; }; }},
      {"a signature of zeros", Error::bad_signature,
       [](Scenario& s) { s.bend_signature = [](Buffer& x) { x.assign(96, 0); }; }},
      {"debug mode", Error::debug_enabled,
       [](Scenario& s) {
         for (uint64_t i = 0; i < 3; ++i) s.pcrs[i] = Buffer(48);
       }},
      {"no PCR of the image at all", Error::debug_enabled,
       [](Scenario& s) {
         for (uint64_t i = 0; i < 3; ++i) s.pcrs.erase(i);
       }},
      {"older than policy allows", Error::policy_denied,
       [](Scenario& s) {
         s.policy.max_nitro_age_s = 60;
         s.timestamp_ms -= 61'000;
       }},
      {"from the future, where age is bounded", Error::policy_denied,
       [](Scenario& s) {
         s.policy.max_nitro_age_s = 60;
         s.timestamp_ms += 1'000;
       }},
      {"other user data", Error::report_data_mismatch,
       [](Scenario& s) {
         s.user_data = Buffer(64, 1);
         s.binding = Binding::report_data(Buffer(64, 2));
       }},
      {"user data expected and none there", Error::report_data_mismatch,
       [](Scenario& s) { s.binding = Binding::report_data(Buffer(64)); }},
      {"a prefix of the user data", Error::report_data_mismatch,
       [](Scenario& s) {
         s.user_data = Buffer(64, 1);
         s.binding = Binding::report_data(Buffer(32, 1));
       }},
      {"another nonce", Error::nonce_mismatch,
       [](Scenario& s) {
         s.nonce = Buffer(32, 1);
         s.binding = Binding::nonce(Buffer(32, 2));
       }},
      {"a nonce expected and none there", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(32)); }},
  });
  Scenario fresh;
  fresh.policy.max_nitro_age_s = 60;
  fresh.timestamp_ms -= 60'000;
  EXPECT_TRUE(fresh.judge().verified);
}

TEST(Nitro, DebugIsAcceptedWhereItIsAllowed) {
  Scenario s;
  for (uint64_t i = 0; i < 3; ++i) s.pcrs[i] = Buffer(48);
  s.policy.allow_debug = true;
  EXPECT_TRUE(s.judge().verified);
}

// One bit of every byte of a real document, and every cut of it.
TEST(Nitro, EveryFlippedByteAndEveryCutOfARealDocumentIsRefused) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : load_cases(*vectors, "nitro")) {
    if (c.id != "nitro-good" && c.id != "nitro-debug-allowed") continue;
    const auto judge = [&](Bytes bytes) {
      return verify_nitro(bytes, c.policy, c.binding(), c.time).appraisal.error;
    };
    expect_every_flip_refused(c.evidence, judge);
    for (size_t size = 0; size < c.evidence.size(); ++size) {
      ASSERT_EQ(judge(Bytes(c.evidence).first(size)), Error::malformed) << size;
    }
  }
}

}  // namespace
}  // namespace cloister::evidence::nitro
