// What the simulated Intel is made of: certificates, collateral and quotes in Intel's exact
// formats, from plain parameters whose defaults are an up-to-date platform. The simulator uses the
// defaults; tests of single faults bend one parameter. Written against the formats and not with the
// verifier's code, so that a misreading there does not cancel out here.
#pragma once

#include "crypto/x509.h"

namespace cloister::evidence::sim {

constexpr const char* kDevelopmentOrganization = "Cloister development, no hardware protection";

struct IntelAuthority {
  crypto::PrivateKey key;
  crypto::Certificate certificate;
};

struct IntelWindow {
  UnixSeconds from = 0;
  UnixSeconds until = 0;
};

// --- certificates --------------------------------------------------------------------------------
constexpr const char* kIntelRootName = "Intel SGX Root CA";
constexpr const char* kIntelPlatformCaName = "Intel SGX PCK Platform CA";
constexpr const char* kIntelTcbSigningName = "Intel SGX TCB Signing";
constexpr const char* kIntelPckName = "Intel SGX PCK Certificate";

struct IntelCertificate {
  std::string common_name;
  IntelWindow window;
  bool ca = false;
  std::optional<uint64_t> path_length;
  std::vector<crypto::IssueExtension> extensions;
};

// The serial number is drawn from the subject's key. Without an issuer: self-signed.
crypto::Certificate issue_intel(const IntelCertificate& parameters,
                                const crypto::PrivateKey& subject_key,
                                const IntelAuthority* issuer);
IntelAuthority make_intel_authority(const IntelCertificate& parameters,
                                    const IntelAuthority* issuer);

struct IntelPlatform {
  Fixed<16> ppid{};
  Fixed<16> instance_id{};
  Fixed<16> cpu_svn = {3, 3, 2, 2, 4, 1, 0, 5};
  uint16_t pce_svn = 13;
  Fixed<2> pce_id = {0, 0};
  Fixed<6> fmspc = {0xde, 0, 0, 0, 0, 0};  // no real family
};

Buffer encode_pck_extension(const IntelPlatform& platform);
IntelCertificate pck_certificate(const IntelPlatform& platform, const IntelWindow& window);

// --- collateral ----------------------------------------------------------------------------------
struct IntelStatus {
  std::string status = "UpToDate";
  std::string tcb_date = "2024-11-13T00:00:00Z";
  std::vector<std::string> advisories;
};

struct IntelPlatformLevel {
  Fixed<16> sgx = {3, 3, 2, 2, 4, 1, 0, 5};
  uint16_t pce_svn = 13;
  Fixed<16> tdx = {5, 0, 3};
  IntelStatus at;
};

struct IntelEnclaveLevel {
  uint16_t isv_svn = 0;
  IntelStatus at;
};

struct IntelModule {
  std::string id = "TDX_01";
  Fixed<48> mr_signer{};
  std::vector<IntelEnclaveLevel> levels;
};

struct IntelTcbInfo {
  IntelWindow window;
  std::string id = "TDX";
  uint32_t version = 3;
  Fixed<6> fmspc = IntelPlatform{}.fmspc;
  Fixed<2> pce_id = {0, 0};
  uint32_t evaluation_number = 18;
  std::vector<IntelModule> modules;
  std::vector<IntelPlatformLevel> levels;
};
// One level up to date and one behind, for the platform and for the module of version 1.
IntelTcbInfo default_tcb_info(const IntelWindow& window);

struct IntelQeIdentity {
  IntelWindow window;
  std::string id = "TD_QE";
  uint32_t version = 2;
  uint32_t evaluation_number = 18;
  Fixed<32> mr_signer{};
  uint16_t isv_prod_id = 2;
  std::vector<IntelEnclaveLevel> levels;
};
IntelQeIdentity default_qe_identity(const IntelWindow& window);

std::string encode_tcb_info(const IntelTcbInfo& info);            // the value of "tcbInfo"
std::string encode_qe_identity(const IntelQeIdentity& identity);  // the value of "enclaveIdentity"
// {NAME: body, "signature": …} over exactly the bytes of `body`.
std::string sign_document(std::string_view name, std::string_view body,
                          const crypto::PrivateKey& key);

// --- quotes --------------------------------------------------------------------------------------
constexpr uint64_t kTdSeptVeDisable = uint64_t{1} << 28;

struct IntelTdReport {
  Fixed<16> tee_tcb_svn = {6, 1, 3};
  Fixed<48> mr_seam{};
  Fixed<48> mr_signer_seam{};
  uint64_t seam_attributes = 0;
  uint64_t td_attributes = kTdSeptVeDisable;
  uint64_t xfam = 0x0602e7;
  Fixed<48> mr_td{};
  Fixed<48> mr_config_id{};
  Fixed<48> mr_owner{};
  Fixed<48> mr_owner_config{};
  std::array<Fixed<48>, 4> rtmr{};
  Fixed<64> report_data{};
  bool td_1_5 = false;  // then the two below, in a quote of version 5
  Fixed<16> tee_tcb_svn_2 = {6, 1, 3};
  Fixed<48> mr_service_td{};
};

struct IntelQuotingEnclave {
  Fixed<4> misc_select{};
  Fixed<16> attributes = {0x11};
  Fixed<32> mr_signer{};
  uint16_t isv_prod_id = 2;
  uint16_t isv_svn = 6;
  Buffer authentication_data = Buffer(32);
};
IntelQuotingEnclave default_quoting_enclave();  // the one that default_qe_identity names

struct IntelEnclave {
  Fixed<16> cpu_svn{};
  Fixed<4> misc_select{};
  Fixed<16> attributes = {0x05};  // INIT, MODE64BIT
  Fixed<32> mr_enclave{};
  Fixed<32> mr_signer{};
  uint16_t isv_prod_id = 1;
  uint16_t isv_svn = 1;
  Fixed<64> report_data{};
};

// Who signs a quote, and what it carries behind the signature.
struct IntelQuoteSigner {
  const IntelQuotingEnclave& qe;
  const crypto::PrivateKey& attestation_key;
  const crypto::PrivateKey& pck_key;  // signs the QE report
  std::string_view pck_chain;         // as it stands in the quote
};

// TDX quote version 4, or 5 with a TD 1.5 report.
Buffer encode_tdx_quote(const IntelTdReport& td, const IntelQuoteSigner& signer);
// SGX quote version 3, 4 or 5.
Buffer encode_sgx_quote(const IntelEnclave& enclave, uint16_t version,
                        const IntelQuoteSigner& signer);

}  // namespace cloister::evidence::sim
