// The attestation report of an AMD SEV-SNP guest (SEV-SNP Firmware ABI, 56860, table
// ATTESTATION_REPORT). Parsing decides only that the bytes have this shape; nothing in a Report is
// believed before verify_snp_report has checked its signature.
#pragma once

#include <expected>

#include "evidence/common/evidence.h"
#include "evidence/snp/product.h"

namespace cloister::evidence::snp {

constexpr size_t kReportBytes = 0x4A0;
constexpr size_t kSignedBytes = 0x2A0;

// Security version numbers, one a byte, in the report's order. Which part of the firmware a byte
// counts depends on the product line; comparing two of one machine does not.
using Tcb = Fixed<8>;
bool at_most(const Tcb& a, const Tcb& b);  // every component of a <= that of b

enum class SigningKey : uint8_t { vcek = 0, vlek = 1 };
std::string_view name(SigningKey key);  // "vcek"

struct Cpuid {
  uint8_t family;
  uint8_t model;
  uint8_t stepping;
};

struct FirmwareVersion {
  uint8_t build;
  uint8_t minor;
  uint8_t major;
};

// Bits of Report::policy and Report::platform_info.
constexpr uint64_t kPolicySmtAllowed = 1ull << 16;
constexpr uint64_t kPolicyAlwaysOne = 1ull << 17;
constexpr uint64_t kPolicyMigrationAgent = 1ull << 18;
constexpr uint64_t kPolicyDebug = 1ull << 19;
constexpr uint64_t kPolicySingleSocket = 1ull << 20;
constexpr uint64_t kPolicyCxlAllowed = 1ull << 21;
constexpr uint64_t kPolicyMemoryAes256Xts = 1ull << 22;
constexpr uint64_t kPolicyRaplDisabled = 1ull << 23;
constexpr uint64_t kPolicyCiphertextHiding = 1ull << 24;
constexpr uint64_t kPolicyPageSwapDisabled = 1ull << 25;
constexpr uint64_t kPlatformSmtEnabled = 1ull << 0;
constexpr uint64_t kPlatformTsmeEnabled = 1ull << 1;
constexpr uint64_t kPlatformEccEnabled = 1ull << 2;
constexpr uint64_t kPlatformRaplDisabled = 1ull << 3;
constexpr uint64_t kPlatformCiphertextHiding = 1ull << 4;
constexpr uint64_t kPlatformAliasCheckComplete = 1ull << 5;  // BadRAM (AMD-SB-3015)
constexpr uint64_t kPlatformTioEnabled = 1ull << 7;

constexpr uint32_t kVmplOfHost = 0xFFFFFFFF;  // the host asked for the report, not the guest
constexpr uint32_t kMaxVmpl = 3;

struct Report {
  uint32_t version = 0;
  uint32_t guest_svn = 0;
  uint64_t policy = 0;
  Fixed<16> family_id{};
  Fixed<16> image_id{};
  uint32_t vmpl = 0;  // 0..kMaxVmpl, or kVmplOfHost
  Tcb current_tcb{};
  uint64_t platform_info = 0;
  bool author_key_enabled = false;
  bool chip_key_masked = false;
  SigningKey signing_key{};
  Fixed<64> report_data{};
  Fixed<48> measurement{};
  Fixed<32> host_data{};
  Fixed<48> id_key_digest{};
  Fixed<48> author_key_digest{};
  Fixed<32> report_id{};
  Fixed<32> report_id_of_migration_agent{};
  Tcb reported_tcb{};
  std::optional<Cpuid> cpuid;  // version 3 and later
  Fixed<64> chip_id{};         // zero when masked, and always with a VLEK
  Tcb committed_tcb{};
  FirmwareVersion current_firmware{};
  FirmwareVersion committed_firmware{};
  Tcb launch_tcb{};
  uint64_t launch_mitigations = 0;   // version 5
  uint64_t current_mitigations = 0;  // version 5
  Buffer signed_bytes;               // what the signature covers, as received
  Fixed<96> signature_rs{};          // r‖s, big-endian
};

// malformed: not 1184 bytes, a reserved byte or bit set, padding of the unsigned signature area not
// zero, policy bit 17 clear, a VMPL that does not exist. unsupported: version not 2 to 5, a
// signature algorithm other than ECDSA P-384 with SHA-384, a signing key other than VCEK or VLEK.
std::expected<Report, Error> parse_report(Bytes bytes);

}  // namespace cloister::evidence::snp
