#include <utility>

#include "ledger/state/context.h"

namespace cloister::ledger {

void Context::put(const AccountId& id, const Operator& op) {
  const auto before = operator_of(id);
  Totals sums = totals();
  sums.stake_micro += op.stake_micro - (before ? before->stake_micro : 0);  // modulo 2^64
  put(sums);
  store.put(Family::operators, id_key(id), op.encode());
}

Verdict apply_bond(Context& c, const Tx& tx, const OperatorBond& body) {
  if (body.amount_micro == 0) return Code::amount_zero;
  if (!debit(c, tx.account, body.amount_micro)) return Code::insufficient_balance;
  auto op = c.operator_of(tx.account);
  if (!op) {
    op.emplace();
    op->reputation = c.params.reputation_start;
  }
  op->stake_micro += body.amount_micro;  // bounded by the total of all money
  c.put(tx.account, *op);
  c.emit("operator.bonded",
         {{"operator", to_hex(tx.account)}, {"stake_micro", std::to_string(op->stake_micro)}});
  return Code::ok;
}

// What leaves the stake backs nothing new from now on, but answers for the past until it is
// withdrawn.
Verdict apply_unbond(Context& c, const Tx& tx, const OperatorUnbond& body) {
  if (body.amount_micro == 0) return Code::amount_zero;
  auto op = c.operator_of(tx.account);
  if (!op) return Code::not_operator;
  if (body.amount_micro > op->stake_micro) return Code::stake_insufficient;
  const uint64_t left = op->stake_micro - body.amount_micro;
  if (op->live_instances > 0 && left < c.params.min_stake_micro) return Code::stake_in_use;
  if (left < c.params.validator_stake_micro && validator_of(c, tx.account)) {
    return Code::stake_in_use;
  }
  if (op->unbonding.size() >= kMaxUnbonding) return Code::unbonding_full;
  Unbonding part;
  part.amount_micro = body.amount_micro;
  part.release_height = c.height + c.params.unbond_blocks;
  op->stake_micro = left;
  op->unbonding.push_back(part);
  c.put(tx.account, *op);
  c.emit("operator.unbonding", {{"operator", to_hex(tx.account)},
                                {"amount_micro", std::to_string(part.amount_micro)},
                                {"release_height", std::to_string(part.release_height)}});
  return Code::ok;
}

Verdict apply_withdraw(Context& c, const Tx& tx, const OperatorWithdraw&) {
  auto op = c.operator_of(tx.account);
  if (!op) return Code::not_operator;
  uint64_t released = 0;
  std::erase_if(op->unbonding, [&](const Unbonding& part) {
    if (part.release_height > c.height) return false;
    released += part.amount_micro;
    return true;
  });
  // Who has left altogether is given what was set aside for checks as well.
  if (op->live_instances == 0 && op->stake_micro == 0 && op->unbonding.empty()) {
    released += std::exchange(op->check_reserve_micro, 0);
  }
  if (released == 0) return Code::nothing_to_withdraw;
  c.put(tx.account, *op);
  credit(c, tx.account, released);
  c.emit("operator.withdrew",
         {{"operator", to_hex(tx.account)}, {"amount_micro", std::to_string(released)}});
  return Code::ok;
}

}  // namespace cloister::ledger
