// Bodies about sessions.
#pragma once

#include "ledger/types/session.h"
#include "ledger/types/tx.h"

namespace cloister::ledger {

struct OpenSession : Record<OpenSession> {
  static constexpr TxKind kKind = TxKind::open_session;
  ModelRoot model_root{};
  Requirement requirement;
  uint64_t max_units = 0;
  uint64_t price_cap_micro = 0;
  uint64_t deposit_micro = 0;  // of each session; at least max_units at price_cap
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

}  // namespace cloister::ledger
