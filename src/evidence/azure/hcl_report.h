// The report that Azure's paravisor leaves in a vTPM's NV index 0x01400001: a hardware report, and
// the JSON of run-time data whose hash the hardware signed. It names the vTPM's attestation key.
#pragma once

#include "evidence/common/fault.h"

namespace cloister::evidence::azure {

constexpr size_t kMaxHclReportBytes = 16 * 1024;

struct HclReport {
  Format hardware{};       // snp_report or tdx_quote
  Buffer hardware_report;  // SNP: the 1184 bytes of the report. TDX: a TDREPORT, which only the
                           // same machine's quoting enclave can check: the quote comes apart.
  Hash32 runtime_hash{};   // SHA-256 of the JSON as received
  crypto::PublicKey attestation_key;  // HCLAkPub
};

// `malformed`: another shape, lengths that disagree, anything but zeros after the end, JSON without
// exactly one RSA key HCLAkPub. `unsupported`: another version, report type or hash.
Result<HclReport> parse_hcl_report(Bytes bytes);

}  // namespace cloister::evidence::azure
