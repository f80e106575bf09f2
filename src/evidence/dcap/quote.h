// The byte layout of DCAP quotes (Intel SGX ECDSA QuoteLib API, A.4; TDX DCAP Quoting Library API,
// A.3): SGX versions 3, 4 and 5; TDX version 4 with a TD 1.0 report, and 5 with a TD 1.0 or 1.5
// report. Offsets are in 20-attestation, 1.1 to 1.4.
//
// Parsing checks lengths and kinds and believes nothing: every field is untrusted until the quote's
// signature chain has been verified.
#pragma once

#include <variant>

#include "evidence/common/fault.h"
#include "evidence/dcap/tee.h"

namespace cloister::evidence::dcap {

constexpr size_t kMaxQuoteBytes = 16 * 1024;
constexpr size_t kMaxQeAuthenticationBytes = 1024;

// TD report body, 584 bytes (TD 1.0) or 648 (TD 1.5).
struct TdReport {
  Fixed<16> tee_tcb_svn;  // [0] module ISVSVN, [1] module version, [2] SEAMLDR
  Fixed<48> mr_seam;
  Fixed<48> mr_signer_seam;
  Fixed<8> seam_attributes;
  Fixed<8> td_attributes;
  Fixed<8> xfam;
  Fixed<48> mr_td;
  Fixed<48> mr_config_id;
  Fixed<48> mr_owner;
  Fixed<48> mr_owner_config;
  std::array<Fixed<48>, 4> rtmr;
  Fixed<64> report_data;
  // TD 1.5 only: the SVN of the module that runs now, and the service TD bound to this one.
  struct Extension {
    Fixed<16> tee_tcb_svn_2;
    Fixed<48> mr_service_td;
  };
  std::optional<Extension> v1_5;
};

// SGX report body, 384 bytes: here that of the quoting enclave.
struct EnclaveReport {
  Fixed<16> cpu_svn;
  Fixed<4> misc_select;
  Fixed<16> attributes;
  Fixed<32> mr_enclave;
  Fixed<32> mr_signer;
  uint16_t isv_prod_id;
  uint16_t isv_svn;
  Fixed<64> report_data;
};

// The views point into the bytes that were parsed.
struct Quote {
  uint16_t version;
  std::variant<TdReport, EnclaveReport> body;
  Bytes signed_part;      // header ‖ [descriptor] ‖ body
  Bytes signature;        // over signed_part, by attestation_key
  Bytes attestation_key;  // X‖Y
  Bytes qe_report_bytes;
  EnclaveReport qe_report;
  Bytes qe_report_signature;  // by the PCK leaf
  Bytes qe_authentication_data;
  Bytes pck_chain_pem;
  size_t trailing_bytes;  // after the declared end; covered by nothing

  const TdReport* td() const { return std::get_if<TdReport>(&body); }  // null for SGX
  const EnclaveReport* enclave() const { return std::get_if<EnclaveReport>(&body); }
  const Fixed<64>& report_data() const {
    return std::visit([](const auto& report) -> const Fixed<64>& { return report.report_data; },
                      body);
  }
};

// A quote of the kind `tee`. Refuses `malformed` (lengths, descriptor, reserved field of version 3,
// inner lengths that do not meet) and `unsupported` (version, key type, the other TEE, vendor,
// certification data other than a PCK chain in PEM). Bytes after the declared end are tolerated and
// counted: operating systems hand out padded buffers.
Result<Quote> parse_quote(Bytes bytes, Tee tee);

}  // namespace cloister::evidence::dcap
