#include "evidence/common/authority_testing.h"

namespace cloister::evidence {

crypto::Certificate certificate_of(const CertificateForm& form, const crypto::PrivateKey& key,
                                   const Authority* issuer) {
  static uint16_t serial = 0;
  ++serial;
  const Buffer own = {1, static_cast<uint8_t>(serial >> 8), static_cast<uint8_t>(serial)};
  crypto::IssueRequest request;
  request.subject_cn = form.name;
  request.serial = form.serial.empty() ? own : form.serial;
  request.not_before = form.from;
  request.not_after = form.until;
  request.ca = form.ca;
  request.path_length = form.path_length;
  request.extensions = form.extensions;
  return crypto::issue_certificate(request, key, issuer ? &issuer->certificate : nullptr,
                                   issuer ? issuer->key : key);
}

Authority authority_of(const CertificateForm& form, const Authority* issuer, crypto::Curve curve) {
  auto key = crypto::PrivateKey::generate_ec(curve);
  auto certificate = certificate_of(form, key, issuer);
  return {std::move(key), std::move(certificate)};
}

}  // namespace cloister::evidence
