// Certificates of test hierarchies on P-384 (or another curve), from parameters of which a test
// bends one.
#pragma once

#include "crypto/x509.h"
#include "evidence/common/evidence.h"

namespace cloister::evidence {

constexpr UnixSeconds kTestNow = 1'800'000'000;
constexpr UnixSeconds kTestHour = 3'600;

struct Authority {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

struct CertificateForm {
  std::string name = "certificate";
  UnixSeconds from = kTestNow - kTestHour;
  UnixSeconds until = kTestNow + kTestHour;
  bool ca = true;
  std::optional<uint64_t> path_length{};
  std::vector<crypto::IssueExtension> extensions{};
  Buffer serial{};  // empty: one of its own
};

// Without an issuer: self-signed.
crypto::Certificate certificate_of(const CertificateForm& form, const crypto::PrivateKey& key,
                                   const Authority* issuer);
Authority authority_of(const CertificateForm& form, const Authority* issuer,
                       crypto::Curve curve = crypto::Curve::p384);

}  // namespace cloister::evidence
