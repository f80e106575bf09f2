#include <algorithm>

#include "ledger/state/context.h"
#include "ledger/types/receipt.h"

namespace cloister::ledger {
namespace {

Code check_receipt(const Context& c, const SignedReceipt& signed_receipt, const Session& session,
                   const Instance& instance) {
  if (!verify_receipt(signed_receipt, instance.identity_key)) return Code::receipt_signature;
  const Receipt& receipt = signed_receipt.receipt;
  if (receipt.version != 1 || receipt.chain_id != c.chain_id() || receipt.session != session.id ||
      receipt.instance_id != instance.id || receipt.model_root != session.model_root) {
    return Code::receipt_mismatch;
  }
  // An instance that refuses a job says so with a receipt for nothing: the user is refunded at
  // once.
  const bool refuses = session.on_ledger && receipt.cumulative_units == 0;
  if (receipt.cumulative_units <= session.cumulative_units && !refuses) {
    return Code::receipt_not_rising;
  }
  if (receipt.cumulative_units > session.max_units) return Code::receipt_over_limit;
  return Code::ok;
}

// What the operator sets aside for those who check its answers, until its reserve is full.
uint64_t set_aside(Context& c, const Session& session, const Instance& instance,
                   uint64_t amount_micro) {
  if (!session.allow_audit) return 0;
  auto op = c.operator_of(instance.operator_account);
  invariant(op.has_value(), "an instance has no operator");
  const uint64_t full = std::max(c.params.check_reserve_micro, op->check_reserve_micro);
  const uint64_t part = std::min(share_of(amount_micro, c.params.check_reserve_permille),
                                 full - op->check_reserve_micro);
  op->check_reserve_micro += part;
  c.put(instance.operator_account, *op);
  return part;
}

// The shares of network and model owner are rounded down; the operator gets the rest. A share that
// was fixed at the draw gives way when the network's has risen since.
void pay(Context& c, const Session& session, const Instance& instance, uint64_t amount_micro) {
  const uint64_t treasury = share_of(amount_micro, c.params.treasury_permille);
  const uint64_t reserve = set_aside(c, session, instance, amount_micro);
  const uint64_t left = amount_micro - treasury - reserve;
  const uint64_t owner =
      session.model_owner ? std::min(left, share_of(amount_micro, session.owner_permille)) : 0;
  credit(c, treasury_account(), treasury);
  if (owner > 0) credit(c, *session.model_owner, owner);
  credit(c, instance.operator_account, left - owner);
}

}  // namespace

// The whole cost is rounded up once, so many small receipts cost no more than one.
Code settle_session(Context& c, const Tx& tx, Session& session, Bytes bytes) {
  const auto instance = c.instance(*session.instance);
  invariant(instance.has_value(), "a session's instance does not exist");
  if (!speaks_for(tx, *instance)) return Code::not_of_instance;
  const auto receipt = SignedReceipt::decode(bytes);
  if (!receipt) return Code::receipt_malformed;
  if (Code code = check_receipt(c, *receipt, session, *instance); code != Code::ok) return code;
  const uint64_t units = receipt->receipt.cumulative_units;
  const auto cost = cost_micro(units, session.price_micro);
  invariant(cost && *cost <= session.deposit_micro, "a session costs more than its deposit");
  const uint64_t amount = *cost - session.paid_micro;
  if (units == 0) return Code::ok;  // a job refused: nobody has earned anything
  if (session.cumulative_units == 0) {
    change_reputation(c, instance->operator_account, c.params.reputation_settled_gain);
  }
  count_audited(c, session, units);
  session.cumulative_units = units;
  session.paid_micro = *cost;
  session.escrow_micro -= amount;
  c.put(session);
  pay(c, session, *instance, amount);
  c.emit("session.settled", {{"session", to_hex(session.id)},
                             {"instance", to_hex(instance->id)},
                             {"cumulative_units", std::to_string(units)},
                             {"paid_micro", std::to_string(amount)}});
  return Code::ok;
}

Verdict apply_settle(Context& c, const Tx& tx, const Settle& body) {
  auto session = c.session(body.session);
  if (!session) return Code::session_unknown;
  if (session->on_ledger) return Code::is_a_job;
  if (session->state != SessionState::confirmed && session->state != SessionState::closing) {
    return Code::wrong_session_state;
  }
  return settle_session(c, tx, *session, body.receipt);
}

}  // namespace cloister::ledger
