// Bodies about money and operators.
#pragma once

#include "ledger/types/record.h"
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

// Out of the stake, into the queue: it comes back after unbond_blocks and can be slashed until
// then.
struct OperatorUnbond : Record<OperatorUnbond> {
  static constexpr TxKind kKind = TxKind::operator_unbond;
  uint64_t amount_micro = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "amount_micro", r.amount_micro);
  }
  bool operator==(const OperatorUnbond&) const = default;
};

// Pays out everything whose time has come.
struct OperatorWithdraw : Record<OperatorWithdraw> {
  static constexpr TxKind kKind = TxKind::operator_withdraw;

  template <typename R, typename V>
  static void fields(R&, V&) {}
  bool operator==(const OperatorWithdraw&) const = default;
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

}  // namespace cloister::ledger
