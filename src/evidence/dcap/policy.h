// The verifier's own policy over an authentic quote: what is refused unless VerifyPolicy allows
// it (20-attestation, 1.6, step 17). Each returns what it found, or why it refuses.
#pragma once

#include "evidence/dcap/gather.h"

namespace cloister::evidence::dcap {

bool is_debug(const Quote& quote);

// DEBUG of TDATTRIBUTES or of the enclave's ATTRIBUTES is clear; else `debug_enabled`.
Result<std::string> check_debug(const Quote& quote, const VerifyPolicy& policy);

// TDX: SEPT_VE_DISABLE set; PERFMON, MIGRATABLE and reserved bits clear. SGX: INIT set. Both: TCB
// evaluation numbers not below the minimum; no denied advisory. Else `policy_denied`.
Result<std::string> check_attributes(const Inputs& inputs,
                                     const std::vector<std::string>& advisories,
                                     const VerifyPolicy& policy);

// MRSERVICETD is zero (TD 1.0 and SGX have none); else `service_td`.
Result<std::string> check_service_td(const Quote& quote, const VerifyPolicy& policy);

Result<std::string> check_status(TcbStatus status, const VerifyPolicy& policy);  // `tcb_status`

}  // namespace cloister::evidence::dcap
