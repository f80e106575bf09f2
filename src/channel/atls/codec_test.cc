#include <gtest/gtest.h>

#include "base/cbor.h"
#include "base/text.h"
#include "channel/atls/authenticator.h"
#include "channel/atls/binding.h"
#include "channel/atls/frames.h"
#include "channel/atls/leaf.h"
#include "channel/atls/wire_format.h"
#include "evidence/common/media_types.h"

namespace cloister::atls {
namespace {

Hash32 hash_of(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

AttestationRequest good_request() {
  AttestationRequest request;
  request.context = hash_of("context");
  request.instance_id = hash_of("instance");
  request.policy_hash = hash_of("policy");
  request.max_age_s = 300;
  request.formats = {evidence::Format::tdx_quote, evidence::Format::snp_report};
  return request;
}

// --- binding
// -----------------------------------------------------------------------------------------

BindingInputs good_inputs(crypto::HashKind hash) {
  Fixed<32> exported;
  for (size_t i = 0; i < exported.size(); ++i) exported[i] = static_cast<uint8_t>(i);
  BindingInputs inputs;
  inputs.bind = bind_of(hash, as_bytes("spki"), exported);
  inputs.spki_sha256 = hash_of("spki");
  inputs.instance_id = hash_of("instance");
  inputs.request_sha256 = hash_of("request");
  inputs.claims_sha256 = hash_of("claims");
  return inputs;
}

// Expected values from a separate program over the formula in the header.
TEST(Binding, IsTheFormula) {
  EXPECT_EQ(to_hex(report_data(good_inputs(crypto::HashKind::sha384))),
            "c2bf3ab791785fd3c92dc3d33b2c3d847d681bb5844a436b17f2cd90a9519427"
            "45968c9219d532ef46b80820304d131b93942f215401491f974932b6f3ba5a8f");
  BindingInputs client = good_inputs(crypto::HashKind::sha256);
  client.role = Role::client;
  EXPECT_EQ(to_hex(report_data(client)),
            "8ca8aec58db913867385eb7a220a1c39e13084ee1502721a35af1d61e5ead280"
            "dfbfe9f69160461451ecc782a57eb802dcac0b48348596e3b1e65aa2fd3b6517");
}

TEST(Binding, EachInputChangesIt) {
  const Fixed<64> good = report_data(good_inputs(crypto::HashKind::sha384));
  struct Case {
    const char* name;
    void (*spoil)(BindingInputs&);
  };
  const Case cases[] = {
      {"role", [](BindingInputs& i) { i.role = Role::client; }},
      {"bind", [](BindingInputs& i) { i.bind[0] ^= 1; }},
      {"shorter bind", [](BindingInputs& i) { i.bind.pop_back(); }},
      {"spki", [](BindingInputs& i) { i.spki_sha256[31] ^= 1; }},
      {"instance", [](BindingInputs& i) { i.instance_id[0] ^= 1; }},
      {"request", [](BindingInputs& i) { i.request_sha256[0] ^= 1; }},
      {"claims", [](BindingInputs& i) { i.claims_sha256[0] ^= 1; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    BindingInputs inputs = good_inputs(crypto::HashKind::sha384);
    c.spoil(inputs);
    EXPECT_NE(report_data(inputs), good);
  }
}

// --- frames
// ------------------------------------------------------------------------------------------

TEST(Frames, HeadersAreBoundedByType) {
  struct Case {
    const char* name;
    Fixed<4> bytes;
    std::optional<AtlsError> want;
  };
  const Case cases[] = {
      {"done", {5, 0, 0, 0}, std::nullopt},
      {"done with a body", {5, 0, 0, 1}, AtlsError::frame_too_large},
      {"verdict", {4, 0, 0, 33}, std::nullopt},
      {"long verdict", {4, 0, 0, 34}, AtlsError::frame_too_large},
      {"GPU evidence of 1 MiB", {2, 0x10, 0, 0}, std::nullopt},
      {"GPU evidence over 1 MiB", {2, 0x10, 0, 1}, AtlsError::frame_too_large},
      {"longest length", {3, 0xff, 0xff, 0xff}, AtlsError::frame_too_large},
      {"type zero", {0, 0, 0, 0}, AtlsError::data_before_done},
      {"type eight", {8, 0, 0, 0}, AtlsError::data_before_done},
      {"HTTP", {'H', 'T', 'T', 'P'}, AtlsError::data_before_done},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    auto header = read_frame_header(c.bytes);
    ASSERT_EQ(header.has_value(), !c.want.has_value());
    if (c.want) {
      EXPECT_EQ(header.error(), *c.want);
    }
  }
}

template <typename Decode>
void expect_only_whole(const Buffer& whole, Decode decode) {
  EXPECT_TRUE(decode(whole));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode(Bytes(whole).first(size))) << size;
  }
  Buffer longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(decode(longer));
}

TEST(Frames, EveryTruncationAndTrailingByteIsRefused) {
  expect_only_whole(encode_verdict({true, hash_of("v")}),
                    [](Bytes b) { return decode_verdict(b).has_value(); });
  expect_only_whole(encode_error(PeerCode::busy),
                    [](Bytes b) { return decode_error(b).has_value(); });
  expect_only_whole(encode_request(good_request()),
                    [](Bytes b) { return decode_request(b).has_value(); });
  Attestation attestation;
  attestation.claims = {1, 2, 3};
  attestation.evidence.push_back({evidence::Format::snp_report, Buffer(100, 7)});
  expect_only_whole(encode_cmw(attestation).value(),
                    [](Bytes b) { return decode_cmw(b).has_value(); });
}

TEST(Frames, VerdictsAndErrorsOutsideTheirValuesAreRefused) {
  Buffer verdict = encode_verdict({true, hash_of("v")});
  EXPECT_EQ(decode_verdict(verdict).value(), (Verdict{true, hash_of("v")}));
  verdict[0] = 2;
  EXPECT_FALSE(decode_verdict(verdict));
  verdict[0] = 0;
  EXPECT_FALSE(decode_verdict(verdict)) << "a rejection with an id";
  for (uint8_t code : {uint8_t{0}, uint8_t{6}}) {
    const Buffer bytes = {0, code};
    EXPECT_FALSE(decode_error(bytes)) << int{code};
  }
}

// --- request
// -----------------------------------------------------------------------------------------

TEST(Request, SurvivesTheRoundTrip) {
  EXPECT_EQ(decode_request(encode_request(good_request())).value(), good_request());
}

TEST(Request, EachSingleFaultIsRefused) {
  const Buffer good = encode_request(good_request());
  // Offsets: 0 type, 4 context length, 37 extensions length, 39 first extension (8 bytes with
  // data), 47 second, 51 third: type, length, then version at 55 and mode at 56.
  struct Case {
    const char* name;
    size_t offset;
    uint8_t value;
  };
  const Case cases[] = {
      {"message type", 0, 13},        {"context length", 4, 31},
      {"first extension", 40, 14},    {"signature algorithm", 46, 4},
      {"second extension", 48, 0x36}, {"cmw with data", 50, 1},
      {"third extension", 52, 0x37},  {"version", 55, 2},
      {"mode zero", 56, 0},           {"mode three", 56, 3},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Buffer spoiled = good;
    ASSERT_NE(spoiled[c.offset], c.value);
    spoiled[c.offset] = c.value;
    auto request = decode_request(spoiled);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error(), AtlsError::request_malformed);
  }
  AttestationRequest request = good_request();
  request.formats = {};
  EXPECT_FALSE(decode_request(encode_request(request))) << "no formats";
  request.formats = {evidence::Format::snp_report, evidence::Format::tdx_quote};
  EXPECT_FALSE(decode_request(encode_request(request))) << "formats out of order";
  request.formats = {evidence::Format::tdx_quote, evidence::Format::tdx_quote};
  EXPECT_FALSE(decode_request(encode_request(request))) << "a format twice";
}

// --- evidence wrapper
// --------------------------------------------------------------------------------

Buffer cmw_of(std::vector<std::pair<std::string, Buffer>> records) {
  CborWriter out;
  out.map(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    out.key(i).array(2).text(records[i].first).bytes(records[i].second);
  }
  return out.take();
}

TEST(Cmw, RefusesEachFaultByItsError) {
  const std::string claims(kClaimsMediaType);
  const std::string tdx = evidence::media_type(evidence::Format::tdx_quote);
  const std::pair<std::string, Buffer> item{tdx, {1}};
  struct Case {
    const char* name;
    Buffer bytes;
    std::optional<AtlsError> want;
  };
  const Case cases[] = {
      {"good", cmw_of({{claims, {1}}, item}), std::nullopt},
      {"most items", cmw_of({{claims, {1}}, item, item, item, item}), std::nullopt},
      {"too many items", cmw_of({{claims, {1}}, item, item, item, item, item}),
       AtlsError::evidence_malformed},
      {"claims alone", cmw_of({{claims, {1}}}), AtlsError::evidence_absent},
      {"nothing", cmw_of({}), AtlsError::evidence_malformed},
      {"no claims", cmw_of({item, item}), AtlsError::evidence_malformed},
      {"empty claims", cmw_of({{claims, {}}, item}), AtlsError::evidence_malformed},
      {"long claims", cmw_of({{claims, Buffer(kMaxClaimsBytes + 1)}, item}),
       AtlsError::evidence_malformed},
      {"empty evidence", cmw_of({{claims, {1}}, {tdx, {}}}), AtlsError::evidence_malformed},
      {"unknown type", cmw_of({{claims, {1}}, {"application/x", {1}}}),
       AtlsError::evidence_malformed},
      {"over 64 KiB", cmw_of({{claims, {1}}, {tdx, Buffer(65000)}, {tdx, Buffer(1000)}}),
       AtlsError::evidence_malformed},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    auto decoded = decode_cmw(c.bytes);
    ASSERT_EQ(decoded.has_value(), !c.want.has_value());
    if (c.want) {
      EXPECT_EQ(decoded.error(), *c.want);
    }
  }
}

// --- authenticator
// -----------------------------------------------------------------------------------

class Authenticator : public testing::Test {
 protected:
  static Exported exported(uint8_t seed) {
    return {crypto::HashKind::sha384, SecretBuffer(48, seed), SecretBuffer(48, uint8_t(seed + 1))};
  }
  Buffer make(const Leaf& leaf, const crypto::PrivateKey& key, Bytes cmw) const {
    return make_authenticator(exported_, request_, context_, leaf.certificate, key, cmw);
  }
  Result<Bytes> verify(const Exported& keys, Bytes request, Bytes authenticator) const {
    return verify_authenticator(keys, request, context_, leaf_.certificate, authenticator);
  }

  SystemRandom random_;
  Leaf leaf_ = make_leaf(random_, 1'800'000'000);
  Leaf other_ = make_leaf(random_, 1'800'000'000);
  Exported exported_ = exported(1);
  RequestContext context_ = good_request().context;
  Buffer request_ = encode_request(good_request());
  Buffer cmw_ = Buffer(300, 9);
  Buffer good_ = make(leaf_, leaf_.key, cmw_);
};

TEST_F(Authenticator, HoldsWithItsOwnConnectionAndGivesTheEvidence) {
  auto cmw = verify(exported_, request_, good_);
  ASSERT_TRUE(cmw);
  EXPECT_TRUE(equal(*cmw, cmw_));
}

TEST_F(Authenticator, IsRefusedEverywhereElse) {
  auto error = [](const Result<Bytes>& r) { return r ? std::nullopt : std::optional(r.error()); };
  EXPECT_EQ(error(verify(exported(7), request_, good_)), AtlsError::bad_finished)
      << "another connection";
  AttestationRequest second = good_request();
  second.context = hash_of("another context");
  EXPECT_EQ(error(verify(exported_, encode_request(second), good_)), AtlsError::bad_finished)
      << "an earlier request of the same connection";
  Exported half = exported(1);
  half.handshake_context[0] ^= 1;
  EXPECT_EQ(error(verify(half, request_, good_)), AtlsError::bad_finished);

  const Buffer context_wrong =
      make_authenticator(exported_, request_, second.context, leaf_.certificate, leaf_.key, cmw_);
  EXPECT_EQ(error(verify(exported_, request_, context_wrong)), AtlsError::wrong_context);
  EXPECT_EQ(error(verify(exported_, request_, make(other_, other_.key, cmw_))),
            AtlsError::leaf_mismatch);
  EXPECT_EQ(error(verify(exported_, request_, make(leaf_, other_.key, cmw_))),
            AtlsError::bad_certificate_verify)
      << "our leaf, but a key that is not its own";
  EXPECT_EQ(error(verify(exported_, request_, make(leaf_, leaf_.key, {}))),
            AtlsError::evidence_absent);
}

TEST_F(Authenticator, EveryTruncationIsRefused) {
  for (size_t size = 0; size < good_.size(); ++size) {
    auto cmw = verify(exported_, request_, Bytes(good_).first(size));
    ASSERT_FALSE(cmw) << size;
    EXPECT_EQ(cmw.error(), AtlsError::authenticator_malformed) << size;
  }
}

TEST_F(Authenticator, EveryChangedByteIsRefused) {
  for (size_t i = 0; i < good_.size(); ++i) {
    Buffer spoiled = good_;
    spoiled[i] ^= 1;
    EXPECT_FALSE(verify(exported_, request_, spoiled)) << i;
  }
}

// --- leaf
// --------------------------------------------------------------------------------------------

TEST(LeafCheck, EachSingleFaultIsRefusedByItsOwnError) {
  constexpr UnixSeconds kNow = 1'800'000'000;
  SystemRandom random;
  const Leaf good = make_leaf(random, kNow);
  const Hash32 spki = good.certificate.spki_sha256();
  auto check = [](const crypto::Certificate& c, const Hash32& key, UnixSeconds now) {
    auto leaf = check_leaf(c.der(), key, now);
    return leaf ? std::nullopt : std::optional(leaf.error());
  };
  EXPECT_EQ(check(good.certificate, spki, kNow), std::nullopt);
  EXPECT_EQ(check(good.certificate, hash_of("other"), kNow), AtlsError::leaf_not_as_registered);
  EXPECT_EQ(check(good.certificate, spki, kNow + kMaxLeafLifeSeconds),
            AtlsError::leaf_not_valid_now);
  EXPECT_EQ(check(good.certificate, spki, kNow - 3600), AtlsError::leaf_not_valid_now);

  crypto::IssueRequest request;
  request.subject_cn = "x";
  request.serial = {1};
  request.not_before = kNow - 10;
  request.not_after = kNow + 10;
  EXPECT_EQ(check(issue_certificate(request, good.key, nullptr, good.key), spki, kNow),
            std::nullopt);
  auto spoiled = [&](void (*spoil)(crypto::IssueRequest&)) {
    crypto::IssueRequest bad = request;
    spoil(bad);
    return check(issue_certificate(bad, good.key, nullptr, good.key), spki, kNow);
  };
  EXPECT_EQ(spoiled([](crypto::IssueRequest& r) { r.not_after = r.not_before + 24 * 3600 + 1; }),
            AtlsError::leaf_malformed);
  EXPECT_EQ(spoiled([](crypto::IssueRequest& r) { r.ca = true; }), AtlsError::leaf_malformed);
  EXPECT_EQ(spoiled([](crypto::IssueRequest& r) {
              r.extensions.push_back({"1.3.6.1.5.5.7.1.35", true, {4, 1, 1}});
            }),
            AtlsError::leaf_malformed);
  EXPECT_EQ(spoiled([](crypto::IssueRequest& r) {
              r.extensions.push_back({"1.3.6.1.5.5.7.1.35", false, Buffer(70'000, 1)});
            }),
            AtlsError::leaf_too_large);

  const auto p384 = crypto::PrivateKey::generate_ec(crypto::Curve::p384);
  const auto big = issue_certificate(request, p384, nullptr, p384);
  EXPECT_EQ(check(big, big.spki_sha256(), kNow), AtlsError::leaf_malformed);
  const Leaf issuer = make_leaf(random, kNow);
  const auto issued = issue_certificate(request, good.key, &issuer.certificate, issuer.key);
  EXPECT_EQ(check(issued, spki, kNow), AtlsError::leaf_malformed) << "not self-signed";
  EXPECT_FALSE(check_leaf(as_bytes("no certificate"), spki, kNow));
}

TEST(LeafCheck, RenewalKeepsTheKey) {
  SystemRandom random;
  const Leaf leaf = make_leaf(random, 1'800'000'000, as_bytes("registration evidence"));
  const auto renewed = make_leaf_certificate(leaf.key, random, 1'800'080'000);
  EXPECT_TRUE(check_leaf(renewed.der(), leaf.certificate.spki_sha256(), 1'800'090'000));
  const auto cmw = leaf.certificate.extension("1.3.6.1.5.5.7.1.35");
  ASSERT_TRUE(cmw);
  EXPECT_TRUE(as_text(*cmw).ends_with("registration evidence"));
}

}  // namespace
}  // namespace cloister::atls
