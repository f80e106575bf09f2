// Decides whether an AMD SEV-SNP attestation report is genuine, current, of a guest that its own
// owner controls, and says `binding`. AMD 56860 (firmware ABI), 57230 (KDS).
//
// Order of decision, the same as evidence::Error's: shape of report and certificate, collateral
// present, chain to a pinned ARK, windows, revocation, report signature, key and report belong
// together, debug, other policy, TCB floor, report data. No claim is filled before the report's
// signature holds. Pure: no clock, network, file or log.
//
// Refused by default and why: reports that the host requested (VMPL 0xFFFFFFFF) and masked chip ids
// or keys, because they name no guest and no chip; debug and migration unless the policy allows
// them. What the caller must still decide: the measurement, the owner's HOST_DATA, the VMPL among 0
// to 3, and with a VLEK the cloud (`csp_id`); a VLEK report names no chip, its platform id is all
// zeros.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

Verification verify_snp_report(Bytes report, const Collateral& collateral,
                               const VerifyPolicy& policy, const Binding& binding, UnixSeconds now);

}  // namespace cloister::evidence
