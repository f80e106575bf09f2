// The one door to verification: evidence of any format in, an appraisal and, when accepted, typed
// claims out. A pure function: no clock, network, file or log.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

// Judges `evidence` at `now` under `policy`. The caller says which 64 bytes of report data it
// expects and still compares measurements and configuration with its own reference values.
// Evidence beyond kMaxEvidenceBytes is refused as `malformed`.
Verification verify(const Evidence& evidence, const Collateral& collateral,
                    const VerifyPolicy& policy, const Binding& binding, UnixSeconds now);

}  // namespace cloister::evidence
