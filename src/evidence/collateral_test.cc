// Real collateral at the times of its cases, and what is no collateral at all.
#include "evidence/collateral.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "evidence/common/cases_testing.h"

namespace cloister::evidence {
namespace {

using Files = std::vector<Buffer>;

struct Given {
  CollateralKind kind;
  Files files;
};

// The objects of a case, each with the certificates that sign it.
std::vector<Given> objects_of(const Case& c, const std::filesystem::path& vectors) {
  std::vector<Given> out;
  const auto add = [&](const char* role, const Buffer& chain, CollateralKind kind) {
    const auto file = c.collateral.find(role);
    if (file != c.collateral.end()) out.push_back({kind, {file->second, chain}});
  };
  if (c.format == "snp-report") {
    const Buffer& chain = c.collateral.at("cert_chain");
    for (const char* role : {"vcek", "vlek"}) add(role, chain, CollateralKind::certificate);
    add("crl", chain, CollateralKind::crl);
    return out;
  }
  const bool tdx = c.format.starts_with("tdx");
  const Buffer& chain = c.collateral.at("tcb_sign_chain");
  add("tcb_info", chain, tdx ? CollateralKind::tdx_tcb_info : CollateralKind::sgx_tcb_info);
  add("qe_identity", chain,
      tdx ? CollateralKind::tdx_qe_identity : CollateralKind::sgx_qe_identity);
  add("root_crl", chain, CollateralKind::crl);
  if (c.id.find("processor") == std::string::npos && tdx) {
    add("pck_crl", read_file(vectors / "collateral/intel/pck_platform_ca_chain.pem"),
        CollateralKind::crl);
  }
  return out;
}

std::vector<Case> accepted_cases(const std::filesystem::path& vectors) {
  std::vector<Case> out;
  for (const char* format : {"tdx-quote", "sgx-quote", "snp-report"}) {
    for (Case& c : load_cases(vectors, format)) {
      if (c.accept) out.push_back(std::move(c));
    }
  }
  return out;
}

TEST(RealCollateral, IsWhatItSaysAtTheTimeOfItsCase) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  size_t objects = 0;
  for (const Case& c : accepted_cases(*vectors)) {
    for (const Given& given : objects_of(c, *vectors)) {
      SCOPED_TRACE(c.id + ", object of kind " + std::to_string(static_cast<int>(given.kind)));
      const auto got = verify_collateral(given.files, vendor_anchors(), c.time);
      ASSERT_TRUE(got) << describe(got.error());
      EXPECT_EQ(got->name.kind, given.kind);
      EXPECT_FALSE(got->development);
      EXPECT_LE(got->issued_at, c.time);
      EXPECT_GE(got->next_update, c.time);
      ++objects;
    }
  }
  EXPECT_GT(objects, 70u);
}

TEST(RealCollateral, HasTheNamesThatItsEvidenceNeeds) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : accepted_cases(*vectors)) {
    SCOPED_TRACE(c.id);
    const auto format = c.format.starts_with("tdx") ? Format::tdx_quote : Format::snp_report;
    if (c.format.starts_with("sgx")) continue;
    const auto needed = collateral_needed({format, c.evidence}, vendor_anchors());
    if (c.collateral.contains("vlek")) {
      EXPECT_EQ(needed.error(), Error::unsupported);
      continue;
    }
    ASSERT_TRUE(needed);
    for (const Given& given : objects_of(c, *vectors)) {
      const auto facts = verify_collateral(given.files, vendor_anchors(), c.time);
      ASSERT_TRUE(facts);
      EXPECT_EQ(std::ranges::count(*needed, facts->name), 1);
    }
  }
}

TEST(RealCollateral, IsRefusedWhereTheVendorIsNotTrusted) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  for (const Case& c : accepted_cases(*vectors)) {
    for (const Given& given : objects_of(c, *vectors)) {
      EXPECT_EQ(verify_collateral(given.files, TrustAnchors{}, c.time).error(),
                CollateralError::unverified);
    }
  }
}

// The vectors hold a VCEK whose key AMD never signed, and a Turin chain beside a Milan one.
TEST(RealCollateral, OfAnotherChainIsUnverified) {
  const auto vectors = vectors_folder(CLOISTER_SOURCE_DIR);
  if (!vectors) GTEST_SKIP() << "the vectors are not here";
  constexpr UnixSeconds kThen = 1'750'464'000;
  const auto judge = [&](const char* object, const char* chain) {
    return verify_collateral(Files{read_file(*vectors / object), read_file(*vectors / chain)},
                             vendor_anchors(), kThen);
  };
  EXPECT_EQ(judge("snp/vcek_milan_forged.der", "collateral/amd/milan_vcek_chain.pem").error(),
            CollateralError::unverified);
  EXPECT_EQ(judge("snp/vcek_milan_1.der", "collateral/amd/milan_vlek_chain.pem").error(),
            CollateralError::unverified);
  EXPECT_EQ(judge("snp/vcek_milan_1.der", "collateral/amd/genoa_vcek_chain.pem").error(),
            CollateralError::unverified);
  EXPECT_EQ(
      judge("collateral/amd/milan_20250506.crl", "collateral/amd/genoa_vcek_chain.pem").error(),
      CollateralError::unverified);
  EXPECT_TRUE(judge("snp/vcek_turin.der", "collateral/amd/turin_vcek_chain.pem"));
}

TEST(VerifyCollateral, WhatIsNotOneObjectAndItsCertificatesIsMalformed) {
  const Buffer empty, text = to_buffer(as_bytes("hello")), json = to_buffer(as_bytes("{}"));
  for (const Files& files : {Files{}, Files{empty}, Files{text}, Files{json}, Files{json, text}}) {
    EXPECT_EQ(verify_collateral(files, vendor_anchors(), 0).error(), CollateralError::malformed);
  }
}

TEST(CollateralNeeded, RefusesWhatIsNoEvidence) {
  const auto error = [](Format format, size_t size) {
    return collateral_needed({format, Buffer(size)}, vendor_anchors()).error();
  };
  EXPECT_EQ(error(Format::tdx_quote, 10), Error::malformed);
  EXPECT_EQ(error(Format::snp_report, 10), Error::malformed);
  EXPECT_EQ(error(Format::snp_report, kMaxEvidenceBytes + 1), Error::malformed);
  EXPECT_EQ(error(Format::sgx_quote, 10), Error::malformed);
  EXPECT_EQ(error(Format::nitro, 10), Error::unsupported);
  EXPECT_EQ(error(Format{99}, 10), Error::unsupported);
}

}  // namespace
}  // namespace cloister::evidence
