#include "ledger/state/context.h"

namespace cloister::ledger {

Verdict apply_transfer(Context& c, const Tx& tx, const Transfer& body) {
  if (body.amount_micro == 0) return Code::amount_zero;
  if (!debit(c, tx.account, body.amount_micro)) return Code::insufficient_balance;
  credit(c, body.to, body.amount_micro);
  return Code::ok;
}

}  // namespace cloister::ledger
