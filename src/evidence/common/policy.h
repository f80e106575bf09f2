// What a caller of a verifier decides beforehand: whose keys a chain may end at, what is allowed or
// demanded beyond the strict default, and which binding the evidence must carry.
#pragma once

#include <expected>
#include <map>

#include "base/json.h"
#include "crypto/hash.h"
#include "crypto/public_key.h"
#include "crypto/x509.h"

namespace cloister::evidence {

// Keys of vendors that a chain may end at, by SHA-256 of the SubjectPublicKeyInfo.
struct TrustAnchors {
  std::vector<Hash32> intel_sgx_root;
  std::map<std::string, std::vector<Hash32>> amd_ark;  // product line ("Milan") -> keys
  std::vector<Hash32> nvidia_device_root;              // NVIDIA Device Identity CA
  std::vector<Hash32> nvidia_rim_root;                 // NVIDIA Reference Value RIM Root CA
  std::vector<Hash32> aws_nitro_root;
  std::vector<Hash32> tpm_root;  // of clouds that certify attestation keys of their vTPMs
  // Keys of simulated vendors. Evidence that ends here is marked `development` everywhere.
  std::vector<Hash32> development_intel;
  std::vector<Hash32> development_amd;
  std::vector<Hash32> development_nvidia;  // devices, RIMs and OCSP responders
  std::vector<Hash32> development_nitro;
  std::vector<Hash32> development_tpm;
};
TrustAnchors vendor_anchors();  // the real vendors' keys, compiled in; no development keys

// Platform configuration registers of a TPM, of one bank.
struct PcrSelection {
  crypto::HashKind bank = crypto::HashKind::sha256;
  std::vector<uint8_t> indices;
};

// Demands on SEV-SNP reports. Empty: nothing beyond the default.
struct SnpDemands {
  struct Bits {
    uint64_t set = 0, clear = 0;
  };
  Bits policy;    // of POLICY: the guest's, as its owner launched it; bits in snp/report.h
  Bits platform;  // of PLATFORM_INFO: the machine's as it is
  uint64_t mitigations = 0;                  // set in both vectors of a version 5 report
  uint16_t min_abi = 0;                      // major << 8 | minor
  Fixed<3> min_committed_firmware{};         // major, minor, build
  std::optional<uint32_t> max_vmpl;          // 0 to 3
  std::vector<std::string> cloud_providers;  // CSP ids of VLEKs; empty: any
  std::vector<Fixed<48>> id_key_digests, author_key_digests;  // empty: any
};

// What an embedder may allow or demand beyond the strict default. Names are permissions.
struct VerifyPolicy {
  TrustAnchors anchors = vendor_anchors();
  bool allow_debug = false;
  bool allow_out_of_date = false;
  bool allow_service_td = false;
  bool allow_perfmon = false;
  bool allow_no_sept_ve_disable = false;
  // A CRL or OCSP response that is absent; one that is present and bad still refuses.
  bool allow_no_revocation = false;
  bool allow_no_rim = false;  // a RIM that is absent; one that is present and bad still refuses
  bool allow_migration = false;
  uint64_t min_tcb_evaluation_number = 0;        // Intel
  std::vector<std::string> distrusted_products;  // AMD product lines, e.g. "Milan"
  // AMD product line -> the least reported, committed and launch TCB, in the report's byte order.
  std::map<std::string, Fixed<8>> min_amd_tcb;
  SnpDemands snp;
  std::vector<std::string> denied_advisories;
  // The least driver and VBIOS of an NVIDIA GPU, e.g. "550.90.07", "96.00.9F.00.01"; empty: any
  // that has a manifest.
  std::string min_nvidia_driver, min_nvidia_vbios;
  std::optional<uint64_t> max_nitro_age_s;  // of a document's own timestamp; absent: not bounded
  // What a TPM's quote must cover at least; absent: whatever it covers.
  std::optional<PcrSelection> tpm_selection;
};

// Permissions by the names that they have on command lines and in the library's interface:
// "debug" for `allow_debug`, and so on.
std::vector<std::string_view> permissions();
[[nodiscard]] bool allow(VerifyPolicy& policy, std::string_view permission);  // false: no such name
// Lets chains of every vendor's kind end at this root; such evidence is marked `development`.
void add_development_root(TrustAnchors& anchors, const crypto::Certificate& root);

// What the evidence must carry: the 64 bytes of REPORTDATA (Nitro: `user_data`), or the challenge
// that it answers, or both. There is no verification without saying which binding is meant:
// `not_compared` exists for auditors who look at evidence of others, and says so in the checks.
class Binding {
 public:
  static Binding report_data(Bytes expected) { return Binding().and_report_data(expected); }
  static Binding nonce(Bytes expected) { return Binding().and_nonce(expected); }
  static Binding not_compared() { return Binding(); }
  Binding and_report_data(Bytes expected) const;
  Binding and_nonce(Bytes expected) const;

  const std::optional<Buffer>& expected_report_data() const { return report_data_; }
  const std::optional<Buffer>& expected_nonce() const { return nonce_; }

 private:
  Binding() = default;
  std::optional<Buffer> report_data_, nonce_;
};

}  // namespace cloister::evidence
