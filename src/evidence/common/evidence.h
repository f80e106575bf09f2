// The values that attestation speaks in: evidence and collateral in, an appraisal out. Every
// format's verifier is a pure function of (evidence, collateral, policy, expected binding, time).
#pragma once

#include "evidence/common/policy.h"
#include "evidence/common/standing.h"

namespace cloister::evidence {

// The numbers lie in the ledger's state and never change.
enum class Format : uint8_t {
  tdx_quote = 1,
  sgx_quote = 2,
  snp_report = 3,
  nvidia_gpu = 4,
  nvidia_switch = 5,
  nvidia_rim = 6,  // a file of golden measurements, judged by itself
  tpm_quote = 7,
  nitro = 8,
  cca_token = 9,
};

std::string_view name(Format format);  // "tdx-quote", as on the command line
std::optional<Format> format_from(std::string_view name);
bool carries_report_data(Format format);  // 64 bytes of the guest; Nitro: `user_data`
bool carries_nonce(Format format);        // the challenge that it answers

// Bytes as the device gave them, with their format. CMW's media types map one to one to formats.
struct Evidence {
  Format format;
  Buffer bytes;
};
constexpr size_t kMaxEvidenceBytes = 64 * 1024;

// Why evidence was refused, in the order in which causes are looked for, so that an input with
// several faults has a stable answer. The names are interface (`cloister verify --json`, field
// `error`) and the numbers go into ledger receipts: neither ever changes.
enum class Error : uint8_t {
  malformed = 1,
  unsupported = 2,
  collateral_missing = 3,
  wrong_chain = 4,
  not_yet_valid = 5,
  expired = 6,
  revoked = 7,
  collateral_mismatch = 8,
  bad_signature = 9,
  identity_mismatch = 10,
  no_tcb_level = 11,
  debug_enabled = 12,
  policy_denied = 13,
  service_td = 14,
  tcb_status = 15,
  measurement_mismatch = 16,
  report_data_mismatch = 17,
  nonce_mismatch = 18,
};
std::string_view name(Error error);      // "bad_signature"
std::string_view describe(Error error);  // one short sentence

// Intel's words; other vendors have none and appraise as UpToDate once their floors hold.
enum class TcbStatus : uint8_t {
  up_to_date = 1,
  sw_hardening_needed = 2,
  configuration_needed = 3,
  configuration_and_sw_hardening_needed = 4,
  out_of_date = 5,
  out_of_date_configuration_needed = 6,
  td_relaunch_advised = 7,
  td_relaunch_advised_configuration_needed = 8,
  revoked = 9,
};
std::string_view name(TcbStatus status);  // "UpToDate"
std::optional<TcbStatus> tcb_status_from(std::string_view name);

// Vendor-signed inputs, sorted into roles by their content. Parsed for shape only: nothing here is
// believed before the verifier has checked its signature.
struct Collateral {
  std::vector<std::string> tcb_infos;      // whole JSON documents with signature
  std::vector<std::string> qe_identities;  // whole JSON documents with signature
  std::vector<crypto::Certificate> certificates;
  std::vector<crypto::Crl> crls;
  std::vector<std::string> rims;        // SWID documents of NVIDIA, XML
  std::vector<Buffer> ocsp_responses;   // DER (RFC 6960)
  std::vector<crypto::PublicKey> keys;  // attestation keys that the caller vouches for

  // Adds one file: JSON, JWK, PEM or DER certificates, CRL, OCSP response, PEM public key, RIM.
  // False: none of these, or past the limits.
  [[nodiscard]] bool add(Bytes file);
};
constexpr size_t kMaxCollateralFileBytes = 256 * 1024;
constexpr size_t kMaxCollateralObjects = 128;  // eight GPUs and four switches with all of theirs

// One thing that was looked at. `name` is from a closed list of literals.
struct Check {
  std::string name;
  bool ok = false;
  std::string expected;
  std::string found;
};

// The verdict with everything it rests on. `error` empty means accepted; on refusal the fields that
// were established before stay filled for the report, but nothing may be admitted on them.
struct Appraisal {
  Format format{};
  std::optional<Error> error;
  std::string detail;                      // what was seen and what was expected; never secrets
  std::optional<TcbStatus> status;         // merged
  std::vector<std::string> advisories;     // sorted, unique
  JsonValue claims = JsonValue::Object{};  // names and values as ../vectors/cases.json has them
  std::vector<Check> checks;               // in the order they were made
  bool development = false;                // the chain ended at a development anchor
  bool accepted() const { return !error.has_value(); }
};

// Claims that only an accepting verification can make. Policy, ledger and channel ask for this
// type.
class VerifiedEvidence {
 public:
  Format format() const { return format_; }
  bool development() const { return development_; }
  TcbStatus status() const { return status_; }
  const std::vector<std::string>& advisories() const { return advisories_; }
  // What the guest had signed: 64 bytes for TDX, SGX and SNP, up to 512 for Nitro; else empty.
  const Buffer& report_data() const { return report_data_; }
  // The challenge that the evidence answers (NVIDIA 32 bytes, TPM, Nitro, CCA); else empty.
  const Buffer& nonce() const { return nonce_; }
  // Launch measurement: MRTD for TDX, MRENCLAVE for SGX (32 bytes), MEASUREMENT for SNP, PCR 0 for
  // Nitro, the realm's initial measurement for CCA; empty for NVIDIA and TPM.
  const Buffer& measurement() const { return measurement_; }
  // Run-time registers RTMR0..3 of TDX (48 bytes each), PCRs of TPM and Nitro, the realm's
  // extensible measurements of CCA, the device's measurements of NVIDIA; empty for SNP and SGX.
  const std::vector<Buffer>& runtime_measurements() const { return runtime_measurements_; }
  // The owner's configuration: MRCONFIGID for TDX (48 bytes), HOST_DATA for SNP (32 bytes), the
  // realm's personalization value for CCA (64 bytes); else empty.
  const Buffer& configuration() const { return configuration_; }
  // What names the physical platform: PPID for TDX and SGX (16 bytes), CHIP_ID for SNP (64 bytes),
  // the serial of the device certificate for NVIDIA, the instance id for CCA; else empty. Private
  // data of the operator: goes to the ledger as a salted hash only.
  const Buffer& platform_id() const { return platform_id_; }
  uint64_t tcb_evaluation_number() const { return tcb_evaluation_number_; }  // Intel; 0 for AMD
  const std::string& product() const { return product_; }  // "TDX", "Milan", "GH100", …
  // NVIDIA, as the device's manifests have them: of a GPU both, of a switch its BIOS as firmware.
  const std::string& driver_version() const { return driver_version_; }
  const std::string& firmware_version() const { return firmware_version_; }
  // The earliest end of the windows that the verdict rests on.
  UnixSeconds valid_until() const { return valid_until_; }
  // What the vendor may take back later. TDX, SGX, SNP and NVIDIA; else empty.
  const std::optional<Standing>& standing() const { return standing_; }

 private:
  friend class VerifiedEvidenceMaker;
  VerifiedEvidence() = default;
  Format format_{};
  bool development_ = false;
  TcbStatus status_{};
  std::vector<std::string> advisories_;
  Buffer report_data_, nonce_, measurement_, configuration_, platform_id_;
  std::vector<Buffer> runtime_measurements_;
  uint64_t tcb_evaluation_number_ = 0;
  std::string product_, driver_version_, firmware_version_;
  UnixSeconds valid_until_ = 0;
  std::optional<Standing> standing_;
};

// What a verifier returns: the report for people and, when accepted, the typed claims for the code.
struct Verification {
  Appraisal appraisal;
  std::optional<VerifiedEvidence> verified;  // set exactly when appraisal.accepted()
};

}  // namespace cloister::evidence
