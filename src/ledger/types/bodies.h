// Bodies of the transactions, one a kind. Who may send one and what it is refused for:
// ledger/state.
#pragma once

#include "ledger/types/beacon.h"
#include "ledger/types/session.h"
#include "ledger/types/tx.h"

namespace cloister::ledger {

struct Transfer : Record<Transfer> {
  static constexpr TxKind kKind = TxKind::transfer;
  AccountId to{};
  uint64_t amount_micro = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "to", r.to);
    v(2, "amount_micro", r.amount_micro);
  }
  bool operator==(const Transfer&) const = default;
};

struct OperatorBond : Record<OperatorBond> {
  static constexpr TxKind kKind = TxKind::operator_bond;
  uint64_t amount_micro = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "amount_micro", r.amount_micro);
  }
  bool operator==(const OperatorBond&) const = default;
};

// The object first, then the certificates that sign it.
struct PutCollateral : Record<PutCollateral> {
  static constexpr TxKind kKind = TxKind::put_collateral;
  std::vector<Buffer> files;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "files", r.files, kMaxCollateralFiles, kMaxCollateralBytes);
  }
  bool operator==(const PutCollateral&) const = default;
};

// What the instance itself declares and signs. The block dates the evidence.
struct Registration : Record<Registration> {
  Hash32 identity_key{};
  Buffer claims;
  std::vector<EvidenceItem> evidence;
  std::string endpoint;
  std::vector<Offer> offers;
  uint32_t capacity = 0;
  uint64_t block_height = 0;
  Hash32 block_hash{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "identity_key", r.identity_key);
    v(2, "claims", r.claims, kMaxClaimsBytes);
    v(3, "evidence", r.evidence, kMaxEvidenceItems);
    v(4, "endpoint", r.endpoint, kMaxEndpointBytes);
    v(5, "offers", r.offers, kMaxModelsPerInstance);
    v(6, "capacity", r.capacity);
    v(7, "block_height", r.block_height);
    v(8, "block_hash", r.block_hash);
  }
  bool operator==(const Registration&) const = default;
};

struct RegisterInstance : Record<RegisterInstance> {
  static constexpr TxKind kKind = TxKind::register_instance;
  Registration registration;
  crypto::Ed25519Signature identity_signature{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "registration", r.registration);
    v(2, "identity_signature", r.identity_signature);
  }
  bool operator==(const RegisterInstance&) const = default;
};

// Ed25519 by the identity key over "cloister register v1" ‖ 00 ‖ SHA-256(chain_id) ‖ operator ‖
// CBOR.
RegisterInstance sign_registration(const Registration& registration, std::string_view chain_id,
                                   const AccountId& operator_account,
                                   const crypto::Ed25519Key& identity);
bool verify_registration(const RegisterInstance& body, std::string_view chain_id,
                         const AccountId& operator_account);

struct Renewal : Record<Renewal> {
  InstanceId instance{};
  Buffer claims;
  std::vector<EvidenceItem> evidence;
  uint64_t block_height = 0;
  Hash32 block_hash{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
    v(2, "claims", r.claims, kMaxClaimsBytes);
    v(3, "evidence", r.evidence, kMaxEvidenceItems);
    v(4, "block_height", r.block_height);
    v(5, "block_hash", r.block_hash);
  }
  bool operator==(const Renewal&) const = default;
};

struct RenewInstance : Record<RenewInstance> {
  static constexpr TxKind kKind = TxKind::renew_instance;
  Renewal renewal;
  crypto::Ed25519Signature identity_signature{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "renewal", r.renewal);
    v(2, "identity_signature", r.identity_signature);
  }
  bool operator==(const RenewInstance&) const = default;
};

// Ed25519 by the identity key over "cloister renew v1" ‖ 00 ‖ SHA-256(chain_id) ‖ CBOR.
RenewInstance sign_renewal(const Renewal& renewal, std::string_view chain_id,
                           const crypto::Ed25519Key& identity);
bool verify_renewal(const RenewInstance& body, std::string_view chain_id,
                    const crypto::Ed25519Public& identity_key);

struct OpenSession : Record<OpenSession> {
  static constexpr TxKind kKind = TxKind::open_session;
  ModelRoot model_root{};
  Requirement requirement;
  uint64_t max_units = 0;
  uint64_t price_cap_micro = 0;
  uint64_t deposit_micro = 0;  // at least max_units at price_cap
  uint64_t lifetime_blocks = 0;
  bool allow_audit = false;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "model_root", r.model_root);
    v(2, "requirement", r.requirement);
    v(3, "max_units", r.max_units);
    v(4, "price_cap_micro", r.price_cap_micro);
    v(5, "deposit_micro", r.deposit_micro);
    v(6, "lifetime_blocks", r.lifetime_blocks);
    v(7, "allow_audit", r.allow_audit);
  }
  bool operator==(const OpenSession&) const = default;
};

struct ConfirmAttestation : Record<ConfirmAttestation> {
  static constexpr TxKind kKind = TxKind::confirm_attestation;
  SessionId session{};
  InstanceId instance{};
  Hash32 verdict_id{};
  uint64_t policy_version = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "session", r.session);
    v(2, "instance", r.instance);
    v(3, "verdict_id", r.verdict_id);
    v(4, "policy_version", r.policy_version);
  }
  bool operator==(const ConfirmAttestation&) const = default;
};

// With evidence (the instance's registration evidence, which anyone can ask it for) the ledger
// judges whether it still holds; without, the session is only drawn again.
struct ReportAttestation : Record<ReportAttestation> {
  static constexpr TxKind kKind = TxKind::report_attestation;
  SessionId session{};
  ReportReason reason = ReportReason::unreachable;
  std::vector<EvidenceItem> evidence;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "session", r.session);
    v(2, "reason", r.reason);
    v(3, "evidence", r.evidence, kMaxEvidenceItems);
  }
  bool operator==(const ReportAttestation&) const = default;
};

struct Settle : Record<Settle> {
  static constexpr TxKind kKind = TxKind::settle;
  SessionId session{};
  Buffer receipt;  // CBOR of SignedReceipt

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "session", r.session);
    v(2, "receipt", r.receipt, kMaxClaimsBytes);
  }
  bool operator==(const Settle&) const = default;
};

struct CloseSession : Record<CloseSession> {
  static constexpr TxKind kKind = TxKind::close_session;
  SessionId session{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "session", r.session);
  }
  bool operator==(const CloseSession&) const = default;
};

struct PutBeaconShare : Record<PutBeaconShare> {
  static constexpr TxKind kKind = TxKind::beacon_share;
  uint64_t height = 0;
  BeaconShare share;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "height", r.height);
    v(2, "share", r.share);
  }
  bool operator==(const PutBeaconShare&) const = default;
};

}  // namespace cloister::ledger
