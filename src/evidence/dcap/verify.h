// Decides whether a DCAP quote proves a live TD or enclave on a genuine, patched platform.
#pragma once

#include "evidence/common/evidence.h"
#include "evidence/dcap/prepared.h"

namespace cloister::evidence::dcap {

// The complete procedure of 20-attestation, 1.6, as a pure function. Causes of refusal are looked
// for in the order of Error's values: form, completeness, chains to the pinned root, windows,
// revocation, fit of the collateral, signatures (collateral, QE report, quote), identities of QE
// and TDX module, TCB levels, policy, binding. A CRL or TCB info is quoted against the platform
// only after its own signature held. Ten P-256 verifications at most; two where collateral and PCK
// chain were judged before with the same `prepared`.
//
// TDX: quotes of version 4 and 5 (TD 1.0 and 1.5). SGX: 3, 4 and 5. Up to 16 KiB; bytes after the
// declared end are reported in the claim `trailing_len` and are covered by nothing.
//
// The caller still compares measurements and configuration: they are claims here, not decisions.
Verification verify_quote(Tee tee, Bytes quote, const Prepared& prepared,
                          const VerifyPolicy& policy, const Binding& binding, UnixSeconds now);

// The same for collateral that is used once.
Verification verify_quote(Tee tee, Bytes quote, const Collateral& collateral,
                          const VerifyPolicy& policy, const Binding& binding, UnixSeconds now);

}  // namespace cloister::evidence::dcap
