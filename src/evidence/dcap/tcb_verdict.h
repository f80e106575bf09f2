// What Intel's authentic documents say of a platform (20-attestation, 1.6, steps 10 to 15). Pure,
// and the same when a quote is verified as when new documents come later.
#pragma once

#include "evidence/dcap/qe_identity.h"
#include "evidence/dcap/tcb_info.h"
#include "evidence/dcap/tdx_module.h"

namespace cloister::evidence::dcap {

// Intel's quoting enclave, and for TDX its module; else `identity_mismatch`, or `no_tcb_level` for
// a module of an unknown version.
Result<void> check_identities(const TcbInfo& info, const QeIdentity& identity,
                              const TcbFacts& facts);

struct TcbVerdict {
  TcbStatus status{};                   // merged
  std::vector<std::string> advisories;  // sorted, unique
  TcbStatus platform{}, sgx{}, qe{};
  std::optional<TcbStatus> module;  // unless its version is 0
  UnixSeconds earliest_tcb_date = INT64_MAX;
};

// `no_tcb_level` when one of the three has none.
Result<TcbVerdict> judge_tcb(const TcbInfo& info, const QeIdentity& identity,
                             const TcbFacts& facts);

}  // namespace cloister::evidence::dcap
