#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

void put(Context& c, const ValidatorRecord& validator) {
  const Buffer at = validator_key(validator_address(validator.public_key));
  Totals totals = c.totals();
  const auto before = c.find<ValidatorRecord>(Family::validators, at);
  const bool was = before && before->state == ValidatorState::active;
  const bool is = validator.state == ValidatorState::active;
  if (is && !was) {
    c.store.put(Family::validators, id_key(validator.operator_account), at);
    ++totals.validators;
  } else if (was && !is) {
    c.store.erase(Family::validators, id_key(validator.operator_account));
    --totals.validators;
  }
  c.put(totals);
  c.store.put(Family::validators, at, validator.encode());
}

void leave(Context& c, ValidatorRecord validator, ValidatorState state, const char* reason) {
  validator.state = state;
  validator.since_height = c.height;
  put(c, validator);
  c.emit("validator.left", {{"validator", to_hex(validator_address(validator.public_key))},
                            {"operator", to_hex(validator.operator_account)},
                            {"reason", reason}});
}

}  // namespace

std::optional<ValidatorRecord> validator_of(const Context& c, const AccountId& operator_account) {
  const auto at = c.store.get(Family::validators, id_key(operator_account));
  return at ? c.find<ValidatorRecord>(Family::validators, *at) : std::nullopt;
}

Verdict apply_join_validators(Context& c, const Tx& tx, const JoinValidators& body) {
  if (c.genesis.embedded) return Code::not_replicated;
  if (!verify_join(body, c.chain_id(), tx.account)) return Code::validator_signature;
  const auto op = c.operator_of(tx.account);
  if (!op || op->stake_micro < c.params.validator_stake_micro) return Code::stake_too_low;
  if (validator_of(c, tx.account)) return Code::validator_exists;
  const ValidatorAddress address = validator_address(body.public_key);
  const auto known = c.find<ValidatorRecord>(Family::validators, validator_key(address));
  if (known && known->operator_account != tx.account) return Code::validator_exists;
  if (known && known->state == ValidatorState::excluded) return Code::validator_excluded;
  if (c.totals().validators >= kMaxValidators) return Code::validators_full;
  ValidatorRecord validator;
  validator.public_key = body.public_key;
  validator.operator_account = tx.account;
  validator.power = c.genesis.validators[0].power;
  validator.since_height = c.height;
  put(c, validator);
  c.emit("validator.joined", {{"validator", to_hex(address)}, {"operator", to_hex(tx.account)}});
  return Code::ok;
}

Verdict apply_leave_validators(Context& c, const Tx& tx, const LeaveValidators&) {
  const auto validator = validator_of(c, tx.account);
  if (!validator) return Code::not_validating;
  if (c.totals().validators == 1) return Code::last_validator;
  leave(c, *validator, ValidatorState::left, "operator");
  return Code::ok;
}

void check_backing(Context& c, const AccountId& operator_account) {
  const auto validator = validator_of(c, operator_account);
  if (!validator || c.totals().validators == 1) return;
  if (c.operator_of(operator_account)->stake_micro >= c.params.validator_stake_micro) return;
  leave(c, *validator, ValidatorState::left, "stake");
}

// Once for each key, however often it signed twice: that costs all of the stake that it asks for.
// The last validator pays like everybody and stays, because without it no block would follow.
void punish_misbehavior(Context& c, const Misbehavior& fault) {
  const auto known = c.find<ValidatorRecord>(Family::validators, validator_key(fault.validator));
  if (!known || known->state == ValidatorState::excluded) return;
  const bool active = known->state == ValidatorState::active;
  if (!active || c.totals().validators > 1) {
    leave(c, *known, ValidatorState::excluded, "equivocation");
  }
  slash(c, known->operator_account, treasury_account(), 0, c.params.validator_stake_micro);
}

std::vector<ValidatorUpdate> validator_updates(const Store& store) {
  std::vector<ValidatorUpdate> out;
  store.for_each_difference([&](const Store::Difference& d) {
    if (d.family != Family::validators || d.key.size() != sizeof(ValidatorAddress)) return;
    const auto before = d.before ? ValidatorRecord::decode(*d.before) : std::nullopt;
    const auto after = d.after ? ValidatorRecord::decode(*d.after) : std::nullopt;
    invariant(after.has_value(), "a validator's record is gone");
    const bool was = before && before->state == ValidatorState::active;
    const bool is = after->state == ValidatorState::active;
    if (was != is) out.push_back({after->public_key, is ? after->power : 0});
  });
  return out;
}

}  // namespace cloister::ledger
