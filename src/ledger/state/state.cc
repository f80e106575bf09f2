#include "ledger/state/state.h"

#include <algorithm>
#include <utility>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

template <typename Body>
Verdict run(Context& c, const Tx& tx, Verdict (*rule)(Context&, const Tx&, const Body&)) {
  const auto body = Body::decode(tx.body);
  return body ? rule(c, tx, *body) : Verdict(Code::malformed_body);
}

Verdict dispatch(Context& c, const Tx& tx) {
  switch (tx.kind) {
    case TxKind::transfer:
      return run(c, tx, apply_transfer);
    case TxKind::operator_bond:
      return run(c, tx, apply_bond);
    case TxKind::operator_unbond:
      return run(c, tx, apply_unbond);
    case TxKind::operator_withdraw:
      return run(c, tx, apply_withdraw);
    case TxKind::put_collateral:
      return run(c, tx, apply_collateral);
    case TxKind::register_instance:
      return run(c, tx, apply_register);
    case TxKind::renew_instance:
      return run(c, tx, apply_renew);
    case TxKind::rotate_keys:
      return run(c, tx, apply_rotate);
    case TxKind::drain_instance:
      return run(c, tx, apply_drain);
    case TxKind::retire_instance:
      return run(c, tx, apply_retire);
    case TxKind::revoke_instance:
      return run(c, tx, apply_revoke);
    case TxKind::register_model:
      return run(c, tx, apply_register_model);
    case TxKind::update_model:
      return run(c, tx, apply_update_model);
    case TxKind::deprecate_model:
      return run(c, tx, apply_deprecate_model);
    case TxKind::open_session:
      return run(c, tx, apply_open);
    case TxKind::confirm_attestation:
      return run(c, tx, apply_confirm);
    case TxKind::report_attestation:
      return run(c, tx, apply_report);
    case TxKind::settle:
      return run(c, tx, apply_settle);
    case TxKind::close_session:
      return run(c, tx, apply_close);
    case TxKind::submit_job:
      return run(c, tx, apply_submit_job);
    case TxKind::post_input:
      return run(c, tx, apply_post_input);
    case TxKind::post_result:
      return run(c, tx, apply_post_result);
    case TxKind::commit_receipts:
      return run(c, tx, apply_commit_receipts);
    case TxKind::open_receipt:
      return run(c, tx, apply_open_receipt);
    case TxKind::commit_verdict:
      return run(c, tx, apply_commit_verdict);
    case TxKind::reveal_verdict:
      return run(c, tx, apply_reveal_verdict);
    case TxKind::appeal:
      return run(c, tx, apply_appeal);
    case TxKind::propose:
      return run(c, tx, apply_propose);
    case TxKind::vote:
      return run(c, tx, apply_vote);
    case TxKind::release_approve:
      return run(c, tx, apply_release_approve);
    case TxKind::emergency_pause:
      return run(c, tx, apply_emergency_pause);
    case TxKind::join_validators:
      return run(c, tx, apply_join_validators);
    case TxKind::leave_validators:
      return run(c, tx, apply_leave_validators);
  }
  return Code::malformed;
}

// Takes the fee and uses the nonce up, or changes nothing.
Code charge(Context& c, const Tx& tx) {
  Account account = c.account(tx.account);
  if (tx.nonce != account.nonce) return Code::wrong_nonce;
  if (tx.fee_micro < c.params.min_fee_micro) return Code::fee_too_low;
  if (account.balance_micro < tx.fee_micro) return Code::insufficient_balance;
  account.nonce += 1;
  account.balance_micro -= tx.fee_micro;
  c.put(tx.account, account);
  credit(c, treasury_account(), tx.fee_micro);
  return Code::ok;
}

std::string log_of(Code code) {
  if (code == Code::ok) return {};
  return std::string(name(code)) + ": " + std::string(describe(code));
}

// One rule on its own: a refusal takes back everything it did.
template <typename Rule>
TxResult isolated(Context& c, Rule rule) {
  c.store.mark();
  c.data.clear();
  std::vector<Event> block_events = std::exchange(c.events, {});
  const size_t requests = c.requests.size(), check_draws = c.check_draws.size();
  const Verdict verdict = rule();
  TxResult result;
  result.code = verdict.code;
  result.log = log_of(verdict.code);
  if (verdict.code == Code::ok || verdict.keep) {
    result.data = c.data;
    result.events = std::move(c.events);
  } else {
    c.store.rollback();
    c.requests.resize(requests);
    c.check_draws.resize(check_draws);
  }
  c.events = std::move(block_events);
  return result;
}

// Paid for and used up before its rule is asked: what was refused can't be sent again by anybody,
// and nobody has evidence verified for nothing.
TxResult apply_tx(Context& c, Bytes bytes) {
  const auto tx = open_tx(bytes, c.chain_id());
  const Code charged = tx ? charge(c, *tx) : tx.error();
  if (charged == Code::ok) return isolated(c, [&] { return dispatch(c, *tx); });
  TxResult out;
  out.code = charged;
  out.log = log_of(charged);
  return out;
}

void fall_due(Context& c, DueKind kind, const Hash32& id) {
  switch (kind) {
    case DueKind::instance:
      return instance_due(c, id);
    case DueKind::session:
      return session_due(c, id);
    case DueKind::proposal:
      return proposal_due(c, id);
    case DueKind::policy:
      return policy_due(c);
    case DueKind::batch:
      return batch_due(c, id);
    case DueKind::check:
      return check_due(c, id);
    case DueKind::audit:
      return audit_due(c, id);
    case DueKind::job:
      return job_due(c, id);
  }
  invariant(false, "something unknown falls due");
}

void process_due(Context& c) {
  std::vector<Buffer> keys;
  c.store.for_each(Family::due, {}, [&](Bytes key, Bytes) {
    ByteReader reader(key);
    if (reader.u64_be().value_or(UINT64_MAX) > c.height) return false;
    keys.push_back(to_buffer(key));
    return true;
  });
  for (const Buffer& key : keys) {
    // What fell due first may have moved what falls due next.
    if (!c.store.get(Family::due, key)) continue;
    const auto id = to_fixed<32>(Bytes(key).subspan(9));
    invariant(id.has_value(), "a due key is malformed");
    fall_due(c, static_cast<DueKind>(key[8]), *id);
    invariant(!c.store.get(Family::due, key), "what fell due did not move on");
  }
}

void remember_block(Context& c) {
  BlockRef block;
  block.hash = c.block_hash;
  block.time_ms = static_cast<uint64_t>(c.time_ms);
  c.store.put(Family::blocks, number_key(c.height), block.encode());
  if (c.height <= c.params.history_blocks) return;
  const Buffer old = number_key(c.height - c.params.history_blocks);
  c.store.erase(Family::blocks, old);
  c.store.erase(Family::beacon, old);
  std::vector<Buffer> frozen;
  c.store.for_each(Family::draws, old, [&](Bytes key, Bytes) {
    if (is_frozen_key(key)) frozen.push_back(to_buffer(key));
    return true;
  });
  for (const Buffer& key : frozen) c.store.erase(Family::draws, key);
}

void write_validators(Store& store, const Genesis& g) {
  Totals totals;
  for (const Validator& each : g.validators) {
    if (!each.operator_account) continue;
    Operator op;
    op.stake_micro = g.params.validator_stake_micro;
    op.reputation = g.params.reputation_start;
    store.put(Family::operators, id_key(*each.operator_account), op.encode());
    ValidatorRecord record;
    record.public_key = each.public_key;
    record.operator_account = *each.operator_account;
    record.power = each.power;
    const Buffer at = validator_key(validator_address(each.public_key));
    store.put(Family::validators, id_key(*each.operator_account), at);
    store.put(Family::validators, at, record.encode());
    totals.stake_micro += op.stake_micro;
    ++totals.validators;
  }
  if (totals.validators == 0) return;
  store.put(Family::params, to_buffer(as_bytes(kTotalsKey)), totals.encode());
}

void write_genesis(Store& store, const Genesis& g) {
  store.put(Family::params, to_buffer(as_bytes(kParamsKey)), g.params.encode());
  store.put(Family::params, to_buffer(as_bytes(kGenesisKey)), g.encode());
  store.put(Family::policy, to_buffer(as_bytes(kPolicyKey)), g.policy.encode());
  const PolicyLayers layers = layers_of(g.policy);
  store.put(Family::policy, to_buffer(as_bytes(kLayersKey)), layers.encode());
  schedule_policy(store, layers, 0);
  store.put(Family::policy, number_key(g.policy.version), g.policy.encode());
  for (const GenesisAccount& entry : g.accounts) {
    Account account;
    account.balance_micro = entry.balance_micro;
    store.put(Family::accounts, id_key(entry.account), account.encode());
  }
  write_validators(store, g);
  for (const Model& model : g.models) {
    store.put(Family::models, id_key(model.root), model.encode());
    store.put(Family::models, model_name_key(model.name), id_key(model.root));
  }
}

}  // namespace

std::string_view describe(StateError error) {
  switch (error) {
    case StateError::no_genesis:
      return "the store holds no readable genesis";
    case StateError::bad_genesis:
      return "the genesis breaks a rule";
  }
  return "unknown";
}

std::expected<State, StateError> State::from_genesis(const Genesis& genesis, Verifier verifier) {
  if (!ledger::check(genesis)) return std::unexpected(StateError::bad_genesis);
  Store store;
  write_genesis(store, genesis);
  store.seal();
  return from_store(std::move(store), std::move(verifier));
}

std::expected<State, StateError> State::from_store(Store store, Verifier verifier) {
  const auto genesis_bytes = store.get(Family::params, as_bytes(kGenesisKey));
  const auto params_bytes = store.get(Family::params, as_bytes(kParamsKey));
  const auto policy_bytes = store.get(Family::policy, as_bytes(kPolicyKey));
  auto genesis = genesis_bytes ? Genesis::decode(*genesis_bytes) : std::nullopt;
  const auto params = params_bytes ? Params::decode(*params_bytes) : std::nullopt;
  const auto policy = policy_bytes ? NetworkPolicy::decode(*policy_bytes) : std::nullopt;
  if (!genesis || !params || !policy) return std::unexpected(StateError::no_genesis);
  if (!ledger::check(*genesis)) return std::unexpected(StateError::bad_genesis);
  State state;
  state.params_ = *params;
  state.policy_ = *policy;
  state.time_ms_ = static_cast<UnixMillis>(genesis->time_ms);
  store.for_each(Family::blocks, {}, [&](Bytes key, Bytes value) {
    const auto block = BlockRef::decode(value);
    invariant(block.has_value(), "a stored record does not decode");
    state.height_ = ByteReader(key).u64_be().value_or(0);
    state.time_ms_ = static_cast<UnixMillis>(block->time_ms);
    return true;
  });
  state.genesis_ = std::move(*genesis);
  state.store_ = std::move(store);
  state.pools_ = Pools::load(state.store_);
  state.verifier_ = std::move(verifier);
  return state;
}

BlockResult State::apply(const BlockInput& block) {
  invariant(block.height == height_ + 1, "a block out of order");
  invariant(block.time_ms >= time_ms_, "a block before its predecessor");
  Context c{store_,        pools_,     genesis_, params_, policy_, *verifier_, block.height,
            block.time_ms, block.hash, {},       {},      {},      {}};
  BlockResult result;
  // First, so that what waits for a value of the beacon does not wait another block.
  const auto shares = block.txs.empty() ? std::nullopt : read_beacon_shares(block.txs[0]);
  if (shares) {
    result.txs.push_back(isolated(c, [&] { return apply_beacon_shares(c, *shares); }));
  }
  process_due(c);
  reward_epoch(c);
  for (const Misbehavior& fault : block.misbehavior) punish_misbehavior(c, fault);
  for (const Buffer& tx : block.txs.subspan(result.txs.size())) {
    result.txs.push_back(apply_tx(c, tx));
  }
  if (c.vendors_changed) review_by_vendors(c);
  pools_.refresh(store_, params_, c.reweigh_all);
  freeze_requests(c);
  freeze_checkers(c);
  remember_block(c);
  audit_block(store_);
  result.validator_updates = validator_updates(store_);
  store_.seal();
  height_ = block.height;
  time_ms_ = block.time_ms;
  result.events = std::move(c.events);
  result.app_hash = store_.sealed().app_hash();
  return result;
}

TxCheck check_tx(const Snapshot& state, std::string_view chain_id, uint64_t min_fee_micro,
                 Bytes bytes, bool again) {
  TxCheck out;
  const auto tx = again ? open_again(bytes, chain_id) : open_tx(bytes, chain_id);
  if (tx) {
    const auto stored = state.get(Family::accounts, tx->account);
    const Account account = stored ? Account::decode(*stored).value_or(Account()) : Account();
    out.sender = tx->account;
    out.nonce = tx->nonce;
    out.next_nonce = account.nonce;
    if (tx->nonce < account.nonce) {
      out.code = Code::wrong_nonce;
    } else if (tx->fee_micro < min_fee_micro) {
      out.code = Code::fee_too_low;
    } else if (account.balance_micro < tx->fee_micro) {
      out.code = Code::insufficient_balance;
    }
  } else {
    out.code = tx.error();
  }
  out.log = log_of(out.code);
  return out;
}

TxCheck State::check(Bytes bytes) const {
  return check_tx(store_.sealed(), genesis_.chain_id, params_.min_fee_micro, bytes);
}

bool State::work_due(uint64_t height) const {
  bool due = false;
  store_.for_each(Family::due, {}, [&](Bytes key, Bytes) {
    due = ByteReader(key).u64_be().value_or(UINT64_MAX) <= height;
    return false;  // the first is the earliest
  });
  return due || !beacons_wanted(height).empty();
}

}  // namespace cloister::ledger
