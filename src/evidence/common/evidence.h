// The values that attestation speaks in: evidence and collateral in, an appraisal out. Every
// format's verifier is a pure function of (evidence, collateral, policy, expected binding, time).
#pragma once

#include <expected>
#include <map>

#include "base/json.h"
#include "crypto/x509.h"

namespace cloister::evidence {

enum class Format : uint8_t { tdx_quote = 1, sgx_quote = 2, snp_report = 3 };
std::string_view name(Format format);  // "tdx-quote", as on the command line
std::optional<Format> format_from(std::string_view name);

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

// Intel's words; AMD reports have no status and appraise as UpToDate once the TCB floor holds.
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

// Keys of vendors that a chain may end at, by SHA-256 of the SubjectPublicKeyInfo.
struct TrustAnchors {
  std::vector<Hash32> intel_sgx_root;
  std::map<std::string, std::vector<Hash32>> amd_ark;  // product line ("Milan") -> keys
  // Keys of simulated vendors. Evidence that ends here is marked `development` everywhere.
  std::vector<Hash32> development_intel;
  std::vector<Hash32> development_amd;
};
TrustAnchors vendor_anchors();  // the real vendors' keys, compiled in; no development keys

// What an embedder may allow or demand beyond the strict default. Names are permissions.
struct VerifyPolicy {
  TrustAnchors anchors = vendor_anchors();
  bool allow_debug = false;
  bool allow_out_of_date = false;
  bool allow_service_td = false;
  bool allow_perfmon = false;
  bool allow_no_sept_ve_disable = false;
  bool allow_no_revocation =
      false;  // a CRL that is absent; one that is present and bad still refuses
  bool allow_migration = false;
  uint64_t min_tcb_evaluation_number = 0;        // Intel
  std::vector<std::string> distrusted_products;  // AMD product lines, e.g. "Milan"
  // AMD product line -> the least reported, committed and launch TCB, in the report's byte order.
  std::map<std::string, Fixed<8>> min_amd_tcb;
  std::vector<std::string> denied_advisories;
};

// What the report's 64 bytes must say. There is no verification without saying which binding is
// meant: `not_compared` exists for auditors who look at evidence of others, and says so in the
// checks.
class Binding {
 public:
  static Binding report_data(const Fixed<64>& expected) { return Binding(expected); }
  static Binding not_compared() { return Binding(std::nullopt); }
  const std::optional<Fixed<64>>& expected() const { return expected_; }

 private:
  explicit Binding(std::optional<Fixed<64>> expected) : expected_(expected) {}
  std::optional<Fixed<64>> expected_;
};

// Vendor-signed inputs, sorted into roles by their content. Parsed for shape only: nothing here is
// believed before the verifier has checked its signature.
struct Collateral {
  std::vector<std::string> tcb_infos;      // whole JSON documents with signature
  std::vector<std::string> qe_identities;  // whole JSON documents with signature
  std::vector<crypto::Certificate> certificates;
  std::vector<crypto::Crl> crls;

  // Adds one file: JSON, PEM certificates or CRL, DER certificate or CRL. False: none of these, or
  // past the limits.
  [[nodiscard]] bool add(Bytes file);
};
constexpr size_t kMaxCollateralFileBytes = 256 * 1024;
constexpr size_t kMaxCollateralObjects = 64;

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
  const Fixed<64>& report_data() const { return report_data_; }
  // Launch measurement: MRTD for TDX, MEASUREMENT for SNP (48 bytes).
  const Buffer& measurement() const { return measurement_; }
  // Run-time registers RTMR0..3 of TDX (48 bytes each); empty for SNP.
  const std::vector<Buffer>& runtime_measurements() const { return runtime_measurements_; }
  // The owner's configuration: MRCONFIGID for TDX (48 bytes), HOST_DATA for SNP (32 bytes).
  const Buffer& configuration() const { return configuration_; }
  // What names the physical platform: PPID for TDX (16 bytes), CHIP_ID for SNP (64 bytes). Private
  // data of the operator: goes to the ledger as a salted hash only.
  const Buffer& platform_id() const { return platform_id_; }
  uint64_t tcb_evaluation_number() const { return tcb_evaluation_number_; }  // Intel; 0 for AMD
  const std::string& product() const { return product_; }  // "TDX", "Milan", "Genoa", …
  // The earliest end of the windows that the verdict rests on.
  UnixSeconds valid_until() const { return valid_until_; }

 private:
  friend class VerifiedEvidenceMaker;
  VerifiedEvidence() = default;
  Format format_{};
  bool development_ = false;
  TcbStatus status_{};
  std::vector<std::string> advisories_;
  Fixed<64> report_data_{};
  Buffer measurement_, configuration_, platform_id_;
  std::vector<Buffer> runtime_measurements_;
  uint64_t tcb_evaluation_number_ = 0;
  std::string product_;
  UnixSeconds valid_until_ = 0;
};

// What a verifier returns: the report for people and, when accepted, the typed claims for the code.
struct Verification {
  Appraisal appraisal;
  std::optional<VerifiedEvidence> verified;  // set exactly when appraisal.accepted()
};

}  // namespace cloister::evidence
