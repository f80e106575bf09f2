#include "ledger/state/context.h"

namespace cloister::ledger {

Verdict apply_transfer(Context& c, const Tx& tx, const Transfer& body) {
  if (body.amount_micro == 0) return Code::amount_zero;
  if (!debit(c, tx.account, body.amount_micro)) return Code::insufficient_balance;
  credit(c, body.to, body.amount_micro);
  return Code::ok;
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

}  // namespace cloister::ledger
