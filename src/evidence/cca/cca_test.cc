#include <gmock/gmock.h>

#include <functional>

#include "base/cbor.h"
#include "crypto/hash.h"
#include "evidence/cca/token.h"
#include "evidence/cca/verify.h"
#include "evidence/common/cases_testing.h"
#include "evidence/common/faults_testing.h"

namespace cloister::evidence::cca {
namespace {

const Buffer kEs384 = {0xA1, 0x01, 0x38, 0x22};

// A map of claims, each already encoded, so that a test can leave out, add or bend one.
using Claims = std::map<int64_t, Buffer>;

Buffer encoded(const std::function<void(CborWriter&)>& write) {
  CborWriter out;
  write(out);
  return to_buffer(out.view());
}
Buffer bytes_of(const Buffer& b) {
  return encoded([&](CborWriter& out) { out.bytes(b); });
}
Buffer text_of(std::string_view t) {
  return encoded([&](CborWriter& out) { out.text(t); });
}
Buffer number_of(uint64_t v) {
  return encoded([&](CborWriter& out) { out.u64(v); });
}
// Integers of either sign as keys.
Buffer key_of(int64_t key) {
  Buffer out = number_of(key >= 0 ? static_cast<uint64_t>(key) : static_cast<uint64_t>(-1 - key));
  if (key < 0) out[0] |= 0x20;
  return out;
}
Buffer map_of(const Claims& claims) {
  return encoded([&](CborWriter& out) {
    out.map(claims.size());
    for (const auto& [key, value] : claims) out.raw(key_of(key)).raw(value);
  });
}

Buffer point_of(const crypto::PrivateKey& key) {
  Buffer out = key.public_xy();
  out.insert(out.begin(), 0x04);
  return out;
}

const crypto::PrivateKey& platform_key() {
  static const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p384);
  return key;
}
const crypto::PrivateKey& realm_key() {
  static const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p384);
  return key;
}

struct Scenario {
  Scenario() {
    set_realm_key(point_of(realm_key()));
    platform[265] = text_of("http://arm.com/CCA-SSD/1.0.0");
    platform[2396] = bytes_of(Buffer(32, 1));
    platform[256] = bytes_of(Buffer(33, 2));
    platform[2401] = bytes_of(Buffer(4, 3));
    platform[2395] = number_of(0x3003);
    platform[2402] = text_of("sha-256");
    platform[2399] = encoded([](CborWriter& out) {
      out.array(1).raw(map_of({{1, text_of("BL")},
                               {2, bytes_of(Buffer(32, 4))},
                               {4, text_of("1.0")},
                               {5, bytes_of(Buffer(32, 5))}}));
    });
    realm[10] = bytes_of(Buffer(64, 6));
    realm[44235] = bytes_of(Buffer(64));
    realm[44236] = text_of("sha-256");
    realm[44240] = text_of("sha-256");
    realm[44238] = bytes_of(Buffer(32, 7));
    set_registers(4, 32);
    collateral.keys = {crypto::PublicKey::from_spki_der(platform_key().spki_der()).value()};
  }
  void set_realm_key(const Buffer& key_bytes) {
    realm[44237] = bytes_of(key_bytes);
    platform[10] = bytes_of(crypto::hash(crypto::HashKind::sha256, key_bytes));
  }
  void set_registers(size_t count, size_t size) {
    realm[44239] = encoded([&](CborWriter& out) {
      out.array(count);
      for (size_t i = 0; i < count; ++i) out.bytes(Buffer(size, static_cast<uint8_t>(i)));
    });
  }

  Claims platform, realm;
  Buffer protected_header = kEs384;
  const crypto::PrivateKey* platform_signer = &platform_key();
  const crypto::PrivateKey* realm_signer = &realm_key();
  uint64_t outer_tag = 399;
  std::map<int64_t, Buffer> more_tokens;
  Collateral collateral;
  Binding binding = Binding::nonce(Buffer(64, 6));

  Buffer sign1(const Claims& claims, const crypto::PrivateKey& key) const {
    const Buffer payload = map_of(claims);
    const Buffer signature = key.sign_ecdsa(cose::sig_structure(protected_header, payload));
    Buffer out = encoded([&](CborWriter& w) {
      w.array(4).bytes(protected_header).map(0).bytes(payload).bytes(signature);
    });
    out.insert(out.begin(), 0xD2);  // tag 18
    return out;
  }
  Buffer token() const {
    Claims tokens = more_tokens;
    tokens[44234] = bytes_of(sign1(platform, *platform_signer));
    tokens[44241] = bytes_of(sign1(realm, *realm_signer));
    Buffer out = map_of(tokens);
    Buffer tag = number_of(outer_tag);
    tag[0] |= 0xC0;
    out.insert(out.begin(), tag.begin(), tag.end());
    return out;
  }
  Verification judge() const { return verify_cca(token(), collateral, binding); }
};

Buffer cose_key(const crypto::PrivateKey& key, int64_t curve) {
  const Buffer xy = key.public_xy();
  const size_t half = xy.size() / 2;
  return map_of({{1, number_of(2)},
                 {-1, number_of(static_cast<uint64_t>(curve))},
                 {-2, bytes_of(Buffer(xy.begin(), xy.begin() + static_cast<long>(half)))},
                 {-3, bytes_of(Buffer(xy.begin() + static_cast<long>(half), xy.end()))}});
}

TEST(Cca, EveryCaseHasItsAnswer) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  const std::vector<Case> cases = load_cases(*vectors, "cca-token");
  EXPECT_EQ(cases.size(), 8u);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.id);
    const auto got = verify_cca(c.evidence, c.gathered().value(), c.binding());
    EXPECT_EQ(got.verified.has_value(), got.appraisal.accepted());
    EXPECT_THAT(differences(c, got.appraisal), testing::IsEmpty());
  }
}

TEST(Cca, TheUnbentScenarioIsAcceptedAndGivesTypedClaims) {
  const Verification got = Scenario().judge();
  ASSERT_TRUE(got.verified) << got.appraisal.detail;
  EXPECT_EQ(got.verified->nonce(), Buffer(64, 6));
  EXPECT_EQ(got.verified->measurement(), Buffer(32, 7));
  EXPECT_EQ(got.verified->runtime_measurements().size(), 4u);
  EXPECT_EQ(got.verified->platform_id(), Buffer(33, 2));
  EXPECT_EQ(got.verified->configuration(), Buffer(64));
  EXPECT_EQ(got.verified->product(), "CCA");
}

TEST(Cca, TheProfileThatNamesItselfCarriesACoseKey) {
  for (const auto curve : {crypto::Curve::p384, crypto::Curve::p256}) {
    const auto key = crypto::PrivateKey::generate_ec(curve);
    Scenario s;
    s.realm[265] = text_of("tag:arm.com,2023:realm#1.0.0");
    s.set_realm_key(cose_key(key, curve == crypto::Curve::p384 ? 2 : 1));
    s.realm_signer = &key;
    // Both tokens share one header here, so only the key of that algorithm's curve can sign.
    const bool fits = curve == crypto::Curve::p384;
    const Verification got = s.judge();
    EXPECT_EQ(got.verified.has_value(), fits) << got.appraisal.detail;
  }
}

TEST(Cca, OneOfSeveralKeysIsEnough) {
  Scenario s;
  const auto other = crypto::PrivateKey::generate_ec(crypto::Curve::p384);
  s.collateral.keys.insert(s.collateral.keys.begin(),
                           crypto::PublicKey::from_spki_der(other.spki_der()).value());
  EXPECT_TRUE(s.judge().verified);
}

TEST(Cca, EachSingleFaultIsRefusedByItsOwnError) {
  expect_refusals_of<Scenario>({
      {"another outer tag", Error::malformed, [](Scenario& s) { s.outer_tag = 398; }},
      {"a third token", Error::malformed,
       [](Scenario& s) { s.more_tokens[44242] = bytes_of({0xA0}); }},
      {"ES512", Error::unsupported,
       [](Scenario& s) { s.protected_header = {0xA1, 0x01, 0x38, 0x23}; }},
      {"another platform profile", Error::unsupported,
       [](Scenario& s) { s.platform[265] = text_of("tag:example,2026:other"); }},
      {"no platform profile", Error::malformed, [](Scenario& s) { s.platform.erase(265); }},
      {"no platform challenge", Error::malformed, [](Scenario& s) { s.platform.erase(10); }},
      {"no implementation id", Error::malformed, [](Scenario& s) { s.platform.erase(2396); }},
      {"an implementation id of 31 bytes", Error::malformed,
       [](Scenario& s) { s.platform[2396] = bytes_of(Buffer(31)); }},
      {"an instance id of 32 bytes", Error::malformed,
       [](Scenario& s) { s.platform[256] = bytes_of(Buffer(32)); }},
      {"no lifecycle", Error::malformed, [](Scenario& s) { s.platform.erase(2395); }},
      {"a lifecycle of 17 bits", Error::malformed,
       [](Scenario& s) { s.platform[2395] = number_of(0x13003); }},
      {"no software components", Error::malformed, [](Scenario& s) { s.platform.erase(2399); }},
      {"an empty list of software components", Error::malformed,
       [](Scenario& s) { s.platform[2399] = {0x80}; }},
      {"a component without a measurement", Error::malformed,
       [](Scenario& s) {
         s.platform[2399] = encoded(
             [](CborWriter& out) { out.array(1).raw(map_of({{5, bytes_of(Buffer(32))}})); });
       }},
      {"an unknown platform claim", Error::malformed,
       [](Scenario& s) { s.platform[9999] = number_of(1); }},
      {"no realm challenge", Error::malformed, [](Scenario& s) { s.realm.erase(10); }},
      {"a realm challenge of 32 bytes", Error::malformed,
       [](Scenario& s) { s.realm[10] = bytes_of(Buffer(32, 6)); }},
      {"no personalization value", Error::malformed, [](Scenario& s) { s.realm.erase(44235); }},
      {"an unknown realm claim", Error::malformed,
       [](Scenario& s) { s.realm[9999] = number_of(1); }},
      {"another realm profile", Error::unsupported,
       [](Scenario& s) { s.realm[265] = text_of("tag:example,2026:realm"); }},
      {"a bare key under the newer profile", Error::unsupported,
       [](Scenario& s) { s.realm[265] = text_of("tag:arm.com,2023:realm#1.0.0"); }},
      {"a COSE_Key under the older profile", Error::unsupported,
       [](Scenario& s) { s.set_realm_key(cose_key(realm_key(), 2)); }},
      {"a COSE_Key with an unknown member", Error::unsupported,
       [](Scenario& s) {
         s.realm[265] = text_of("tag:arm.com,2023:realm#1.0.0");
         Buffer key = cose_key(realm_key(), 2);
         key[0] += 1;
         key.push_back(0x18);
         key.push_back(99);
         key.push_back(0);
         s.set_realm_key(key);
       }},
      {"a realm key off its curve", Error::unsupported,
       [](Scenario& s) {
         Buffer point = point_of(realm_key());
         point.back() ^= 1;
         s.set_realm_key(point);
       }},
      {"a compressed realm key", Error::unsupported,
       [](Scenario& s) {
         Buffer point = point_of(realm_key());
         point[0] = 2;
         s.set_realm_key(point);
       }},
      {"another hash of measurements", Error::unsupported,
       [](Scenario& s) { s.realm[44236] = text_of("sha3-256"); }},
      {"another hash of the key", Error::unsupported,
       [](Scenario& s) { s.realm[44240] = text_of("md5"); }},
      {"measurements of another size than their hash", Error::malformed,
       [](Scenario& s) { s.realm[44236] = text_of("sha-512"); }},
      {"three extensible measurements", Error::malformed,
       [](Scenario& s) { s.set_registers(3, 32); }},
      {"an extensible measurement too long", Error::malformed,
       [](Scenario& s) { s.set_registers(4, 48); }},
      {"no platform key", Error::collateral_missing,
       [](Scenario& s) { s.collateral.keys.clear(); }},
      {"the platform key of another machine", Error::bad_signature,
       [](Scenario& s) {
         s.collateral.keys = {crypto::PublicKey::from_spki_der(realm_key().spki_der()).value()};
       }},
      {"the platform token signed by the realm", Error::bad_signature,
       [](Scenario& s) { s.platform_signer = &realm_key(); }},
      {"the realm token signed by another realm", Error::bad_signature,
       [](Scenario& s) { s.realm_signer = &platform_key(); }},
      {"two good tokens of two machines", Error::identity_mismatch,
       [](Scenario& s) { s.platform[10] = bytes_of(Buffer(32, 9)); }},
      {"the hash of the key cut short", Error::identity_mismatch,
       [](Scenario& s) { s.realm[44240] = text_of("sha-512"); }},
      {"not secured yet", Error::policy_denied,
       [](Scenario& s) { s.platform[2395] = number_of(0x2FFF); }},
      {"decommissioned", Error::policy_denied,
       [](Scenario& s) { s.platform[2395] = number_of(0x3100); }},
      {"debug lifecycle", Error::policy_denied,
       [](Scenario& s) { s.platform[2395] = number_of(0x4000); }},
      {"another challenge", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(64, 7)); }},
      {"a prefix of the challenge", Error::nonce_mismatch,
       [](Scenario& s) { s.binding = Binding::nonce(Buffer(32, 6)); }},
      {"report data, which a token has not", Error::report_data_mismatch,
       [](Scenario& s) { s.binding = Binding::report_data(Buffer(64, 6)); }},
  });
}

TEST(Cca, BothEndsOfTheSecuredLifecycleAreInside) {
  for (uint64_t state : {uint64_t{0x3000}, uint64_t{0x30FF}}) {
    Scenario s;
    s.platform[2395] = number_of(state);
    EXPECT_TRUE(s.judge().verified);
  }
}

TEST(Cca, EveryFlippedByteAndEveryCutOfARecordedTokenIsRefused) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : load_cases(*vectors, "cca-token")) {
    if (!c.accept) continue;
    const Collateral collateral = c.gathered().value();
    const auto judge = [&](Bytes bytes) {
      return verify_cca(bytes, collateral, c.binding()).appraisal.error;
    };
    expect_every_flip_refused(c.evidence, judge);
    for (size_t size = 0; size < c.evidence.size(); ++size) {
      ASSERT_EQ(judge(Bytes(c.evidence).first(size)), Error::malformed) << size;
    }
  }
}

}  // namespace
}  // namespace cloister::evidence::cca
