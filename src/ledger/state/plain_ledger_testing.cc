#include "ledger/state/plain_ledger_testing.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

namespace cloister::ledger {

using namespace plain;

namespace {

bool fits_request(const Session& s, const InstanceId& id, uint64_t price) {
  return price <= s.price_cap_micro &&
         std::find(s.excluded.begin(), s.excluded.end(), id) == s.excluded.end();
}

uint64_t factor(const Operator& op, const Params& params) {
  return op.stake_micro < params.min_stake_micro ? 0 : (op.reputation + 9) / 10;
}

uint8_t vendor(const Instance& instance) {
  return instance.platforms.empty() ? uint8_t{0} : instance.platforms[0].format;
}

}  // namespace

PlainLedger::PlainLedger(const Genesis& genesis, Verifier verifier)
    : genesis_(genesis), verifier_(std::move(verifier)), params_(genesis.params) {
  for (const GenesisAccount& entry : genesis.accounts) {
    w_.accounts[entry.account].balance_micro = entry.balance_micro;
  }
  for (const Validator& each : genesis.validators) {
    if (genesis.embedded) continue;
    Operator& op = w_.operators[*each.operator_account];
    op.stake_micro = params_.validator_stake_micro;
    op.reputation = params_.reputation_start;
    w_.validators[validator_address(each.public_key)] = {
        {}, each.public_key, *each.operator_account, each.power, ValidatorState::active, 0};
  }
  for (const Model& model : genesis.models) w_.models[model.root] = model;
  w_.layers = layers_of(genesis.policy);
  policies_[genesis.policy.version] = genesis.policy;
  schedule_policy();
}

std::vector<PlainLedger::Result> PlainLedger::apply(const BlockInput& block) {
  height_ = block.height;
  time_ms_ = static_cast<uint64_t>(block.time_ms);
  std::vector<Result> results;
  const auto front = block.txs.empty() ? std::nullopt : read_beacon_shares(block.txs[0]);
  if (front) results.push_back(tried([&] { return shares(*front); }));
  for (const auto& [at, kind, id] : due()) {
    // What fell due first may have moved this one.
    if (at <= height_ && due().contains({at, kind, id})) fall_due(kind, id);
  }
  reward();
  for (const Misbehavior& fault : block.misbehavior) punish(fault.validator);
  for (const Buffer& tx : block.txs.subspan(results.size())) {
    results.push_back(run(tx));
  }
  if (std::exchange(w_.vendors_changed, false)) review_by_vendors();
  weigh();
  freeze();
  remember(block);
  return results;
}

PlainLedger::Result PlainLedger::tried(const std::function<Outcome()>& rule) {
  const World before = w_;
  data_.clear();
  const Outcome outcome = rule();
  if (outcome.code != Code::ok && !outcome.keep) {
    w_ = before;
    data_.clear();
  }
  return {outcome.code, data_};
}

// --- money --------------------------------------------------------------------------------------

void PlainLedger::credit(const AccountId& to, uint64_t amount) {
  if (amount > 0) w_.accounts[to].balance_micro += amount;
}

bool PlainLedger::debit(const AccountId& from, uint64_t amount) {
  Account& account = w_.accounts[from];
  if (account.balance_micro < amount) return false;
  account.balance_micro -= amount;
  return true;
}

void PlainLedger::slash(const AccountId& account, const AccountId& to, uint32_t permille,
                        uint64_t amount) {
  Operator& op = w_.operators.at(account);
  uint64_t taken = std::min(amount, op.stake_micro);
  op.stake_micro -= taken;
  for (size_t i = op.unbonding.size(); i-- > 0;) {
    const uint64_t part = std::min(amount - taken, op.unbonding[i].amount_micro);
    op.unbonding[i].amount_micro -= part;
    taken += part;
    if (op.unbonding[i].amount_micro == 0) {
      op.unbonding.erase(op.unbonding.begin() + static_cast<long>(i));
    }
  }
  op.slashed_micro += taken;
  const uint64_t share = part_of(taken, permille);
  credit(to, share);
  credit(treasury_account(), taken - share);
  ValidatorRecord* validator = validator_of(account);
  if (validator && op.stake_micro < params_.validator_stake_micro && validators_now() > 1) {
    validator->state = ValidatorState::left;
    validator->since_height = height_;
  }
}

ValidatorRecord* PlainLedger::validator_of(const AccountId& op) {
  for (auto& [_, each] : w_.validators) {
    if (each.operator_account == op && each.state == ValidatorState::active) return &each;
  }
  return nullptr;
}

uint32_t PlainLedger::validators_now() const {
  uint32_t count = 0;
  for (const auto& [_, each] : w_.validators) count += each.state == ValidatorState::active;
  return count;
}

void PlainLedger::punish(const ValidatorAddress& address) {
  ValidatorRecord* validator = at(w_.validators, address);
  if (!validator || validator->state == ValidatorState::excluded) return;
  if (validator->state == ValidatorState::left || validators_now() > 1) {
    validator->state = ValidatorState::excluded;
    validator->since_height = height_;
  }
  slash(validator->operator_account, treasury_account(), 0, params_.validator_stake_micro);
}

void PlainLedger::reputation(const AccountId& account, int64_t by) {
  uint32_t& now = w_.operators.at(account).reputation;
  now = static_cast<uint32_t>(std::clamp<int64_t>(int64_t{now} + by, 0, 1000));
}

uint64_t PlainLedger::all_stake() const {
  uint64_t sum = 0;
  for (const auto& [account, op] : w_.operators) sum += op.stake_micro;
  return sum;
}

uint32_t PlainLedger::live_of(const AccountId& op) const {
  uint32_t count = 0;
  for (const auto& [id, each] : w_.instances) count += each.operator_account == op && is_live(id);
  return count;
}

uint32_t PlainLedger::open_on(const InstanceId& id) const {
  uint32_t count = 0;
  for (const auto& [_, s] : w_.sessions) count += holds_instance(s) && s.instance == id;
  return count;
}

bool PlainLedger::is_live(const InstanceId& id) const {
  const InstanceState state = w_.instances.at(id).state;
  return state == InstanceState::active || state == InstanceState::unverified;
}

// --- what falls due -----------------------------------------------------------------------------

std::set<PlainLedger::DueAt> PlainLedger::due() const {
  std::set<DueAt> out;
  const auto add = [&](uint64_t at, DueKind kind, const Hash32& id) {
    if (at != 0) out.insert({at, kind, id});
  };
  for (const auto& [id, each] : w_.instances) {
    if (is_live(id)) add(each.expires_height, DueKind::instance, id);
  }
  for (const auto& [id, each] : w_.sessions) add(each.due_height, DueKind::session, id);
  for (const auto& [id, each] : w_.proposals) add(each.due_height, DueKind::proposal, id);
  for (uint64_t at : w_.policy_heights) add(at, DueKind::policy, Hash32{});
  for (const auto& [id, each] : w_.batches) add(each.due_height, DueKind::batch, id);
  for (const auto& [id, each] : w_.checks) add(each.due_height, DueKind::check, id);
  for (const auto& [at, id] : w_.audit_heights) add(at, DueKind::audit, id);
  for (const auto& [id, each] : w_.jobs) add(each.due_height, DueKind::job, id);
  return out;
}

void PlainLedger::fall_due(DueKind kind, const Hash32& id) {
  switch (kind) {
    case DueKind::instance:
      return end_instance(id, InstanceState::expired);
    case DueKind::session: {
      Session& s = w_.sessions.at(id);
      if (s.state == SessionState::requested) return draw(s);
      if (s.state == SessionState::assigned) return end_session(s, SessionState::refunded);
      if (s.state == SessionState::closing) return end_session(s, SessionState::closed);
      return s.on_ledger ? miss_job(s, true) : start_closing(s);
    }
    case DueKind::proposal:
      return conclude(w_.proposals.at(id));
    case DueKind::policy:
      w_.policy_heights.erase(height_);
      return set_policy();
    case DueKind::batch:
      return draw_checks(w_.batches.at(id));
    case DueKind::check:
      return move_on(w_.checks.at(id));
    case DueKind::audit:
      return audit(id);
    case DueKind::job:
      w_.jobs.erase(id);
  }
}

void PlainLedger::reward() {
  if (height_ % params_.epoch_blocks != 0) return;
  std::map<InstanceId, uint64_t> weights;
  uint64_t total = 0;
  for (auto& [id, each] : w_.instances) {
    const uint64_t lost = std::min<uint64_t>(std::exchange(each.epoch_misses, 0), 10);
    if (each.state != InstanceState::active) continue;
    if (each.active_since > height_ - params_.epoch_blocks) continue;
    bool gpu = false;
    for (const Platform& platform : each.platforms) gpu = gpu || platform.format == 4;
    weights[id] = (gpu ? 3 : 1) * (10 - lost);
    total += weights[id];
  }
  const auto treasury = w_.accounts.find(treasury_account());
  const uint64_t pot = treasury == w_.accounts.end()
                           ? 0
                           : std::min(params_.epoch_reward_micro, treasury->second.balance_micro);
  for (const auto& [id, weight] : weights) {
    if (weight == 0) continue;
    const auto part = static_cast<uint64_t>(Wide{pot} * weight / total);
    if (!debit(treasury_account(), part)) std::abort();
    credit(w_.instances.at(id).operator_account, part);
  }
}

// Weights follow what changed in a block: the instance's own record, or an operator that is worth
// less, or counts again. A gain waits for the instance's next change.
void PlainLedger::weigh() {
  std::map<InstanceId, Buffer> instances;
  for (auto& [id, each] : w_.instances) {
    Instance now = each;
    now.open_sessions = open_on(id);
    instances[id] = now.encode();
    const Operator& op = w_.operators.at(each.operator_account);
    const auto old = operators_before_.find(each.operator_account);
    const uint64_t was = old == operators_before_.end() ? 0 : factor(old->second, params_);
    const uint64_t is = factor(op, params_);
    const auto before = instances_before_.find(id);
    const bool changed = before == instances_before_.end() || before->second != instances[id];
    if (!changed && !weigh_all_ && is >= was && !(was == 0 && is > 0)) continue;
    const bool takes =
        now.state == InstanceState::active && !now.draining && now.open_sessions < now.capacity;
    weights_[id] = {now, takes ? (now.capacity - now.open_sessions) * is : 0};
  }
  instances_before_ = std::move(instances);
  operators_before_ = w_.operators;
  weigh_all_ = false;
}

// --- draws --------------------------------------------------------------------------------------

void PlainLedger::freeze() {
  frozen_[height_] = weights_;
  while (frozen_.size() > 30) frozen_.erase(frozen_.begin());
  for (const SessionId& id : std::exchange(w_.requests, {})) {
    Session& s = w_.sessions.at(id);
    if (s.state != SessionState::requested || s.request_height != height_) continue;
    if (suitable(height_, s).empty()) {
      end_session(s, SessionState::refunded);
    } else {
      want_beacon(height_ + 1);
    }
  }
  if (std::exchange(w_.committees, false)) want_beacon(height_ + 1);
}

void PlainLedger::remember(const BlockInput& block) {
  blocks_[height_] = {{}, block.hash, time_ms_};
  if (height_ <= params_.history_blocks) return;
  blocks_.erase(height_ - params_.history_blocks);
  w_.beacons.erase(height_ - params_.history_blocks);
}

// In the order of ids. Prices are compared by their number of bits first, exactly when drawn.
std::vector<const PlainLedger::Weighed*> PlainLedger::suitable(uint64_t height,
                                                               const Session& s) const {
  std::vector<const Weighed*> out;
  for (const auto& [id, each] : frozen_.at(height)) {
    const Offer* offer = each.instance.offer_for(s.model_root);
    if (each.weight == 0 || !offer || !meets(each.instance, s.requirement)) continue;
    const auto& barred = s.apart_formats;
    if (std::find(barred.begin(), barred.end(), each.instance.platforms[0].format) !=
        barred.end()) {
      continue;
    }
    if (std::bit_width(offer->price_micro) > std::bit_width(s.price_cap_micro)) continue;
    out.push_back(&each);
  }
  return out;
}

std::optional<Hash32> PlainLedger::beacon_value(uint64_t height) const {
  const auto at = w_.beacons.find(height);
  return at == w_.beacons.end() ? std::nullopt : at->second.value;
}

void PlainLedger::want_beacon(uint64_t height) {
  w_.beacons.try_emplace(height).first->second.height = height;
}

void PlainLedger::request(Session& s) {
  s.state = SessionState::requested;
  s.instance.reset();
  s.price_micro = s.assigned_height = 0;
  s.apart_formats.clear();
  s.request_height = height_;
  s.due_height = height_ + 2;
  w_.requests.push_back(s.id);
}

void PlainLedger::miss(Session& s) {
  if (++s.misses > kMaxMisses) return end_session(s, SessionState::refunded);
  request(s);
}

void PlainLedger::draw(Session& s) {
  const auto beacon = beacon_value(s.request_height + 1);
  if (!beacon) {
    s.due_height = height_ + 1;
    if (height_ - s.request_height < params_.request_lifetime_blocks) return;
    return end_session(s, SessionState::refunded);
  }
  const Instance* other = nullptr;
  if (s.twin) {
    const Session& twin = w_.sessions.at(*s.twin);
    if (twin.instance && twin.due_height != 0) other = &w_.instances.at(*twin.instance);
  }
  if (other) {
    // The scripted vendors: formats 1 and 2, and 3.
    s.apart_formats =
        other->platforms[0].format == 3 ? std::vector<uint8_t>{3} : std::vector<uint8_t>{1, 2};
  }
  const auto list = suitable(s.request_height, s);
  std::vector<uint64_t> weights;
  for (const Weighed* each : list) weights.push_back(each->weight);
  const Weighed* winner = nullptr;
  for (size_t i : select(*beacon, s.id, weights, kMaxDrawTries)) {
    const Instance& candidate = list[i]->instance;
    if (!fits_request(s, candidate.id, candidate.offer_for(s.model_root)->price_micro)) continue;
    winner = list[i];
    break;
  }
  if (!winner) {
    return list.size() < kMaxDrawTries ? end_session(s, SessionState::refunded) : miss(s);
  }
  const Instance& now = w_.instances.at(winner->instance.id);
  if (now.state == InstanceState::unverified || now.state == InstanceState::expired) {
    reputation(now.operator_account, -int64_t{params_.reputation_miss_loss});
  }
  const Offer* offer = now.offer_for(s.model_root);
  const bool free = now.state == InstanceState::active && !now.draining &&
                    open_on(now.id) < now.capacity && offer && meets(now, s.requirement) &&
                    fits_request(s, now.id, offer->price_micro);
  if (!free) return miss(s);
  if (other && other->operator_account == now.operator_account) return miss(s);
  const Model& model = w_.models.at(s.model_root);
  s.state = SessionState::assigned;
  s.instance = now.id;
  s.price_micro = offer->price_micro;
  s.model_owner = model.owner;
  s.owner_permille = model.owner_permille;
  s.assigned_height = height_;
  s.due_height = height_ + params_.confirm_deadline_blocks;
}

// --- how sessions and instances end -------------------------------------------------------------

void PlainLedger::end_session(Session& s, SessionState state) {
  s.state = state;
  s.due_height = 0;
  credit(s.user, std::exchange(s.escrow_micro, 0));
  if (s.on_ledger) w_.jobs.at(s.id).due_height = height_ + params_.history_blocks;
}

void PlainLedger::start_closing(Session& s) {
  s.state = SessionState::closing;
  s.due_height = height_ + params_.settle_window_blocks;
}

void PlainLedger::miss_job(Session& s, bool at_fault) {
  if (at_fault) {
    Instance& instance = w_.instances.at(*s.instance);
    slash(instance.operator_account, s.user, params_.slash_user_permille, params_.miss_slash_micro);
    reputation(instance.operator_account, -int64_t{params_.reputation_miss_loss});
    instance.epoch_misses += 1;
  }
  end_session(s, SessionState::refunded);
}

void PlainLedger::release_sessions(const InstanceId& id) {
  const InstanceState state = w_.instances.at(id).state;
  for (auto& [_, s] : w_.sessions) {
    if (!holds_instance(s) || s.instance != id) continue;
    if (s.state == SessionState::assigned) {
      miss(s);
    } else if (s.on_ledger) {
      miss_job(s, state == InstanceState::retired || state == InstanceState::expired);
    } else if (state == InstanceState::revoked) {
      end_session(s, SessionState::closed);
    } else if (s.state == SessionState::confirmed) {
      start_closing(s);
    }
  }
}

void PlainLedger::end_instance(const InstanceId& id, InstanceState state) {
  if (is_live(id)) {
    w_.keys.erase(id);
    w_.standings.erase(id);
  }
  w_.instances.at(id).state = state;
  release_sessions(id);
}

void PlainLedger::suspend(const InstanceId& id) {
  w_.instances.at(id).state = InstanceState::unverified;
  release_sessions(id);
}

// --- checks -------------------------------------------------------------------------------------

std::vector<Checker> PlainLedger::committee(const Check& check, uint64_t height,
                                            const Hash32& beacon, const std::vector<Checker>& heard,
                                            size_t size) const {
  std::vector<const Instance*> list;
  std::vector<uint64_t> weights;
  for (const auto& [id, each] : frozen_.at(height)) {
    if (each.weight == 0 || !each.instance.offer_for(check.model_root)) continue;
    list.push_back(&each.instance);
    weights.push_back(each.weight);
  }
  std::set<AccountId> taken = {check.operator_account};
  for (const Checker& each : heard) taken.insert(each.operator_account);
  std::vector<Checker> others, same;
  for (size_t i : select(beacon, check.id, weights, kMaxDrawTries)) {
    if (others.size() == size) break;
    const Instance& now = w_.instances.at(list[i]->id);
    if (now.state != InstanceState::active) continue;
    if (!taken.insert(now.operator_account).second) continue;
    const bool alike = vendor(now) == vendor(w_.instances.at(check.instance));
    (alike ? same : others).push_back({{}, now.id, now.operator_account, {}, {}});
  }
  for (const Checker& each : same) {
    if (others.size() < size) others.push_back(each);
  }
  return others;
}

void PlainLedger::draw_checks(Batch& batch) {
  const auto beacon = beacon_value(batch.height + 1);
  const bool late = height_ - batch.height >= params_.request_lifetime_blocks;
  batch.due_height = beacon || late ? 0 : height_ + 1;
  if (!beacon) return;
  const uint64_t one = params_.reference_units * 1000;
  const Wide permille_units = Wide{batch.units} * params_.check_permille;
  const Buffer chance = ByteWriter().bytes(batch.id).text("count").take();
  Wide count = permille_units / one;
  if (*DrawPoints(*beacon, chance, one).next() < permille_units % one) count += 1;
  count = std::min<Wide>({count, kMaxChecksPerBatch, batch.units});
  DrawPoints points(*beacon, ByteWriter().bytes(batch.id).text("points").take(), batch.units);
  for (uint32_t i = 0; i < count; ++i) {
    Check check;
    check.id = check_id(batch.id, i);
    check.batch = batch.id;
    check.point = *points.next();
    points.take({check.point, 1, 0});
    check.instance = batch.instance;
    check.operator_account = w_.instances.at(batch.instance).operator_account;
    check.model_root = batch.model_root;
    check.committee = committee(check, batch.height, *beacon, {}, params_.check_size);
    if (check.committee.empty()) continue;
    enter(w_.checks[check.id] = check, CheckState::opening, params_.open_blocks);
  }
}

void PlainLedger::audit(const InstanceId& id) {
  w_.audit_heights.erase({height_, id});
  Audit& a = w_.audits[id];
  const uint64_t owed = capped_sum(a.earlier_units, a.epoch + 1 == epoch() ? 0 : a.epoch_units);
  if (a.committed_units >= owed) return;
  a.committed_units = owed;
  const AccountId op = w_.instances.at(id).operator_account;
  slash(op, treasury_account(), 0, params_.uncommitted_slash_micro);
  reputation(op, -int64_t{params_.reputation_fault_loss});
}

void PlainLedger::enter(Check& check, CheckState state, uint64_t blocks) {
  check.state = state;
  check.due_height = height_ + blocks;
}

void PlainLedger::move_on(Check& check) {
  size_t commitments = 0, matches = 0, mismatches = 0;
  for (const Checker& each : check.committee) {
    commitments += each.commitment.has_value();
    matches += each.verdict == CheckVerdict::match;
    mismatches += each.verdict && each.verdict != CheckVerdict::match;
  }
  switch (check.state) {
    case CheckState::opening:
      check.committee.clear();
      return decide(check, CheckOutcome::unopened);
    case CheckState::committing:
      if (commitments == 0) return decide(check, CheckOutcome::undecided);
      return enter(check, CheckState::revealing, params_.reveal_blocks);
    case CheckState::revealing:
      if (matches == mismatches) return decide(check, CheckOutcome::undecided);
      return decide(check, matches > mismatches ? CheckOutcome::passed : CheckOutcome::failed);
    case CheckState::decided:
      return end_check(check);
    case CheckState::appealed:
      return hear(check);
    case CheckState::ended:
      std::abort();
  }
}

void PlainLedger::hear(Check& check) {
  const auto beacon = beacon_value(check.draw_height + 1);
  if (!beacon && height_ - check.draw_height < params_.request_lifetime_blocks) {
    check.due_height = height_ + 1;
    return;
  }
  if (beacon) {
    check.committee =
        committee(check, check.draw_height, *beacon, check.first, 2 * params_.check_size);
  }
  if (check.committee.empty()) return decide(check, CheckOutcome::undecided);
  enter(check, CheckState::committing, params_.verdict_blocks);
}

void PlainLedger::decide(Check& check, CheckOutcome outcome) {
  check.outcome = outcome;
  if (check.appellant) {
    if (outcome == CheckOutcome::undecided) {
      check.outcome = check.first_outcome;
      credit(*check.appellant, std::exchange(check.bond_micro, 0));
    }
    return end_check(check);
  }
  if (outcome == CheckOutcome::undecided || outcome == CheckOutcome::unopened) {
    return end_check(check);
  }
  enter(check, CheckState::decided, params_.appeal_blocks);
}

void PlainLedger::end_check(Check& check) {
  check.state = CheckState::ended;
  check.due_height = 0;
  const AccountId op = check.operator_account, user = check.user.value_or(treasury_account());
  const bool failed = check.outcome == CheckOutcome::failed;
  if (failed || check.outcome == CheckOutcome::unopened) {
    slash(op, user, params_.slash_user_permille,
          failed ? params_.mismatch_slash_micro : params_.unopened_slash_micro);
    reputation(op, -int64_t{params_.reputation_fault_loss});
  }
  for (const auto* committee : {&check.first, &check.committee}) {
    for (const Checker& each : *committee) {
      if (!each.verdict) {
        slash(each.operator_account, treasury_account(), 0, params_.silent_slash_micro);
        continue;
      }
      if (check.outcome == CheckOutcome::undecided) continue;
      const bool agreed = (each.verdict == CheckVerdict::match) != failed;
      // An unopened check has no verdicts; nothing else ends here.
      if (agreed) {
        Operator& checked = w_.operators.at(op);
        const uint64_t reserve = std::min(checked.check_reserve_micro, params_.check_pay_micro);
        const uint64_t stake = std::min(checked.stake_micro, params_.check_pay_micro - reserve);
        checked.check_reserve_micro -= reserve;
        checked.stake_micro -= stake;
        credit(each.operator_account, reserve + stake);
      } else {
        slash(each.operator_account, treasury_account(), 0, params_.outvoted_slash_micro);
        reputation(each.operator_account, -int64_t{params_.reputation_miss_loss});
      }
    }
  }
  if (check.appellant) {
    const bool won = check.outcome != check.first_outcome;
    credit(won ? *check.appellant : treasury_account(), std::exchange(check.bond_micro, 0));
  }
}

}  // namespace cloister::ledger
