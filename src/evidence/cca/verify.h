// Decides whether an Arm CCA token proves a live realm on a platform whose key the caller vouches
// for.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

// A pure function (20-attestation, 4, "Arm CCA"). The platform's key comes in `collateral.keys`: by
// instance id and endorsement it is known beforehand, there is no certificate chain. Order of
// decision: form, presence of a key, signatures of platform (by one of the keys) and realm token
// (by the key that the realm token holds), binding of that key by the platform token
// (identity_mismatch), a secured lifecycle, the challenge as nonce. The caller still compares
// measurements and the software components: they are claims here. A token has no window.
Verification verify_cca(Bytes token, const Collateral& collateral, const Binding& binding);

}  // namespace cloister::evidence
