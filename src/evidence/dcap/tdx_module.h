// The TDX module under a TD: whose it is and at which level (20-attestation, 1.6, step 12).
#pragma once

#include "evidence/dcap/tcb_facts.h"
#include "evidence/dcap/tcb_level.h"

namespace cloister::evidence::dcap {

// MRSIGNERSEAM is the published signer, SEAMATTRIBUTES are zero and the published ones. Refuses
// `no_tcb_level` when no identity of the module's version is published, else `identity_mismatch`.
Result<void> check_module_identity(const TcbInfo& info, const ModuleFacts& running);

// The level of the module; null for a module of version 0, of which only the platform level speaks.
// Refuses `no_tcb_level`.
Result<const EnclaveLevel*> module_level(const TcbInfo& info, const ModuleFacts& running);

}  // namespace cloister::evidence::dcap
