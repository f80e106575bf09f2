// Whether NVIDIA has revoked certificates of a chain, by OCSP answers (RFC 6960) that the caller
// supplies. Nothing is asked of a network.
#pragma once

#include <span>

#include "evidence/common/fault.h"

namespace cloister::evidence::rim {

struct OcspSubject {
  const crypto::Certificate* certificate;
  const crypto::Certificate* issuer;
};

struct OcspFinding {
  // The earliest nextUpdate of the answers used; INT64_MAX when policy let all be absent.
  UnixSeconds valid_until = INT64_MAX;
  std::string said;  // for the check: "3 of 3 good"
};

// Each subject needs an answer that names it and its issuer (CertID), is signed by a responder of
// its issuer or of a pinned NVIDIA root, holds at `now` and says "good". Refusals in the order of
// `Error`:
//   collateral_missing   no answer names the subject (waived by `allow_no_revocation`)
//   wrong_chain          the responder's certificate has no role or no pinned root
//   not_yet_valid, expired   thisUpdate, nextUpdate or the responder's certificate misses `now`
//   revoked              revoked, on hold (unless policy allows it), or unknown
//   bad_signature        the answer's signature
Result<OcspFinding> check_ocsp(std::span<const OcspSubject> subjects, const Collateral& collateral,
                               const VerifyPolicy& policy, UnixSeconds now);

}  // namespace cloister::evidence::rim
