#include "crypto/x509.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/text.h"

namespace cloister::crypto {
namespace {

constexpr UnixSeconds kStart = 1'700'000'000, kEnd = kStart + 86'400;

IssueRequest request(const char* cn, bool ca) {
  IssueRequest out;
  out.subject_cn = cn;
  out.organization = "Test";
  out.serial = {0x12, 0x34};
  out.not_before = kStart;
  out.not_after = kEnd;
  out.ca = ca;
  return out;
}

struct Pair {
  PrivateKey key;
  Certificate certificate;
};

Pair make_root(PrivateKey key) {
  auto certificate = issue_certificate(request("Root", true), key, nullptr, key);
  return {std::move(key), std::move(certificate)};
}

TEST(Certificate, FieldsOfAnIssuedOneReadBack) {
  auto root = make_root(PrivateKey::generate_ec(Curve::p256));
  auto leaf_key = PrivateKey::generate_ec(Curve::p384);
  auto wanted = request("Leaf", false);
  wanted.extensions.push_back({"1.2.3.4", false, {4, 1, 7}});
  auto leaf = issue_certificate(wanted, leaf_key, &root.certificate, root.key);
  EXPECT_EQ(leaf.subject_common_name(), "Leaf");
  EXPECT_EQ(leaf.issuer_der(), root.certificate.subject_der());
  EXPECT_EQ(leaf.spki_der(), leaf_key.spki_der());
  EXPECT_EQ(leaf.public_xy(), leaf_key.public_xy());
  EXPECT_EQ(leaf.key_kind(), KeyKind::ec_p384);
  EXPECT_EQ(leaf.signature_kind(), SignatureKind::ecdsa_sha256);
  EXPECT_EQ(leaf.not_before(), kStart);
  EXPECT_EQ(leaf.not_after(), kEnd);
  EXPECT_EQ(leaf.serial(), (Buffer{0x12, 0x34}));
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_TRUE(root.certificate.is_ca());
  EXPECT_TRUE(root.certificate.may_sign_certificates());
  EXPECT_FALSE(leaf.may_sign_certificates());
  EXPECT_EQ(leaf.extension("1.2.3.4"), (Buffer{4, 1, 7}));
  EXPECT_FALSE(leaf.extension("1.2.3.5"));
  EXPECT_TRUE(leaf.signed_by(root.certificate));
  EXPECT_FALSE(leaf.has_unknown_critical_extension());
}

TEST(Certificate, WhatItRemembersIsTheKeyAndNotThatItWasAsked) {
  const auto root = make_root(PrivateKey::generate_ec(Curve::p256));
  const auto other = make_root(PrivateKey::generate_ec(Curve::p256));
  const auto leaf = issue_certificate(request("Leaf", false), PrivateKey::generate_ec(Curve::p256),
                                      &root.certificate, root.key);
  const Certificate copy = leaf;
  for (int times = 0; times < 3; ++times) {
    EXPECT_FALSE(leaf.signed_by(other.certificate));
    EXPECT_TRUE(leaf.signed_by(root.certificate));
    EXPECT_FALSE(copy.signed_by(other.certificate));
    EXPECT_TRUE(copy.signed_by(root.certificate));
  }
  const Crl crl = issue_crl(root.certificate, root.key, kStart, kEnd, 1, {});
  for (int times = 0; times < 3; ++times) {
    EXPECT_FALSE(crl.signed_by(other.certificate));
    EXPECT_TRUE(crl.signed_by(root.certificate));
  }
}

TEST(Certificate, ItsKeyVerifiesMessagesOfItsOwnCurveOnly) {
  const Buffer message = {1, 2, 3};
  for (Curve curve : {Curve::p256, Curve::p384}) {
    const auto root = make_root(PrivateKey::generate_ec(curve));
    Buffer signature = root.key.sign_ecdsa(message);
    EXPECT_TRUE(root.certificate.signed_message(message, signature));
    EXPECT_FALSE(root.certificate.signed_message(Bytes(message).first(2), signature));
    signature.pop_back();
    EXPECT_FALSE(root.certificate.signed_message(message, signature));
  }
  const auto rsa = make_root(PrivateKey::generate_rsa(2048));
  EXPECT_FALSE(rsa.certificate.signed_message(message, Buffer(256)));
}

TEST(Certificate, SignatureOfAnotherKeyIsRefused) {
  auto root = make_root(PrivateKey::generate_ec(Curve::p256));
  auto other = make_root(PrivateKey::generate_ec(Curve::p256));
  auto leaf = issue_certificate(request("Leaf", false), other.key, &root.certificate, root.key);
  EXPECT_FALSE(leaf.signed_by(other.certificate));
}

TEST(Certificate, UnknownCriticalExtensionIsSeen) {
  auto wanted = request("Root", true);
  wanted.extensions.push_back({"1.2.3.4", true, {5, 0}});
  auto key = PrivateKey::generate_ec(Curve::p256);
  EXPECT_TRUE(issue_certificate(wanted, key, nullptr, key).has_unknown_critical_extension());
}

TEST(Certificate, EveryTruncationAndTrailingByteIsRefused) {
  auto root = make_root(PrivateKey::generate_ec(Curve::p256));
  const Buffer& der = root.certificate.der();
  for (size_t n = 0; n < der.size(); ++n) EXPECT_FALSE(Certificate::from_der(Bytes(der).first(n)));
  Buffer longer = der;
  longer.push_back(0);
  EXPECT_FALSE(Certificate::from_der(longer));
}

TEST(Certificate, RsaPssChainAndPemRoundTrip) {
  auto root = make_root(PrivateKey::generate_rsa(2048));
  EXPECT_EQ(root.certificate.signature_kind(), SignatureKind::rsa_pss_sha384_salt48);
  EXPECT_TRUE(root.certificate.signed_by(root.certificate));
  auto pem = to_pem(root.certificate) + to_pem(root.certificate);
  auto back = certificates_from_pem(pem, 2);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[1].der(), root.certificate.der());
  EXPECT_FALSE(certificates_from_pem(pem, 1));
  // A line that only looks like a block's must not leave a certificate out.
  for (size_t at = 0; at < pem.size(); ++at) {
    if (pem[at] != '-') continue;
    std::string changed = pem;
    changed[at] = '/';
    EXPECT_FALSE(certificates_from_pem(changed, 2)) << at;
  }
  const size_t second = pem.rfind("-----BEGIN");
  for (const char* word : {"BEGIN", "CERTIFICATE"}) {
    std::string changed = pem;
    changed[changed.find(word, second)] = 'X';
    EXPECT_FALSE(certificates_from_pem(changed, 2)) << word;
  }
  EXPECT_FALSE(certificates_from_pem(pem.substr(0, pem.size() - 40), 2));
  EXPECT_FALSE(
      certificates_from_pem("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", 2));
}

TEST(Crl, ListsWhatItWasGivenAndNothingElse) {
  auto root = make_root(PrivateKey::generate_ec(Curve::p256));
  auto other = make_root(PrivateKey::generate_ec(Curve::p256));
  auto crl = issue_crl(root.certificate, root.key, kStart, kEnd, 7, {{9, 9}, {1}});
  EXPECT_TRUE(crl.lists({1}));
  EXPECT_TRUE(crl.lists({9, 9}));
  EXPECT_FALSE(crl.lists({9}));
  EXPECT_FALSE(crl.lists({}));
  EXPECT_EQ(crl.this_update(), kStart);
  EXPECT_EQ(crl.next_update(), kEnd);
  EXPECT_EQ(crl.number(), Buffer{7});
  EXPECT_TRUE(crl.has_authority_key_id());
  EXPECT_EQ(crl.issuer_der(), root.certificate.subject_der());
  EXPECT_TRUE(crl.signed_by(root.certificate));
  EXPECT_FALSE(crl.signed_by(other.certificate));
  for (size_t n = 0; n < crl.der().size(); ++n)
    EXPECT_FALSE(Crl::from_der(Bytes(crl.der()).first(n)));
}

}  // namespace
}  // namespace cloister::crypto
