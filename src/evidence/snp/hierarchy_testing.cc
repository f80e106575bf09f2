#include "evidence/snp/hierarchy_testing.h"

namespace cloister::evidence {

const sim::AmdSimulator& genoa() {
  static const auto made = sim::AmdSimulator::create(sim::AmdProduct::genoa, kTestNow);
  return made;
}

// Smaller keys than AMD's, made sooner: what is signed with them is refused for other reasons.
const sim::AmdAuthority& other_ark() {
  static const sim::AmdAuthority made = [] {
    auto key = crypto::PrivateKey::generate_rsa(2048);
    auto certificate = issue_any("ARK-Milan", key, nullptr, [](auto& r) { r.ca = true; });
    return sim::AmdAuthority{std::move(key), std::move(certificate)};
  }();
  return made;
}

const sim::AmdAuthority& other_ask() {
  static const sim::AmdAuthority made = [] {
    auto key = crypto::PrivateKey::generate_rsa(2048);
    auto certificate = sim::issue_ask(sim::AmdProduct::milan, other_ark(), key, kTestYear);
    return sim::AmdAuthority{std::move(key), std::move(certificate)};
  }();
  return made;
}

crypto::Certificate issue_any(const std::string& common_name, const crypto::PrivateKey& key,
                              const sim::AmdAuthority* issuer,
                              const std::function<void(crypto::IssueRequest&)>& change) {
  crypto::IssueRequest request;
  request.subject_cn = common_name;
  request.organization = "Cloister development, no hardware protection";
  request.serial = {9};
  request.not_before = kTestYear.not_before;
  request.not_after = kTestYear.not_after;
  change(request);
  return crypto::issue_certificate(request, key, issuer != nullptr ? &issuer->certificate : nullptr,
                                   issuer != nullptr ? issuer->key : key);
}

crypto::PrivateKey copy_of(const crypto::PrivateKey& key) {
  const auto pem = key.to_pem();
  return *crypto::PrivateKey::from_pem(as_text(pem));
}

crypto::Crl crl_of(const sim::AmdAuthority& ark, UnixSeconds from, UnixSeconds until,
                   const std::vector<Buffer>& revoked) {
  return crypto::issue_crl(ark.certificate, ark.key, from, until, 7, revoked);
}

}  // namespace cloister::evidence
