// Decides whether a TPM 2.0 quote vouches for the PCR values that come with it.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

// A pure function (20-attestation, 4, "TPM 2.0 quote"). `envelope`: see tpm/quote.h. The caller
// vouches for the attestation key in `collateral.keys`: that it is restricted to signing what the
// TPM itself made, and does not leave it (an endorsement key's credential activation, or Azure's
// HCL report, see azure/). A quote has no time and no TCB of its own, so `now` does not matter.
//
// Order of decision: form, a key, signature by one of the keys, the selection and bank that policy
// demands, the digest over the values, the nonce (`extraData`, whole). The caller still compares
// the values: they are claims here.
Verification verify_tpm_quote(Bytes envelope, const Collateral& collateral,
                              const VerifyPolicy& policy, const Binding& binding);

}  // namespace cloister::evidence
