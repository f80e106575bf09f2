// TCB info version 3 (Intel PCS v4): which patch levels of one platform family (FMSPC, PCEID) count
// as what. Parsed strictly; nothing is believed before the signature over `document.signed_text`
// holds.
#pragma once

#include "evidence/dcap/signed_json.h"
#include "evidence/dcap/tee.h"

namespace cloister::evidence::dcap {

struct PlatformLevel {
  Fixed<16> sgx_components;
  uint16_t pce_svn;
  Fixed<16> tdx_components;  // zero for SGX
  LevelStatus at;
  bool operator==(const PlatformLevel&) const = default;
};

// Who may have signed the TDX module, and its attributes.
struct ModuleSigner {
  Fixed<48> mr_signer;
  Fixed<8> attributes;
  Fixed<8> attributes_mask;
  bool operator==(const ModuleSigner&) const = default;
};

struct ModuleIdentity {
  uint8_t version;  // of "TDX_03": 3
  ModuleSigner signer;
  std::vector<EnclaveLevel> levels;  // highest first
  bool operator==(const ModuleIdentity&) const = default;
};
constexpr size_t kMaxModuleIdentities = 32;

struct TcbInfo {
  SignedJson document;
  Tee tee;  // its id
  UnixSeconds issue_date;
  UnixSeconds next_update;
  Fixed<6> fmspc;
  Fixed<2> pce_id;
  uint64_t evaluation_number;
  std::optional<ModuleSigner> module;  // TDX only, there always: for module version 0
  std::vector<ModuleIdentity> module_identities;
  std::vector<PlatformLevel> levels;  // highest first: SGX components, PCESVN, TDX components
};

// Whether both, of one family, judge every platform alike: only dates and signatures differ.
bool judges_alike(const TcbInfo& a, const TcbInfo& b);

// `malformed`, or `unsupported` for another version or TCB type.
Result<TcbInfo> parse_tcb_info(std::string_view document);

}  // namespace cloister::evidence::dcap
