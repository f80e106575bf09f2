// Who orders blocks: operators with enough stake, each with one consensus key. All have the same
// power, so that every two-thirds commit holds enough shares of the beacon (41-consensus, 10.1).
#pragma once

#include "ledger/types/record.h"
#include "ledger/types/tx.h"

namespace cloister::ledger {

// The first 20 bytes of the SHA-256 of the consensus key, as CometBFT names validators.
using ValidatorAddress = Fixed<20>;
ValidatorAddress validator_address(const crypto::Ed25519Public& public_key);

// Lies at its address in family validators; the address of an active one also at its operator's
// account. Kept for ever: evidence may come late, and a key that signed twice never comes back.
struct ValidatorRecord : Record<ValidatorRecord> {
  crypto::Ed25519Public public_key{};
  AccountId operator_account{};
  uint64_t power = 0;
  ValidatorState state = ValidatorState::active;
  uint64_t since_height = 0;  // of the state; 0: the genesis

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "public_key", r.public_key);
    v(2, "operator_account", r.operator_account);
    v(3, "power", r.power);
    v(4, "state", r.state);
    v(5, "since_height", r.since_height);
  }
  bool operator==(const ValidatorRecord&) const = default;
};

// By an operator. The consensus key signs too, so that nobody names a key that is another's.
struct JoinValidators : Record<JoinValidators> {
  static constexpr TxKind kKind = TxKind::join_validators;
  crypto::Ed25519Public public_key{};
  crypto::Ed25519Signature signature{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "public_key", r.public_key);
    v(2, "signature", r.signature);
  }
  bool operator==(const JoinValidators&) const = default;
};

struct LeaveValidators : Record<LeaveValidators> {
  static constexpr TxKind kKind = TxKind::leave_validators;

  template <typename R, typename V>
  static void fields(R&, V&) {}
  bool operator==(const LeaveValidators&) const = default;
};

// Ed25519 over "cloister validator v1" ‖ 00 ‖ SHA-256(chain_id) ‖ operator account.
JoinValidators sign_join(std::string_view chain_id, const AccountId& operator_account,
                         const crypto::Ed25519Key& consensus_key);
bool verify_join(const JoinValidators& body, std::string_view chain_id,
                 const AccountId& operator_account);

}  // namespace cloister::ledger
