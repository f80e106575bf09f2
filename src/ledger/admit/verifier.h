// How the ledger verifies evidence and collateral: the same judgement as the gateway's, put into
// the state machine through its seam. Every node must build the same: what is decided here is
// consensus.
#pragma once

#include <memory>

#include "ledger/state/admission.h"

namespace cloister::ledger {

// Pure, but for what it remembers to be faster; one serves any number of States and threads.
// Development keys count only under a genesis that is marked `development`, and simulated evidence
// only when the policy allows it too.
//
// Refusals of `admit`: evidence_* is 100 + the verifier's error, policy_* is 130 + policy's first
// reason, collateral_cannot_judge when the records are more than a verifier takes,
// evidence_unsupported also when what was verified does not fit a record.
std::shared_ptr<const AdmissionVerifier> make_verifier();

}  // namespace cloister::ledger
