#include <gtest/gtest.h>

#include <algorithm>

#include "evidence/common/der.h"
#include "evidence/dcap/pck.h"
#include "evidence/dcap/qe_identity.h"
#include "evidence/dcap/tcb_level.h"
#include "evidence/sim/intel_parts.h"

namespace cloister::evidence::dcap {
namespace {

TEST(Der, TakesOnlyMinimalForms) {
  const auto u16 = [](Buffer der) { return DerReader(der).u16(); };
  EXPECT_EQ(u16({0x02, 1, 0}), 0);
  EXPECT_EQ(u16({0x02, 1, 0x7f}), 0x7f);
  EXPECT_EQ(u16({0x02, 2, 0, 0x80}), 0x80);
  EXPECT_EQ(u16({0x02, 3, 0, 0xff, 0xff}), 0xffff);
  EXPECT_FALSE(u16({0x02, 1, 0x80}));     // negative
  EXPECT_FALSE(u16({0x02, 2, 0, 0x7f}));  // a zero too many
  EXPECT_FALSE(u16({0x02, 3, 1, 0, 0}));  // 65536
  EXPECT_FALSE(u16({0x02, 0}));           // empty
  EXPECT_FALSE(u16({0x02, 0x81, 1, 0}));  // long form of a short length
  EXPECT_FALSE(u16({0x02, 2, 0}));        // cut off
  EXPECT_FALSE(u16({0x04, 1, 0}));        // another tag
  const auto boolean = [](Buffer der) { return DerReader(der).boolean(); };
  EXPECT_EQ(boolean({0x01, 1, 0xff}), true);
  EXPECT_EQ(boolean({0x01, 1, 0}), false);
  EXPECT_FALSE(boolean({0x01, 1, 1}));
  EXPECT_FALSE(DerReader(Buffer{0x30, 0x80, 0, 0}).sequence());        // indefinite
  EXPECT_FALSE(DerReader(Buffer{0x30, 0x82, 0, 0x80}).sequence());     // 128 in two bytes
  EXPECT_FALSE(DerReader(Buffer{0x30, 0x83, 0, 0, 1, 0}).sequence());  // three bytes of length
}

sim::IntelPlatform platform() {
  sim::IntelPlatform out;
  for (uint8_t i = 0; i < 16; ++i) {
    out.ppid[i] = i;
    out.cpu_svn[i] = static_cast<uint8_t>(240 + i);
  }
  out.instance_id.fill(9);
  out.pce_svn = 0x1234;
  out.pce_id = {1, 2};
  return out;
}

TEST(PckExtension, SaysWhatWasEncoded) {
  const auto got = parse_pck_extension(sim::encode_pck_extension(platform()));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->ppid, platform().ppid);
  EXPECT_EQ(got->cpu_svn, platform().cpu_svn);
  EXPECT_EQ(got->pce_svn, 0x1234);
  EXPECT_EQ(got->pce_id, platform().pce_id);
  EXPECT_EQ(got->fmspc, platform().fmspc);
  EXPECT_EQ(got->sgx_type, SgxType::scalable);
  EXPECT_EQ(got->platform_instance_id, platform().instance_id);
  ASSERT_TRUE(got->configuration);
  EXPECT_TRUE(got->configuration->smt_enabled);
}

TEST(PckExtension, EveryTruncationAndTrailingByteIsRefused) {
  Buffer der = sim::encode_pck_extension(platform());
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(parse_pck_extension(Bytes(der).first(size))) << size;
  }
  der.push_back(0);
  EXPECT_FALSE(parse_pck_extension(der));
}

// Members are SEQUENCEs of their own: each is found by its OID's last arcs.
size_t member_at(const Buffer& der, std::initializer_list<uint8_t> arcs) {
  Buffer oid = {
      0x06, static_cast<uint8_t>(9 + arcs.size()), 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d,
      0x01};
  oid.insert(oid.end(), arcs);
  const auto found = std::search(der.begin(), der.end(), oid.begin(), oid.end());
  EXPECT_NE(found, der.end());
  return static_cast<size_t>(found - der.begin()) + oid.size() - 1;  // the last arc
}

TEST(PckExtension, MembersComeExactlyOnceAndAgree) {
  const Buffer good = sim::encode_pck_extension(platform());
  struct Bend {
    const char* name;
    std::initializer_list<uint8_t> member;
    uint8_t arc;
  };
  const Bend bends[] = {
      {"PPID twice, PCEID missing", {3}, 1},
      {"unknown member", {7}, 8},
      {"member zero", {6}, 0},
      {"component twice", {2, 5}, 4},
      {"unknown component", {2, 18}, 19},
      {"configuration twice", {7, 2}, 1},
      {"unknown configuration", {7, 3}, 4},
  };
  for (const Bend& bend : bends) {
    SCOPED_TRACE(bend.name);
    Buffer der = good;
    der[member_at(der, bend.member)] = bend.arc;
    EXPECT_FALSE(parse_pck_extension(der));
  }
  Buffer differs = good;
  differs[member_at(differs, {2, 18}) + 3] ^= 1;  // first byte of CPUSVN
  EXPECT_FALSE(parse_pck_extension(differs));
  Buffer type = good;
  type[member_at(type, {5}) + 3] = 3;
  EXPECT_FALSE(parse_pck_extension(type));
}

TEST(TcbInfo, TruncationsAndMissingMembersAreRefused) {
  const std::string body = sim::encode_tcb_info(sim::default_tcb_info({0, 1}));
  const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  const std::string document = sim::sign_document("tcbInfo", body, key);
  ASSERT_TRUE(parse_tcb_info(document));
  for (size_t size = 0; size < document.size(); ++size) {
    EXPECT_FALSE(parse_tcb_info(std::string_view(document).substr(0, size))) << size;
  }
  for (const char* name : {"id",
                           "version",
                           "issueDate",
                           "nextUpdate",
                           "fmspc",
                           "pceId",
                           "tcbType",
                           "tcbLevels",
                           "tcbEvaluationDataNumber",
                           "tdxModule",
                           "mrsigner",
                           "attributes",
                           "attributesMask",
                           "tcb",
                           "sgxtcbcomponents",
                           "tdxtcbcomponents",
                           "pcesvn",
                           "tcbDate",
                           "tcbStatus",
                           "isvsvn"}) {
    SCOPED_TRACE(name);
    std::string bent = document;
    const std::string member = "\"" + std::string(name) + "\":";
    const size_t at = bent.find(member);
    ASSERT_NE(at, std::string::npos);
    bent[at + 1] = '_';
    EXPECT_FALSE(parse_tcb_info(bent));
  }
}

TEST(QeIdentity, TruncationsAndMissingMembersAreRefused) {
  const std::string body = sim::encode_qe_identity(sim::default_qe_identity({0, 1}));
  const auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  const std::string document = sim::sign_document("enclaveIdentity", body, key);
  ASSERT_TRUE(parse_qe_identity(document));
  for (size_t size = 0; size < document.size(); ++size) {
    EXPECT_FALSE(parse_qe_identity(std::string_view(document).substr(0, size))) << size;
  }
  for (const char* name :
       {"id", "version", "issueDate", "nextUpdate", "tcbEvaluationDataNumber", "miscselect",
        "miscselectMask", "attributes", "attributesMask", "mrsigner", "isvprodid", "tcbLevels"}) {
    SCOPED_TRACE(name);
    std::string bent = document;
    const size_t at = bent.find("\"" + std::string(name) + "\":");
    ASSERT_NE(at, std::string::npos);
    bent[at + 1] = '_';
    EXPECT_FALSE(parse_qe_identity(bent));
  }
}

TEST(Times, OnlyRealOnesInTheOneForm) {
  const auto at = [](std::string_view text) {
    return time_field(JsonValue::object({{"t", text}}), "t");
  };
  EXPECT_EQ(at("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(at("2025-06-19T10:16:03Z"), 1750328163);
  EXPECT_EQ(at("2024-02-29T23:59:59Z"), 1709251199);
  for (const char* text : {"", "2025-06-19", "2025-06-19T10:16:03", "2025-06-19T10:16:03+00:00",
                           "2025-02-29T00:00:00Z", "2025-06-19t10:16:03Z", "2025-06-19T24:00:00Z",
                           "2025-06-19T10:16:60Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z",
                           "2025-06-00T00:00:00Z", "2o25-06-19T10:16:03Z", " 2025-6-19T10:16:03Z",
                           "2025-06-19T10:16:03.0Z"}) {
    EXPECT_FALSE(at(text)) << text;
  }
}

TEST(Merge, IsAUnion) {
  for (uint8_t a = 1; a <= 9; ++a) {
    const auto x = static_cast<TcbStatus>(a);
    EXPECT_EQ(merge(x, x), x);
    EXPECT_EQ(merge(x, TcbStatus::up_to_date), x);
    EXPECT_EQ(merge(x, TcbStatus::revoked), TcbStatus::revoked);
    for (uint8_t b = 1; b <= 9; ++b) {
      const auto y = static_cast<TcbStatus>(b);
      EXPECT_EQ(merge(x, y), merge(y, x));
      // Never better than either.
      EXPECT_FALSE(!accepted(x, false) && accepted(merge(x, y), false));
    }
  }
}

}  // namespace
}  // namespace cloister::evidence::dcap
