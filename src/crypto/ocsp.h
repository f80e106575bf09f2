// OCSP responses (RFC 6960): parsed by OpenSSL, judged step by step by the caller. No clock, no
// network.
#pragma once

#include "crypto/x509.h"

namespace cloister::crypto {

enum class OcspStatus { good, revoked, on_hold, unknown };

// What a response says of one certificate.
struct OcspAnswer {
  OcspStatus status{};
  UnixSeconds this_update = 0;
  std::optional<UnixSeconds> next_update;
};

class OcspResponse {
 public:
  static constexpr size_t kMaxAnswers = 64;
  static constexpr size_t kMaxCertificates = 8;

  // One response, DER, with nothing after it. Nothing when it is no successful basic response, or
  // past a limit.
  static std::optional<OcspResponse> from_der(Bytes der);

  // The answer whose CertID names `subject` by its serial and `issuer` by the hashes of its name
  // and key (SHA-1, SHA-256 or SHA-384). Nothing when there is none, or two.
  std::optional<OcspAnswer> answer_for(const Certificate& subject, const Certificate& issuer) const;

  // Candidates for the responder that came along, in order. Nothing of them is authentic yet.
  const std::vector<Certificate>& certificates() const;
  // `responder` is whom the response names and its key made the signature. ECDSA with the curve's
  // hash and RSA-PSS only.
  bool signed_by(const Certificate& responder) const;
  bool has_unknown_critical_extension() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;  // immutable, so copies share it
};

// Whether these bytes have the form of an OCSPResponse, successful or not.
bool is_ocsp_response(Bytes der);

// An OCSPRequest about one certificate, without nonce: answers are kept as files.
Buffer make_ocsp_request(const Certificate& subject, const Certificate& issuer);

// --- issuing, for simulated vendors --------------------------------------------------------------
struct OcspIssue {
  const Certificate* subject;
  const Certificate* issuer;
  OcspAnswer answer;
};
// Signed with `key` of `responder`, which comes along with `more`.
Buffer issue_ocsp_response(const std::vector<OcspIssue>& answers, const Certificate& responder,
                           const PrivateKey& key, const std::vector<Certificate>& more);

}  // namespace cloister::crypto
