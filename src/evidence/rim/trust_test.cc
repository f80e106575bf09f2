// Whose signature on a manifest counts: chains, windows, revocation.
#include <gmock/gmock.h>

#include "evidence/common/faults_testing.h"
#include "evidence/rim/ocsp.h"
#include "evidence/rim/scenario_testing.h"

namespace cloister::evidence::rim {
namespace {

using crypto::OcspAnswer;
using crypto::OcspStatus;

const Hierarchy& h() {
  return hierarchy();
}

TEST(Rim, ChainAndWindows) {
  static const Authority stranger = authority_of({.name = "stranger"}, nullptr);
  static const Authority p256 =
      authority_of({.name = "p256", .ca = false}, &h().issuing, crypto::Curve::p256);
  const auto chain_with = [](size_t place, CertificateForm form, const Authority* issuer) {
    return [=](Scenario& s) {
      const Authority& was = place == 0 ? h().signer : place == 1 ? h().issuing : h().product;
      s.chain[place] = certificate_of(form, was.key, issuer);
      s.policy.allow_no_revocation = true;
      s.answer.reset();
    };
  };
  const auto without_answers = [](Scenario& s) {
    s.answer.reset();
    s.policy.allow_no_revocation = true;
  };
  expect_refusals_of<Scenario>({
      {"three certificates", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain.erase(s.chain.begin() + 1);
       }},
      {"five certificates", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain.push_back(h().root.certificate);
       }},
      {"in another order", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         std::swap(s.chain[1], s.chain[2]);
       }},
      {"the root is not pinned", Error::wrong_chain,
       [=](Scenario& s) { s.policy.anchors.development_nvidia.clear(); }},
      {"the root of devices instead", Error::wrong_chain,
       [=](Scenario& s) {
         s.policy.anchors.nvidia_device_root = s.policy.anchors.development_nvidia;
         s.policy.anchors.development_nvidia.clear();
       }},
      {"another root", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain[3] = stranger.certificate;
       }},
      {"the signer is a CA", Error::wrong_chain,
       chain_with(0, {.name = "test signer", .ca = true}, &h().issuing)},
      {"the issuing CA is none", Error::wrong_chain,
       chain_with(1, {.name = "test issuing", .ca = false}, &h().product)},
      {"a path length too short", Error::wrong_chain,
       chain_with(2, {.name = "test product", .path_length = 0}, &h().root)},
      {"another issuer's signature", Error::wrong_chain,
       chain_with(1, {.name = "test issuing"}, &stranger)},
      {"a critical extension", Error::wrong_chain,
       chain_with(0,
                  {.name = "test signer", .ca = false, .extensions = {{"1.2.3.4", true, {5, 0}}}},
                  &h().issuing)},
      {"a signer of P-256", Error::wrong_chain,
       [=](Scenario& s) {
         without_answers(s);
         s.chain[0] = p256.certificate;
       }},
      {"the signer has ended", Error::expired,
       chain_with(0, {.name = "test signer", .until = kNow - 1, .ca = false}, &h().issuing)},
      {"the signer has not begun", Error::not_yet_valid,
       chain_with(0, {.name = "test signer", .from = kNow + 1, .ca = false}, &h().issuing)},
      {"the product's CA has ended", Error::expired,
       chain_with(2, {.name = "test product", .until = kNow - 1}, &h().root)},
      {"a certificate has ended and another not begun", Error::not_yet_valid,
       [=](Scenario& s) {
         chain_with(0, {.name = "test signer", .from = kNow + 1, .ca = false}, &h().issuing)(s);
         s.chain[2] = certificate_of({.name = "test product", .until = kNow - 1}, h().product.key,
                                     &h().root);
       }},
  });
}

TEST(Rim, Revocation) {
  static const Authority plain = authority_of({.name = "no responder", .ca = false}, &h().root);
  static const Authority foreign_root = authority_of({.name = "foreign root"}, nullptr);
  static const Authority foreign =
      authority_of({.name = "foreign", .ca = false, .extensions = {ocsp_signing()}}, &foreign_root);
  static const Authority ended = authority_of(
      {.name = "ended", .until = kNow - 1, .ca = false, .extensions = {ocsp_signing()}}, &h().root);
  const auto answers = [](OcspStatus status, UnixSeconds from, std::optional<UnixSeconds> until) {
    return [=](Scenario& s) { s.answer = OcspAnswer{status, from, until}; };
  };
  expect_refusals_of<Scenario>({
      {"no answers", Error::collateral_missing, [](Scenario& s) { s.answer.reset(); }},
      {"not an OCSP response", Error::malformed,
       [](Scenario& s) { s.bend_response = [](Buffer& r) { r.pop_back(); }; }},
      {"an unsuccessful response", Error::malformed,
       [](Scenario& s) {
         s.bend_response = [](Buffer& r) { r = {0x30, 3, 0x0A, 1, 6}; };  // unauthorized
       }},
      {"revoked", Error::revoked, answers(OcspStatus::revoked, kNow - 1, kNow + 1)},
      {"on hold", Error::revoked, answers(OcspStatus::on_hold, kNow - 1, kNow + 1)},
      {"unknown", Error::revoked, answers(OcspStatus::unknown, kNow - 1, kNow + 1)},
      {"not yet", Error::not_yet_valid, answers(OcspStatus::good, kNow + 1, kNow + 2)},
      {"past", Error::expired, answers(OcspStatus::good, kNow - 2, kNow - 1)},
      {"without end", Error::expired, answers(OcspStatus::good, kNow - 1, std::nullopt)},
      {"a responder without its role", Error::wrong_chain,
       [](Scenario& s) { s.responder = &plain; }},
      {"a responder of a stranger", Error::wrong_chain,
       [](Scenario& s) { s.responder = &foreign; }},
      {"a responder that has ended", Error::expired, [](Scenario& s) { s.responder = &ended; }},
      {"a signature changed", Error::bad_signature,
       [](Scenario& s) {
         s.bend_response = [](Buffer& r) {
           const Buffer der = h().responder.certificate.der();
           const auto at = std::ranges::search(r, Bytes(der).first(16)).begin();
           *(at - 12) ^= 1;  // the last bytes of the signature before the certificates
         };
       }},
  });
  Scenario waived;
  waived.answer.reset();
  waived.policy.allow_no_revocation = true;
  EXPECT_TRUE(waived.judge().verified);
  waived.answer = OcspAnswer{OcspStatus::revoked, kNow - 1, kNow + 1};  // supplied and bad
  EXPECT_EQ(waived.judge().appraisal.error, Error::revoked);
}

TEST(Rim, TheNewestAnswerCountsAndAnIssuerMayAnswerItself) {
  Scenario s;
  Collateral collateral = s.collateral();
  const auto judge = [&] {
    return verify_nvidia_rim(as_bytes(s.document()), collateral, s.policy, Binding::not_compared(),
                             s.now)
        .appraisal.error;
  };
  collateral.ocsp_responses.push_back(
      ocsp_about(s.chain, {OcspStatus::revoked, kNow - 1, kNow + 1}, h().responder));
  EXPECT_EQ(judge(), Error::revoked);
  collateral.ocsp_responses = {};
  const Authority* issuers[] = {&h().issuing, &h().product, &h().root};
  for (size_t i = 0; i < 3; ++i) {
    collateral.ocsp_responses.push_back(ocsp_about(
        std::span(s.chain).subspan(i, 2), {OcspStatus::good, kNow - 1, kNow + 1}, *issuers[i]));
  }
  EXPECT_EQ(judge(), std::nullopt);
  collateral.ocsp_responses.pop_back();
  EXPECT_EQ(judge(), Error::collateral_missing);
}

// Canonicalisation leaves room for equal documents, so a changed byte must be refused or leave what
// the manifest says as it was. Every byte of one manifest, every 61st of the others.
}  // namespace
}  // namespace cloister::evidence::rim
