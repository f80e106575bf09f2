// Decides whether an AWS Nitro attestation document proves a live enclave.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

// A pure function (20-attestation, 4, "AWS Nitro"). Order of decision: form, chain to the pinned
// root, windows, signature, debug mode (PCR0 to 2 zero), age of the timestamp where policy bounds
// it, binding (`user_data` as report data, `nonce`). The document carries its own chain, so there
// is no collateral. The caller still compares PCRs: they are claims here.
Verification verify_nitro(Bytes document, const VerifyPolicy& policy, const Binding& binding,
                          UnixSeconds now);

}  // namespace cloister::evidence
