// X.509 certificates and CRLs as the evidence formats need them (RFC 5280): parsed by OpenSSL,
// judged step by step by the caller, because each vendor's chain has rules of its own. No trust
// store, no clock, no network. Parsing demands DER: what OpenSSL re-encodes must equal what came.
#pragma once

#include <memory>

#include "base/seams.h"
#include "crypto/signature.h"

namespace cloister::crypto {

enum class KeyKind { ec_p256, ec_p384, rsa, ed25519, other };
enum class SignatureKind { ecdsa_sha256, ecdsa_sha384, rsa_pss_sha384_salt48, other };

class Certificate {
 public:
  // One certificate, no trailing bytes. Serial numbers <= 0 are accepted: AMD issues them.
  static std::optional<Certificate> from_der(Bytes der);

  const Buffer& der() const;
  const Buffer& subject_der() const;  // the Name, DER
  const Buffer& issuer_der() const;
  std::string subject_common_name() const;  // empty when absent or given twice
  const Buffer& spki_der() const;
  Hash32 spki_sha256() const;
  const Buffer& public_xy() const;  // EC keys; empty for others
  KeyKind key_kind() const;
  SignatureKind signature_kind() const;
  UnixSeconds not_before() const;
  UnixSeconds not_after() const;
  Buffer serial() const;  // big-endian magnitude without leading zeros
  bool is_ca() const;     // basicConstraints CA:TRUE, critical or not
  std::optional<uint64_t> path_length() const;
  bool may_sign_certificates() const;  // keyUsage keyCertSign set
  bool may_sign_crls() const;          // keyUsage absent or cRLSign set
  bool may_sign_data() const;          // keyUsage absent or digitalSignature set
  bool may_sign_ocsp() const;          // extendedKeyUsage id-kp-OCSPSigning (RFC 6960, 4.2.2.2)
  bool self_issued() const { return subject_der() == issuer_der(); }

  // extnValue of the one extension with this dotted OID; nothing when absent, or present twice.
  std::optional<Buffer> extension(const std::string& oid) const;
  // A critical extension other than those RFC 5280 names that we process.
  bool has_unknown_critical_extension() const;

  // The signature alone: neither names nor times nor roles. Only the algorithms of SignatureKind.
  // A signature that held is not computed again: the certificate and its copies remember the
  // issuer's key.
  bool signed_by(const Certificate& issuer) const;

  // Whether this certificate's EC key signed `message` (raw r‖s, the curve's own hash).
  bool signed_message(Bytes message, Bytes signature_rs) const;

  void* handle() const;  // X509*, lent

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;  // immutable, so copies share it
};

// Each "BEGIN CERTIFICATE" block in order. Nothing when a block is broken or more than max_count.
// A block that holds the very bytes of one in `known` becomes a copy of it, which saves most of
// the time and keeps what it remembers.
std::optional<std::vector<Certificate>> certificates_from_pem(
    std::string_view pem, size_t max_count, std::span<const Certificate> known = {});
std::string to_pem(const Certificate& certificate);

class Crl {
 public:
  static std::optional<Crl> from_der(Bytes der);
  const Buffer& der() const;
  const Buffer& issuer_der() const;
  UnixSeconds this_update() const;
  std::optional<UnixSeconds> next_update() const;
  std::optional<Buffer> number() const;  // CRL number, big-endian magnitude
  bool has_authority_key_id() const;
  bool has_unknown_critical_extension() const;
  bool lists(const Buffer& serial) const;              // serial as Certificate::serial gives it
  const std::vector<Buffer>& revoked_serials() const;  // ascending
  bool signed_by(const Certificate& issuer) const;     // remembered as a certificate's is

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

// --- issuing: the node's own leaf and the development hierarchies
// -----------------------------------
struct IssueExtension {
  std::string oid;
  bool critical;
  Buffer value;  // DER inside extnValue
};

struct IssueRequest {
  std::string subject_cn;
  std::string organization;                                     // empty: left out
  std::vector<std::pair<std::string, std::string>> more_names;  // e.g. {"L", "Santa Clara"}
  Buffer serial;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  bool ca = false;
  std::optional<uint64_t> path_length;
  std::vector<IssueExtension> extensions;
};

// issuer == nullptr: self-signed with `issuer_key`, which is then also the subject's key.
// RSA issuers sign RSASSA-PSS SHA-384 salt 48, EC issuers ECDSA with the curve's hash.
Certificate issue_certificate(const IssueRequest& request, const PrivateKey& subject_key,
                              const Certificate* issuer, const PrivateKey& issuer_key);
Crl issue_crl(const Certificate& issuer, const PrivateKey& issuer_key, UnixSeconds this_update,
              UnixSeconds next_update, uint64_t number, const std::vector<Buffer>& revoked_serials);

}  // namespace cloister::crypto
