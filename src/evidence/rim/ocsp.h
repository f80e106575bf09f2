// Whether NVIDIA has revoked certificates of a chain, by OCSP answers (RFC 6960) that the caller
// supplies. Nothing is asked of a network.
#pragma once

#include <span>

#include "crypto/ocsp.h"
#include "evidence/common/p384_chain.h"

namespace cloister::evidence::rim {

struct OcspFound {
  std::vector<const crypto::Certificate*> above;  // the issuer first, the root last
  crypto::OcspResponse response;
  crypto::OcspAnswer answer;
};
using OcspFindings = std::vector<OcspFound>;

// The newest answer about each certificate of `chain` from place `first` up to, not including, the
// root. `malformed`: a response of the collateral that is no successful basic one.
// `collateral_missing`: no answer names a certificate (waived by `allow_no_revocation`, then it is
// left out).
Result<OcspFindings> find_ocsp(ChainView chain, size_t first, const Collateral& collateral,
                               const VerifyPolicy& policy);

// Each answer is signed by its issuer or by a responder that stands below one of the
// certificates above it, or below a pinned NVIDIA root, holds at `now` and
// says "good". Returns the earliest nextUpdate. Refusals, in the order of `Error`:
//   wrong_chain          the responder has no role or no pinned root
//   not_yet_valid, expired   thisUpdate, nextUpdate or the responder's chain misses `now`; an
//   answer
//                        without nextUpdate is not fit to be kept and counts as expired
//   revoked              revoked, on hold, or unknown
//   bad_signature        the answer's signature
Result<UnixSeconds> check_ocsp(const OcspFindings& findings, const VerifyPolicy& policy,
                               UnixSeconds now);

// The same of one answer, whatever it says: who keeps answers keeps bad news above all.
Result<UnixSeconds> check_ocsp_authentic(const OcspFound& found, const VerifyPolicy& policy,
                                         UnixSeconds now);

}  // namespace cloister::evidence::rim
