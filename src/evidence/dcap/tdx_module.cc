#include "evidence/dcap/tdx_module.h"

#include "base/text.h"

namespace cloister::evidence::dcap {

Result<void> check_module_identity(const TcbInfo& info, const ModuleFacts& running) {
  const uint8_t version = running.tee_tcb_svn[1];
  const ModuleIdentity* module = find_module(info, version);
  if (version != 0 && module == nullptr) {
    return refuse(Error::no_tcb_level, "no TDX module version " + std::to_string(version));
  }
  const ModuleSigner& signer = version == 0 ? *info.module : module->signer;
  if (running.mr_signer_seam != signer.mr_signer) {
    return refuse(Error::identity_mismatch, "MRSIGNERSEAM " + to_hex(running.mr_signer_seam));
  }
  for (size_t i = 0; i < running.seam_attributes.size(); ++i) {
    const uint8_t masked = running.seam_attributes[i] & signer.attributes_mask[i];
    if (running.seam_attributes[i] != 0 || masked != signer.attributes[i]) {
      return refuse(Error::identity_mismatch, "SEAMATTRIBUTES " + to_hex(running.seam_attributes));
    }
  }
  return {};
}

Result<const EnclaveLevel*> module_level(const TcbInfo& info, const ModuleFacts& running) {
  const Fixed<16>& svn = running.tee_tcb_svn;
  if (svn[1] == 0) return nullptr;
  const ModuleIdentity* module = find_module(info, svn[1]);
  const EnclaveLevel* level =
      module == nullptr ? nullptr : match_enclave_level(module->levels, svn[0]);
  if (level == nullptr) {
    return refuse(Error::no_tcb_level, "no level for TDX module SVN " + std::to_string(svn[0]));
  }
  return level;
}

}  // namespace cloister::evidence::dcap
