#include "evidence/dcap/tcb_level.h"

#include <algorithm>

namespace cloister::evidence::dcap {
namespace {

bool reaches(const Fixed<16>& have, const Fixed<16>& need, size_t from) {
  for (size_t i = from; i < need.size(); ++i) {
    if (have[i] < need[i]) return false;
  }
  return true;
}

// A status taken apart, so that merging is a union.
struct Parts {
  bool revoked = false;
  bool out_of_date = false;
  bool relaunch = false;
  bool configuration = false;
  bool sw_hardening = false;
};

Parts parts_of(TcbStatus status) {
  switch (status) {
    case TcbStatus::up_to_date:
      return {};
    case TcbStatus::sw_hardening_needed:
      return {.sw_hardening = true};
    case TcbStatus::configuration_needed:
      return {.configuration = true};
    case TcbStatus::configuration_and_sw_hardening_needed:
      return {.configuration = true, .sw_hardening = true};
    case TcbStatus::out_of_date:
      return {.out_of_date = true};
    case TcbStatus::out_of_date_configuration_needed:
      return {.out_of_date = true, .configuration = true};
    case TcbStatus::td_relaunch_advised:
      return {.relaunch = true};
    case TcbStatus::td_relaunch_advised_configuration_needed:
      return {.relaunch = true, .configuration = true};
    case TcbStatus::revoked:
      return {.revoked = true};
  }
  return {.revoked = true};
}

TcbStatus status_of(const Parts& parts) {
  if (parts.revoked) return TcbStatus::revoked;
  if (parts.out_of_date) {
    return parts.configuration ? TcbStatus::out_of_date_configuration_needed
                               : TcbStatus::out_of_date;
  }
  if (parts.relaunch) {
    return parts.configuration ? TcbStatus::td_relaunch_advised_configuration_needed
                               : TcbStatus::td_relaunch_advised;
  }
  if (parts.configuration) {
    return parts.sw_hardening ? TcbStatus::configuration_and_sw_hardening_needed
                              : TcbStatus::configuration_needed;
  }
  return parts.sw_hardening ? TcbStatus::sw_hardening_needed : TcbStatus::up_to_date;
}

bool behind_or_revoked(TcbStatus status) {
  const Parts parts = parts_of(status);
  return parts.out_of_date || parts.revoked || parts.relaunch;
}

}  // namespace

const EnclaveLevel* match_enclave_level(const std::vector<EnclaveLevel>& levels, uint16_t isv_svn) {
  const auto found =
      std::ranges::find_if(levels, [&](const auto& level) { return level.isv_svn <= isv_svn; });
  return found == levels.end() ? nullptr : &*found;
}

PlatformMatch match_platform_level(const std::vector<PlatformLevel>& levels,
                                   const Fixed<16>& cpu_svn, uint16_t pce_svn,
                                   const Fixed<16>& tee_tcb_svn) {
  const size_t from = tee_tcb_svn[1] > 0 ? 2 : 0;
  PlatformMatch match;
  for (const PlatformLevel& level : levels) {
    if (!reaches(cpu_svn, level.sgx_components, 0) || pce_svn < level.pce_svn) continue;
    if (match.sgx == nullptr) match.sgx = &level;
    if (!reaches(tee_tcb_svn, level.tdx_components, from)) continue;
    match.tdx = &level;
    break;
  }
  return match;
}

const ModuleIdentity* find_module(const TcbInfo& info, uint8_t version) {
  const auto found = std::ranges::find(info.module_identities, version, &ModuleIdentity::version);
  return found == info.module_identities.end() ? nullptr : &*found;
}

TcbStatus merge(TcbStatus a, TcbStatus b) {
  const Parts x = parts_of(a), y = parts_of(b);
  return status_of({x.revoked || y.revoked, x.out_of_date || y.out_of_date,
                    x.relaunch || y.relaunch, x.configuration || y.configuration,
                    x.sw_hardening || y.sw_hardening});
}

bool relaunch_advised(const TcbInfo& info, const RelaunchInput& input) {
  if (behind_or_revoked(input.qe) || behind_or_revoked(input.sgx)) return false;
  if (input.merged != TcbStatus::out_of_date &&
      input.merged != TcbStatus::out_of_date_configuration_needed) {
    return false;
  }
  if (input.module != TcbStatus::out_of_date) return false;
  const Fixed<16>& now = input.tee_tcb_svn_2;
  const Fixed<16>& latest = info.levels.front().tdx_components;
  if (now[2] < latest[2]) return false;
  if (now[1] == 0) return now[0] >= latest[0];
  const ModuleIdentity* module = find_module(info, now[1]);
  return module != nullptr && now[0] >= module->levels.front().isv_svn;
}

TcbStatus relaunch_status(const RelaunchInput& input) {
  const bool configuration = parts_of(input.merged).configuration ||
                             parts_of(input.sgx).configuration || parts_of(input.qe).configuration;
  return configuration ? TcbStatus::td_relaunch_advised_configuration_needed
                       : TcbStatus::td_relaunch_advised;
}

bool accepted(TcbStatus status, bool allow_out_of_date) {
  const Parts parts = parts_of(status);
  if (parts.revoked) return false;
  return allow_out_of_date || (!parts.out_of_date && !parts.relaunch);
}

}  // namespace cloister::evidence::dcap
