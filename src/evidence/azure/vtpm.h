// Decides whether a TPM quote comes from the vTPM of a confidential VM of Azure.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

struct AzureEvidence {
  Buffer hcl_report;
  Buffer tpm_quote;                // the envelope of tpm/quote.h
  std::optional<Buffer> td_quote;  // where the HCL report is of a TDX guest
};

// Both parts with their own reasons. A part that was not reached is empty.
struct AzureVerification {
  std::optional<Error> error;  // of the HCL report itself, or of the first part that was refused
  std::string detail;
  std::optional<Verification> hardware, quote;
  bool accepted() const {
    return !error && hardware && hardware->verified && quote && quote->verified;
  }
};

// A pure function (20-attestation, 4, "Azure HCL report"): the hardware's report is genuine and its
// report data is SHA-256 of the run-time data ‖ 32 zeros; the key that this data names signed the
// quote, which answers `nonce`. The hardware's report alone is not fresh: it was made at boot.
// `collateral.keys` does not count.
AzureVerification verify_azure_vtpm(const AzureEvidence& evidence, const Collateral& collateral,
                                    const VerifyPolicy& policy, Bytes nonce, UnixSeconds now);

}  // namespace cloister::evidence
