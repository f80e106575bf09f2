#include <gmock/gmock.h>

#include <functional>

#include "base/text.h"
#include "evidence/common/cases_testing.h"
#include "evidence/common/faults_testing.h"
#include "evidence/tpm/quote.h"
#include "evidence/tpm/verify.h"

namespace cloister::evidence::tpm {
namespace {

const crypto::PrivateKey& p256() {
  static const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  return key;
}
const crypto::PrivateKey& p384() {
  static const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p384);
  return key;
}
crypto::PublicKey public_of(const crypto::PrivateKey& key) {
  return *crypto::PublicKey::from_spki_der(key.spki_der());
}

std::string envelope_of(Bytes message, Bytes signature, const std::vector<Buffer>& pcrs) {
  JsonValue values = JsonValue::Array{};
  for (const Buffer& each : pcrs) values.push(to_hex(each));
  JsonValue out;
  out.set("message", to_hex(message));
  out.set("signature", to_hex(signature));
  out.set("pcrs", std::move(values));
  return out.dump();
}

// One quote under a key of our own, signed as it should be, from parameters of which a test bends
// one.
struct Scenario {
  uint32_t magic = 0xFF544347;
  uint16_t type = 0x8018;
  Buffer signer = Buffer(34, 1);
  Buffer extra_data = Buffer(32, 7);
  uint8_t clock_safe = 1;
  uint32_t banks = 1;
  uint16_t bank = 0x000B;
  Buffer bitmap = {0x07, 0, 0x80};  // 0, 1, 2 and 23
  std::vector<Buffer> pcrs = {Buffer(32, 1), Buffer(32, 2), Buffer(32, 3), Buffer(32, 4)};
  std::optional<Buffer> digest{};
  Buffer after{};
  const crypto::PrivateKey* key = &p256();
  crypto::HashKind hash = crypto::HashKind::sha256;  // that the digest is made with
  std::function<Buffer(Bytes signature)> form = [](Bytes raw) { return to_buffer(raw); };
  std::function<void(std::string& envelope)> bend{};

  std::vector<crypto::PublicKey> keys = {public_of(p256())};
  VerifyPolicy policy{};
  Binding binding = Binding::not_compared();

  Buffer message() const {
    ByteWriter values;
    for (const Buffer& each : pcrs) values.bytes(each);
    const Buffer quoted = digest.value_or(crypto::hash(hash, values.view()));
    ByteWriter out;
    out.u32_be(magic).u16_be(type);
    out.u16_be(static_cast<uint16_t>(signer.size())).bytes(signer);
    out.u16_be(static_cast<uint16_t>(extra_data.size())).bytes(extra_data);
    out.u64_be(123456).u32_be(5).u32_be(6).u8(clock_safe).u64_be(0x2020);
    out.u32_be(banks);
    for (uint32_t i = 0; i < banks; ++i) {
      out.u16_be(bank).u8(static_cast<uint8_t>(bitmap.size())).bytes(bitmap);
    }
    out.u16_be(static_cast<uint16_t>(quoted.size())).bytes(quoted).bytes(after);
    return out.take();
  }
  std::string envelope() const {
    const Buffer signed_bytes = message();
    std::string out = envelope_of(signed_bytes, form(key->sign_ecdsa(signed_bytes)), pcrs);
    if (bend) bend(out);
    return out;
  }
  Verification judge() const {
    Collateral collateral;
    collateral.keys = keys;
    return verify_tpm_quote(as_bytes(envelope()), collateral, policy, binding);
  }
};

// TPMT_SIGNATURE of ECDSA, with numbers of the given widths.
Buffer tpmt(uint16_t scheme, uint16_t hash, Bytes r, Bytes s) {
  ByteWriter out;
  out.u16_be(scheme).u16_be(hash);
  out.u16_be(static_cast<uint16_t>(r.size())).bytes(r);
  out.u16_be(static_cast<uint16_t>(s.size())).bytes(s);
  return out.take();
}
Buffer tpmt_ecdsa(Bytes raw) {
  const size_t half = raw.size() / 2;
  return tpmt(0x0018, half == 32 ? 0x000B : 0x000C, raw.first(half), raw.subspan(half));
}

TEST(Tpm, EveryCaseHasItsAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const std::vector<Case> cases = load_cases(*vectors, "tpm-quote");
  EXPECT_EQ(cases.size(), 11u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    const auto got = verify_tpm_quote(c.evidence, *c.gathered(), c.policy, c.binding());
    EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
    EXPECT_THAT(differences(c, got.appraisal), testing::IsEmpty());
  }
}

TEST(Tpm, TheUnbentScenarioIsAcceptedAndGivesTypedClaims) {
  Scenario s;
  s.binding = Binding::nonce(Buffer(32, 7));
  s.policy.tpm_selection = PcrSelection{crypto::HashKind::sha256, {0, 23}};
  const Verification got = s.judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_EQ(got.verified->nonce(), Buffer(32, 7));
  EXPECT_EQ(got.verified->runtime_measurements(), s.pcrs);
  EXPECT_EQ(got.appraisal.claims["pcr23"].string(), to_hex(Buffer(32, 4)));
  EXPECT_EQ(got.appraisal.claims["reset_count"].u64(), 5u);
  EXPECT_FALSE(got.verified->development());
}

TEST(Tpm, SignaturesOfBothCurvesWithAndWithoutTheirHeader) {
  Scenario s;
  s.form = tpmt_ecdsa;
  EXPECT_TRUE(s.judge().verified);
  s.key = &p384();
  s.keys = {public_of(p256()), public_of(p384())};
  s.hash = crypto::HashKind::sha384;
  EXPECT_TRUE(s.judge().verified);
  s.form = [](Bytes raw) { return to_buffer(raw); };
  EXPECT_TRUE(s.judge().verified);
  s.hash = crypto::HashKind::sha256;  // the digest is made with the signature's hash
  EXPECT_EQ(s.judge().appraisal.error, Error::measurement_mismatch);
}

TEST(Tpm, NumbersOfASignatureMayLeaveLeadingZerosOut) {
  Scenario s;
  s.form = [](Bytes raw) {  // as if r began with a zero: wrong, but of an accepted shape
    return tpmt(0x0018, 0x000B, raw.subspan(1, 31), raw.subspan(32));
  };
  EXPECT_EQ(s.judge().appraisal.error, Error::bad_signature);
  for (int attempt = 0; attempt < 4096; ++attempt) {
    const Buffer message = s.message();
    const Buffer raw = p256().sign_ecdsa(message);
    if (raw[0] != 0) continue;
    const Buffer form = tpmt(0x0018, 0x000B, Bytes(raw).subspan(1, 31), Bytes(raw).subspan(32));
    const std::string envelope = envelope_of(message, form, s.pcrs);
    Collateral collateral;
    collateral.keys = s.keys;
    EXPECT_TRUE(verify_tpm_quote(as_bytes(envelope), collateral, s.policy, s.binding).verified);
    return;
  }
  FAIL() << "no r with a leading zero in 4096 signatures";
}

TEST(Tpm, Form) {
  expect_refusals_of<Scenario>({
      {"another magic", Error::malformed, [](Scenario& s) { s.magic = 0xFF544348; }},
      {"a certified creation", Error::unsupported, [](Scenario& s) { s.type = 0x801A; }},
      {"a certified key", Error::unsupported, [](Scenario& s) { s.type = 0x8017; }},
      {"a signer of 67 bytes", Error::malformed, [](Scenario& s) { s.signer.resize(67); }},
      {"a nonce of 65 bytes", Error::malformed, [](Scenario& s) { s.extra_data.resize(65); }},
      {"clock safe twice", Error::malformed, [](Scenario& s) { s.clock_safe = 2; }},
      {"no bank", Error::unsupported, [](Scenario& s) { s.banks = 0; }},
      {"two banks", Error::unsupported, [](Scenario& s) { s.banks = 2; }},
      {"seventeen banks", Error::malformed, [](Scenario& s) { s.banks = 17; }},
      {"a bank of SHA-1", Error::unsupported, [](Scenario& s) { s.bank = 0x0004; }},
      {"a bank of SM3", Error::unsupported, [](Scenario& s) { s.bank = 0x0012; }},
      {"a bitmap of two bytes", Error::malformed, [](Scenario& s) { s.bitmap = {7, 0}; }},
      {"a bitmap of four bytes", Error::malformed, [](Scenario& s) { s.bitmap = {7, 0, 0x80, 0}; }},
      {"a value too few", Error::malformed, [](Scenario& s) { s.pcrs.pop_back(); }},
      {"a value too many", Error::malformed, [](Scenario& s) { s.pcrs.push_back(s.pcrs[0]); }},
      {"a short value", Error::malformed, [](Scenario& s) { s.pcrs[1].pop_back(); }},
      {"values of another bank", Error::malformed, [](Scenario& s) { s.bank = 0x000C; }},
      {"a digest of 65 bytes", Error::malformed, [](Scenario& s) { s.digest = Buffer(65); }},
      {"a byte after the quote", Error::malformed, [](Scenario& s) { s.after = {0}; }},
      {"not JSON", Error::malformed, [](Scenario& s) { s.bend = [](auto& e) { e += "x"; }; }},
      {"an array", Error::malformed, [](Scenario& s) { s.bend = [](auto& e) { e = "[]"; }; }},
      {"no message", Error::malformed,
       [](Scenario& s) { s.bend = [](auto& e) { e.replace(2, 7, "massage"); }; }},
      {"a fourth member", Error::malformed,
       [](Scenario& s) { s.bend = [](auto& e) { e.replace(0, 1, R"({"more":1,)"); }; }},
      {"an odd number of digits", Error::malformed,
       [](Scenario& s) { s.bend = [](auto& e) { e.insert(12, "0"); }; }},
      {"a message of more than a kilobyte", Error::malformed,
       [](Scenario& s) { s.after = Buffer(1024); }},
      {"an envelope of 40 KiB", Error::malformed,
       [](Scenario& s) { s.bend = [](auto& e) { e += std::string(40960, ' '); }; }},
  });
}

TEST(Tpm, Signatures) {
  expect_refusals_of<Scenario>({
      {"no key", Error::collateral_missing, [](Scenario& s) { s.keys.clear(); }},
      {"another key", Error::bad_signature, [](Scenario& s) { s.keys = {public_of(p384())}; }},
      {"an empty signature", Error::malformed,
       [](Scenario& s) { s.form = [](Bytes) { return Buffer(); }; }},
      {"a cut signature", Error::malformed,
       [](Scenario& s) {
         s.form = [](Bytes raw) {
           Buffer out = tpmt_ecdsa(raw);
           out.pop_back();
           return out;
         };
       }},
      {"a byte after the signature", Error::malformed,
       [](Scenario& s) {
         s.form = [](Bytes raw) {
           Buffer out = tpmt_ecdsa(raw);
           out.push_back(0);
           return out;
         };
       }},
      {"r wider than the curve", Error::malformed,
       [](Scenario& s) {
         s.form = [](Bytes raw) {
           Buffer r(33, 0);
           std::copy_n(raw.begin(), 32, r.begin() + 1);
           return tpmt(0x0018, 0x000B, r, raw.subspan(32));
         };
       }},
      {"RSAPSS", Error::unsupported,
       [](Scenario& s) {
         s.form = [](Bytes raw) { return tpmt(0x0016, 0x000B, raw.first(32), raw.subspan(32)); };
       }},
      {"ECDAA", Error::unsupported,
       [](Scenario& s) {
         s.form = [](Bytes raw) { return tpmt(0x001A, 0x000B, raw.first(32), raw.subspan(32)); };
       }},
      {"a null scheme", Error::unsupported,
       [](Scenario& s) {
         s.form = [](Bytes raw) { return tpmt(0x0010, 0x000B, raw.first(32), raw.subspan(32)); };
       }},
      {"SHA-1", Error::unsupported,
       [](Scenario& s) {
         s.form = [](Bytes raw) { return tpmt(0x0018, 0x0004, raw.first(32), raw.subspan(32)); };
       }},
      {"SHA-512", Error::unsupported,
       [](Scenario& s) {
         s.form = [](Bytes raw) { return tpmt(0x0018, 0x000D, raw.first(32), raw.subspan(32)); };
       }},
      {"ECDSA named as RSASSA", Error::malformed,
       [](Scenario& s) {
         s.form = [](Bytes raw) { return tpmt(0x0014, 0x000B, raw.first(32), raw.subspan(32)); };
       }},
      {"P-256 with SHA-384", Error::bad_signature,
       [](Scenario& s) {
         s.form = [](Bytes raw) { return tpmt(0x0018, 0x000C, raw.first(32), raw.subspan(32)); };
       }},
      {"zeros", Error::bad_signature,
       [](Scenario& s) { s.form = [](Bytes raw) { return Buffer(raw.size()); }; }},
  });
}

TEST(Tpm, WhatIsQuotedAndForWhom) {
  expect_refusals_of<Scenario>({
      {"a demanded PCR is not quoted", Error::policy_denied,
       [](Scenario& s) {
         s.policy.tpm_selection = PcrSelection{crypto::HashKind::sha256, {0, 7}};
       }},
      {"another bank is demanded", Error::policy_denied,
       [](Scenario& s) { s.policy.tpm_selection = PcrSelection{crypto::HashKind::sha384, {0}}; }},
      {"an empty selection where one is demanded", Error::policy_denied,
       [](Scenario& s) {
         s.bitmap = {0, 0, 0};
         s.pcrs.clear();
         s.policy.tpm_selection = PcrSelection{crypto::HashKind::sha256, {0}};
       }},
      {"values in another order", Error::measurement_mismatch,
       [](Scenario& s) {
         s.bend = [](auto& e) {
           const std::string one = to_hex(Buffer(32, 1)), two = to_hex(Buffer(32, 2));
           const size_t at = e.find(one, e.find("pcrs"));
           e.replace(at, 64, two);
           e.replace(e.find(two, at + 64), 64, one);
         };
       }},
      {"a digest cut to a prefix", Error::measurement_mismatch,
       [](Scenario& s) {
         ByteWriter values;
         for (const Buffer& each : s.pcrs) values.bytes(each);
         s.digest = crypto::hash(crypto::HashKind::sha256, values.view());
         s.digest->pop_back();
       }},
      {"an empty digest", Error::measurement_mismatch, [](Scenario& s) { s.digest = Buffer(); }},
      {"another nonce", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(32, 8)); }},
      {"a nonce of which ours is a prefix", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(31, 7)); }},
      {"no nonce where one is expected", Error::nonce_mismatch,
       [](Scenario& s) {
         s.extra_data.clear();
         s.binding = Binding::nonce(Buffer(32, 7));
       }},
      {"report data, which a quote has not", Error::report_data_mismatch,
       [](Scenario& s) { s.binding = Binding::report_data(Buffer(64, 7)); }},
  });
}

// Hex has two spellings, so the bytes are flipped, not the text.
TEST(Tpm, EveryFlippedBitOfARealQuoteIsRefused) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : load_cases(*vectors, "tpm-quote")) {
    if (!c.accept) continue;
    SCOPED_TRACE(c.id);
    const auto json = parse_json(as_text(c.evidence));
    const Buffer message = *from_hex(*(*json)["message"].string()),
                 signature = *from_hex(*(*json)["signature"].string());
    std::vector<Buffer> pcrs;
    for (const auto& each : *(*json)["pcrs"].array()) pcrs.push_back(*from_hex(*each.string()));
    const Collateral collateral = *c.gathered();
    const auto judge = [&](Bytes m, Bytes s, const std::vector<Buffer>& p) {
      return verify_tpm_quote(as_bytes(envelope_of(m, s, p)), collateral, c.policy, c.binding())
          .appraisal.error;
    };
    ASSERT_FALSE(judge(message, signature, pcrs));
    const auto flipped = [](Buffer bytes, size_t at) {
      bytes[at] ^= static_cast<uint8_t>(1u << (at % 8));
      return bytes;
    };
    for (size_t i = 0; i < message.size(); ++i) {
      ASSERT_TRUE(judge(flipped(message, i), signature, pcrs)) << "message " << i;
      ASSERT_EQ(judge(Bytes(message).first(i), signature, pcrs), Error::malformed) << i;
    }
    for (size_t i = 0; i < signature.size(); ++i) {
      ASSERT_EQ(judge(message, flipped(signature, i), pcrs), Error::bad_signature) << i;
      ASSERT_TRUE(judge(message, Bytes(signature).first(i), pcrs)) << i;
    }
    for (Buffer& pcr : pcrs) {
      for (size_t i = 0; i < pcr.size(); ++i) {
        const Buffer kept = pcr;
        pcr = flipped(pcr, i);
        ASSERT_EQ(judge(message, signature, pcrs), Error::measurement_mismatch);
        pcr = kept;
      }
    }
    for (size_t size = 0; size < c.evidence.size() - 2; ++size) {
      ASSERT_EQ(verify_tpm_quote(Bytes(c.evidence).first(size), collateral, c.policy, c.binding())
                    .appraisal.error,
                Error::malformed)
          << size;
    }
  }
}

}  // namespace
}  // namespace cloister::evidence::tpm
