// Bodies about instances: what they declare and sign, and how their service ends.
#pragma once

#include "ledger/types/instance.h"
#include "ledger/types/tx.h"

namespace cloister::ledger {

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

// The next epoch's key configuration of the sealed-message format, opaque here.
struct KeyRotation : Record<KeyRotation> {
  InstanceId instance{};
  KeyConfig keys;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
    v(2, "keys", r.keys);
  }
  bool operator==(const KeyRotation&) const = default;
};

struct RotateKeys : Record<RotateKeys> {
  static constexpr TxKind kKind = TxKind::rotate_keys;
  KeyRotation rotation;
  crypto::Ed25519Signature identity_signature{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "rotation", r.rotation);
    v(2, "identity_signature", r.identity_signature);
  }
  bool operator==(const RotateKeys&) const = default;
};

// Ed25519 by the identity key over "cloister keys v1" ‖ 00 ‖ SHA-256(chain_id) ‖ CBOR.
RotateKeys sign_rotation(const KeyRotation& rotation, std::string_view chain_id,
                         const crypto::Ed25519Key& identity);
bool verify_rotation(const RotateKeys& body, std::string_view chain_id,
                     const crypto::Ed25519Public& identity_key);

// No new sessions; those that run go on. There is no way back but a new registration.
struct DrainInstance : Record<DrainInstance> {
  static constexpr TxKind kKind = TxKind::drain_instance;
  InstanceId instance{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
  }
  bool operator==(const DrainInstance&) const = default;
};

// Out at once: sessions that were not confirmed are drawn again, the others may still be settled.
struct RetireInstance : Record<RetireInstance> {
  static constexpr TxKind kKind = TxKind::retire_instance;
  InstanceId instance{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
  }
  bool operator==(const RetireInstance&) const = default;
};

// By anyone, with one proof: the registration evidence, which no longer holds, or two different
// receipts that the instance signed for one answer of one session.
struct RevokeInstance : Record<RevokeInstance> {
  static constexpr TxKind kKind = TxKind::revoke_instance;
  InstanceId instance{};
  std::vector<EvidenceItem> evidence;
  std::vector<Buffer> receipts;  // CBOR of SignedReceipt: none or two

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
    v(2, "evidence", r.evidence, kMaxEvidenceItems);
    v(3, "receipts", r.receipts, kMaxProofReceipts, kMaxClaimsBytes);
  }
  bool operator==(const RevokeInstance&) const = default;
};

}  // namespace cloister::ledger
