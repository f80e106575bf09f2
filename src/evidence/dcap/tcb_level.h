// Which published level a platform, a TDX module or a quoting enclave is at, and what several
// levels make together. Pure functions over authentic data (20-attestation, 1.6, steps 10 and 12 to
// 15).
#pragma once

#include "evidence/dcap/tcb_info.h"

namespace cloister::evidence::dcap {

// The highest level whose SVN is not above `isv_svn`; null when there is none.
const EnclaveLevel* match_enclave_level(const std::vector<EnclaveLevel>& levels, uint16_t isv_svn);

struct PlatformMatch {
  const PlatformLevel* sgx = nullptr;  // first level that CPUSVN and PCESVN reach
  const PlatformLevel* tdx = nullptr;  // from there on, the first that TEE_TCB_SVN reaches too
};

// TDX components are compared from index 2 when TEE_TCB_SVN[1], the module's version, is not 0:
// then the module (components 0 and 1) is judged by its own identity. Either pointer may be null.
PlatformMatch match_platform_level(const std::vector<PlatformLevel>& levels,
                                   const Fixed<16>& cpu_svn, uint16_t pce_svn,
                                   const Fixed<16>& tee_tcb_svn);

// The identity for the version of the module, TEE_TCB_SVN[1]; null when there is none.
const ModuleIdentity* find_module(const TcbInfo& info, uint8_t version);

// Worst wins, but a need for configuration is kept beside "out of date". Commutative and
// associative.
TcbStatus merge(TcbStatus a, TcbStatus b);

// The rule of Intel's library for TD 1.5: the host is patched, this TD was launched before.
// `merged` is what platform and module make together.
struct RelaunchInput {
  TcbStatus qe;
  TcbStatus sgx;
  TcbStatus module;
  TcbStatus merged;
  Fixed<16> tee_tcb_svn_2;
};
bool relaunch_advised(const TcbInfo& info, const RelaunchInput& input);
TcbStatus relaunch_status(const RelaunchInput& input);  // once it is advised

bool accepted(TcbStatus status, bool allow_out_of_date);

}  // namespace cloister::evidence::dcap
