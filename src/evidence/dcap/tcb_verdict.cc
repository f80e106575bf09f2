#include "evidence/dcap/tcb_verdict.h"

#include <algorithm>

#include "evidence/dcap/tcb_level.h"

namespace cloister::evidence::dcap {
namespace {

void add(TcbVerdict& to, const LevelStatus& level) {
  std::vector<std::string>& all = to.advisories;
  all.insert(all.end(), level.advisories.begin(), level.advisories.end());
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  to.earliest_tcb_date = std::min(to.earliest_tcb_date, level.tcb_date);
}

Result<void> add_module(const TcbInfo& info, const ModuleFacts& module, TcbVerdict& to) {
  const auto level = module_level(info, module);
  if (!level) return std::unexpected(level.error());
  if (*level == nullptr) return {};
  add(to, (*level)->at);
  to.module = (*level)->at.status;
  return {};
}

TcbStatus with_relaunch(const TcbInfo& info, const ModuleFacts& module,
                        const RelaunchInput& input) {
  const bool advised = module.tee_tcb_svn_2 && relaunch_advised(info, input);
  return advised ? relaunch_status(input) : input.merged;
}

}  // namespace

Result<void> check_identities(const TcbInfo& info, const QeIdentity& identity,
                              const TcbFacts& facts) {
  if (!matches(identity, facts.qe)) {
    return refuse(Error::identity_mismatch, "the quoting enclave is not the one of the identity");
  }
  return facts.module ? check_module_identity(info, *facts.module) : Result<void>{};
}

Result<TcbVerdict> judge_tcb(const TcbInfo& info, const QeIdentity& identity,
                             const TcbFacts& facts) {
  TcbVerdict out;
  const EnclaveLevel* qe = match_enclave_level(identity.levels, facts.qe.isv_svn);
  if (qe == nullptr) return refuse(Error::no_tcb_level, "no level for the quoting enclave");
  if (facts.module) {
    if (const auto added = add_module(info, *facts.module, out); !added) {
      return std::unexpected(added.error());
    }
  }
  const PlatformMatch match =
      match_platform_level(info.levels, facts.cpu_svn, facts.pce_svn,
                           facts.module ? facts.module->tee_tcb_svn : Fixed<16>{});
  if (match.tdx == nullptr) return refuse(Error::no_tcb_level, "no level for the platform");
  out.platform = match.tdx->at.status;
  out.sgx = match.sgx->at.status;
  out.qe = qe->at.status;
  const TcbStatus module = out.module.value_or(TcbStatus::up_to_date);
  TcbStatus merged = merge(out.platform, module);
  if (facts.module) {
    const Fixed<16> svn_now = facts.module->tee_tcb_svn_2.value_or(Fixed<16>{});
    merged = with_relaunch(info, *facts.module, {out.qe, out.sgx, module, merged, svn_now});
  }
  out.status = merge(merged, out.qe);
  add(out, match.tdx->at);
  add(out, qe->at);
  return out;
}

}  // namespace cloister::evidence::dcap
