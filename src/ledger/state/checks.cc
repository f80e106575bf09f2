#include "ledger/types/checks.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ledger/state/context.h"
#include "ledger/types/receipt.h"

namespace cloister::ledger {
namespace {

void put(Context& c, const Batch& batch) {
  c.store.put(Family::batches, id_key(batch.id), batch.encode());
}
void put(Context& c, const Check& check) {
  c.store.put(Family::checks, id_key(check.id), check.encode());
}

// Into `state` for `blocks`, after which the ledger moves it on by itself.
void enter(Context& c, Check& check, CheckState state, uint64_t blocks) {
  check.state = state;
  schedule(c, check, c.height + blocks);
  put(c, check);
  c.emit("check." + std::string(name(state)), {{"check", to_hex(check.id)},
                                               {"instance", to_hex(check.instance)},
                                               {"outcome", std::string(name(check.outcome))}});
}

uint64_t epoch_at(const Context& c) {
  return c.height / c.params.epoch_blocks;
}

Audit audit_of(const Context& c, const InstanceId& instance) {
  return c.find<Audit>(Family::batches, audit_key(instance)).value_or(Audit());
}
void put(Context& c, const InstanceId& instance, const Audit& audit) {
  c.store.put(Family::batches, audit_key(instance), audit.encode());
}

// Units that cost nothing may be as many as a session says.
uint64_t sum_or_most(uint64_t a, uint64_t b) {
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

uint8_t vendor_of(const Instance& instance) {
  return instance.platforms.empty() ? uint8_t{0} : instance.platforms[0].format;
}

// Instances of different operators, none of them in `not_by`; of another kind of platform than
// `checked` as far as there are such, so that one broken kind does not judge itself.
std::vector<Checker> draw_committee(const Context& c, const Pools::Members& pools,
                                    const Hash32& beacon, const CheckId& id,
                                    const Instance& checked, std::set<AccountId> not_by,
                                    size_t size) {
  std::vector<const merkle::SumTree*> trees;
  uint64_t total = 0;
  for (const Pools::Member& pool : pools) {
    trees.push_back(&pool.tree);
    total += pool.tree.total();
  }
  not_by.insert(checked.operator_account);
  DrawPoints points(beacon, id, total);
  std::vector<Checker> chosen, same_vendor;
  for (size_t tries = 0; tries < kMaxDrawTries && chosen.size() < size; ++tries) {
    const auto point = points.next();
    if (!point) break;
    const auto hit = merkle::SumTree::locate(trees, *point);
    points.take({hit.before, hit.weight.value, hit.weight.tag});
    const auto instance = c.instance(hit.weight.id);
    invariant(instance.has_value(), "a drawn instance does not exist");
    if (instance->state != InstanceState::active) continue;
    if (!not_by.insert(instance->operator_account).second) continue;
    Checker checker;
    checker.instance = instance->id;
    checker.operator_account = instance->operator_account;
    const bool other = vendor_of(*instance) != vendor_of(checked);
    (other ? chosen : same_vendor).push_back(checker);
  }
  for (size_t i = 0; i < same_vendor.size() && chosen.size() < size; ++i) {
    chosen.push_back(same_vendor[i]);
  }
  return chosen;
}

// --- from a batch to its checks -----------------------------------------------------------------

// check_permille of answers of reference_units: the whole part, and the rest by chance.
uint32_t checks_of(const Params& params, const Batch& batch, const Hash32& beacon) {
  using Wide = unsigned __int128;
  const Wide units = Wide{batch.units} * params.check_permille;
  const uint64_t one = params.reference_units * kPermille;
  const auto rest = static_cast<uint64_t>(units % one);
  const Buffer label = ByteWriter().bytes(batch.id).text("count").take();
  const bool another = DrawPoints(beacon, label, one).next().value_or(0) < rest;
  const Wide count = units / one + (another ? 1 : 0);
  return static_cast<uint32_t>(std::min<Wide>({count, kMaxChecksPerBatch, batch.units}));
}

void draw_checks(Context& c, const Batch& batch, const Hash32& beacon) {
  const auto instance = c.instance(batch.instance);
  invariant(instance.has_value(), "a batch names no instance");
  DrawPoints points(beacon, ByteWriter().bytes(batch.id).text("points").take(), batch.units);
  const uint32_t count = checks_of(c.params, batch, beacon);
  for (uint32_t i = 0; i < count; ++i) {
    Check check;
    check.id = check_id(batch.id, i);
    check.batch = batch.id;
    check.point = points.next().value_or(0);
    points.take({check.point, 1, 0});
    check.instance = batch.instance;
    check.operator_account = instance->operator_account;
    check.model_root = batch.model_root;
    check.committee = draw_committee(c, c.pools.held(batch.height, batch.model_root), beacon,
                                     check.id, *instance, {}, c.params.check_size);
    if (check.committee.empty()) continue;  // nobody else serves this model
    enter(c, check, CheckState::opening, c.params.open_blocks);
  }
}

// --- from verdicts to an outcome ----------------------------------------------------------------

CheckOutcome tally(const std::vector<Checker>& committee) {
  size_t match = 0, against = 0;
  for (const Checker& checker : committee) {
    if (!checker.verdict) continue;
    (*checker.verdict == CheckVerdict::match ? match : against) += 1;
  }
  if (match == against) return CheckOutcome::undecided;
  return match > against ? CheckOutcome::passed : CheckOutcome::failed;
}

// From what the checked operator set aside, then from its stake; never from what is everybody's, or
// answers to oneself could be turned into the treasury's money.
void pay_checker(Context& c, const Check& check, const AccountId& to) {
  auto checked = c.operator_of(check.operator_account);
  invariant(checked.has_value(), "an instance has no operator");
  const uint64_t reserve = std::min(checked->check_reserve_micro, c.params.check_pay_micro);
  const uint64_t rest = std::min(checked->stake_micro, c.params.check_pay_micro - reserve);
  checked->check_reserve_micro -= reserve;
  checked->stake_micro -= rest;
  c.put(check.operator_account, *checked);
  credit(c, to, reserve + rest);
}

// What each checker's conduct earns or costs, once the outcome is final.
void settle_committee(Context& c, const Check& check, const std::vector<Checker>& committee) {
  for (const Checker& checker : committee) {
    if (!checker.verdict) {
      slash(c, checker.operator_account, treasury_account(), 0, c.params.silent_slash_micro);
      continue;
    }
    const bool said_match = *checker.verdict == CheckVerdict::match;
    if (check.outcome == CheckOutcome::undecided) continue;
    if (said_match == (check.outcome == CheckOutcome::passed)) {
      pay_checker(c, check, checker.operator_account);
    } else {
      slash(c, checker.operator_account, treasury_account(), 0, c.params.outvoted_slash_micro);
      change_reputation(c, checker.operator_account, -int64_t{c.params.reputation_miss_loss});
    }
  }
}

void settle_checked(Context& c, const Check& check) {
  const bool failed = check.outcome == CheckOutcome::failed;
  if (!failed && check.outcome != CheckOutcome::unopened) return;
  const AccountId wronged = check.user.value_or(treasury_account());
  slash(c, check.operator_account, wronged, c.params.slash_user_permille,
        failed ? c.params.mismatch_slash_micro : c.params.unopened_slash_micro);
  change_reputation(c, check.operator_account, -int64_t{c.params.reputation_fault_loss});
}

void settle_appeal(Context& c, Check& check) {
  if (!check.appellant) return;
  const bool won = check.outcome != check.first_outcome;
  credit(c, won ? *check.appellant : treasury_account(), check.bond_micro);
  check.bond_micro = 0;
}

void end_check(Context& c, Check& check) {
  check.state = CheckState::ended;
  schedule(c, check, 0);
  settle_checked(c, check);
  settle_committee(c, check, check.first);
  settle_committee(c, check, check.committee);
  settle_appeal(c, check);
  put(c, check);
  c.emit("check.ended",
         {{"check", to_hex(check.id)}, {"outcome", std::string(name(check.outcome))}});
}

// The first outcome may be appealed, unless nobody lost by it; the second is final.
void decide(Context& c, Check& check, CheckOutcome outcome) {
  const bool second = check.appellant.has_value();
  check.outcome = outcome;
  if (second && outcome == CheckOutcome::undecided) {
    // Nobody heard it, or no majority: the first outcome stands, and the bond is not lost for that.
    check.outcome = check.first_outcome;
    credit(c, *check.appellant, std::exchange(check.bond_micro, 0));
  }
  const bool appealable =
      check.outcome == CheckOutcome::passed || check.outcome == CheckOutcome::failed;
  if (second || !appealable) return end_check(c, check);
  enter(c, check, CheckState::decided, c.params.appeal_blocks);
}

void hear_appeal(Context& c, Check& check) {
  const auto [beacon, too_late] = draw_beacon(c, check.draw_height);
  if (!beacon && !too_late) {
    schedule(c, check, c.height + 1);
    return put(c, check);
  }
  std::vector<Checker> committee;
  if (beacon) {
    const auto instance = c.instance(check.instance);
    invariant(instance.has_value(), "a check names no instance");
    std::set<AccountId> heard;
    for (const Checker& checker : check.first) heard.insert(checker.operator_account);
    committee = draw_committee(c, c.pools.held(check.draw_height, check.model_root), *beacon,
                               check.id, *instance, std::move(heard), 2 * c.params.check_size);
  }
  c.pools.release(c.store, check.draw_height);
  check.committee = std::move(committee);
  if (check.committee.empty()) return decide(c, check, CheckOutcome::undecided);
  enter(c, check, CheckState::committing, c.params.verdict_blocks);
}

// --- what transactions ask ----------------------------------------------------------------------

std::expected<Check, Code> check_in(const Context& c, const CheckId& id, CheckState state) {
  auto check = c.find<Check>(Family::checks, id);
  if (!check) return std::unexpected(Code::check_unknown);
  if (check->state != state) return std::unexpected(Code::wrong_check_state);
  return std::move(*check);
}

std::expected<Checker*, Code> checker_in(const Context& c, const Tx& tx, Check& check,
                                         const InstanceId& id) {
  const auto at = std::find_if(check.committee.begin(), check.committee.end(),
                               [&](const Checker& each) { return each.instance == id; });
  if (at == check.committee.end()) return std::unexpected(Code::not_on_committee);
  const auto instance = c.instance(id);
  invariant(instance.has_value(), "a checker is no instance");
  if (!speaks_for(tx, *instance)) return std::unexpected(Code::not_of_instance);
  return &*at;
}

// Whether the receipt is the one that holds the drawn point of the committed batch.
Code check_opened(const Context& c, const Check& check, const Batch& batch,
                  const Instance& instance, const OpenReceipt& body, Receipt& receipt) {
  const auto signed_receipt = SignedReceipt::decode(body.receipt);
  if (!signed_receipt) return Code::receipt_malformed;
  if (!verify_receipt(*signed_receipt, instance.identity_key)) return Code::receipt_signature;
  receipt = signed_receipt->receipt;
  if (receipt.version != 1 || receipt.chain_id != c.chain_id() ||
      receipt.instance_id != check.instance || receipt.model_root != check.model_root) {
    return Code::receipt_mismatch;
  }
  const auto proof = merkle::SumProof::decode(body.place);
  if (!proof) return Code::receipt_not_drawn;
  const auto place =
      merkle::verify_place({batch.root, batch.units}, crypto::sha256(body.receipt), *proof);
  if (!place || check.point < place->before || check.point - place->before >= place->weight ||
      place->weight != sum_or_most(receipt.prompt_units, receipt.completion_units)) {
    return Code::receipt_not_drawn;
  }
  return Code::ok;
}

// A receipt stands for what its session was paid in one epoch, or an honest answer of long ago
// could be shown for every dishonest one.
bool paid_in(const Session& session, uint64_t epoch, const Receipt& receipt) {
  const uint64_t units = sum_or_most(receipt.prompt_units, receipt.completion_units);
  return std::any_of(session.settled.begin(), session.settled.end(), [&](const SettledRange& r) {
    return r.epoch == epoch && receipt.cumulative_units <= r.until_units &&
           receipt.cumulative_units >= units && receipt.cumulative_units - units >= r.from_units;
  });
}

// Ranges that no check can ask for any more give way.
void note_range(Session& session, uint64_t epoch, uint64_t until_units) {
  auto& ranges = session.settled;
  std::erase_if(ranges, [&](const SettledRange& r) { return r.epoch + kEpochsOpen < epoch; });
  if (ranges.empty() || ranges.back().epoch != epoch) {
    SettledRange range;
    range.epoch = epoch;
    range.from_units = session.cumulative_units;
    ranges.push_back(range);
  }
  ranges.back().until_units = until_units;
}

}  // namespace

void count_audited(Context& c, Session& session, uint64_t until_units) {
  if (!session.allow_audit) return;
  const uint64_t epoch = epoch_at(c), units = until_units - session.cumulative_units;
  note_range(session, epoch, until_units);
  Audit audit = audit_of(c, *session.instance);
  if (audit.epoch != epoch) {
    audit.earlier_units = sum_or_most(audit.earlier_units, std::exchange(audit.epoch_units, 0));
    audit.epoch = epoch;
  }
  audit.epoch_units = sum_or_most(audit.epoch_units, units);
  put(c, *session.instance, audit);
  // The receipts of this epoch are committed in the next; when that is over, all must be.
  const uint64_t due = (epoch + 2) * c.params.epoch_blocks;
  c.store.put(Family::due, due_key(due, DueKind::audit, *session.instance), {});
}

void audit_due(Context& c, const InstanceId& id) {
  c.store.erase(Family::due, due_key(c.height, DueKind::audit, id));
  Audit audit = audit_of(c, id);
  // What was settled in the epoch that has just ended is not owed yet.
  const bool recent = audit.epoch + 1 == epoch_at(c);
  const uint64_t owed = sum_or_most(audit.earlier_units, recent ? 0 : audit.epoch_units);
  if (audit.committed_units >= owed) return;
  const auto instance = c.instance(id);
  invariant(instance.has_value(), "an audit names no instance");
  slash(c, instance->operator_account, treasury_account(), 0, c.params.uncommitted_slash_micro);
  change_reputation(c, instance->operator_account, -int64_t{c.params.reputation_fault_loss});
  c.emit("audit.uncommitted",
         {{"instance", to_hex(id)}, {"units", std::to_string(owed - audit.committed_units)}});
  audit.committed_units = owed;
  put(c, id, audit);
}

Verdict apply_commit_receipts(Context& c, const Tx& tx, const CommitReceipts& body) {
  const auto instance = c.instance(body.instance);
  if (!instance) return Code::instance_unknown;
  if (!speaks_for(tx, *instance)) return Code::not_of_instance;
  if (!c.find<Model>(Family::models, body.model_root)) return Code::model_unknown;
  if (body.epoch + 1 != epoch_at(c)) return Code::epoch_invalid;
  const BatchId id = batch_id(c.chain_id(), body.instance, body.epoch, body.model_root);
  if (c.store.get(Family::batches, id)) return Code::batch_exists;
  Audit audit = audit_of(c, body.instance);
  // Nobody is checked, or pays for checks, beyond what was paid.
  const uint64_t settled = sum_or_most(audit.earlier_units, audit.epoch_units);
  if (body.units == 0 || body.units > settled - std::min(settled, audit.committed_units)) {
    return Code::units_invalid;
  }
  Batch batch;
  batch.id = id;
  batch.instance = body.instance;
  batch.model_root = body.model_root;
  batch.epoch = body.epoch;
  batch.root = body.root;
  batch.units = body.units;
  batch.height = c.height;
  schedule(c, batch, c.height + 2);
  put(c, batch);
  audit.committed_units += body.units;
  put(c, body.instance, audit);
  c.check_draws.push_back(batch.model_root);
  c.data = id_key(batch.id);
  c.emit("batch.committed", {{"batch", to_hex(batch.id)},
                             {"instance", to_hex(batch.instance)},
                             {"units", std::to_string(batch.units)}});
  return Code::ok;
}

void freeze_checkers(Context& c) {
  for (const ModelRoot& model : std::exchange(c.check_draws, {})) {
    c.pools.hold(c.height, model);
    want_beacon(c, c.height + 1);
  }
}

void batch_due(Context& c, const BatchId& id) {
  auto batch = c.find<Batch>(Family::batches, id);
  invariant(batch.has_value(), "a batch falls due that does not exist");
  const auto [beacon, too_late] = draw_beacon(c, batch->height);
  const bool waits = !beacon && !too_late;
  schedule(c, *batch, waits ? c.height + 1 : 0);
  put(c, *batch);
  if (waits) return;
  if (beacon) draw_checks(c, *batch, *beacon);
  c.pools.release(c.store, batch->height);
}

Verdict apply_open_receipt(Context& c, const Tx& tx, const OpenReceipt& body) {
  auto check = check_in(c, body.check, CheckState::opening);
  if (!check) return check.error();
  const auto batch = c.find<Batch>(Family::batches, check->batch);
  const auto instance = c.instance(check->instance);
  invariant(batch && instance, "a check names no batch or instance");
  if (!speaks_for(tx, *instance)) return Code::not_of_instance;
  Receipt receipt;
  if (Code code = check_opened(c, *check, *batch, *instance, body, receipt); code != Code::ok) {
    return code;
  }
  const auto session = c.session(receipt.session);
  if (!session) return Code::session_unknown;
  if (session->instance != check->instance) return Code::wrong_instance;
  if (!session->allow_audit) return Code::not_audited;
  if (!paid_in(*session, batch->epoch, receipt)) return Code::receipt_of_another_epoch;
  check->session = session->id;
  check->user = session->user;
  enter(c, *check, CheckState::committing, c.params.verdict_blocks);
  return Code::ok;
}

Verdict apply_commit_verdict(Context& c, const Tx& tx, const CommitVerdict& body) {
  auto check = check_in(c, body.check, CheckState::committing);
  if (!check) return check.error();
  auto checker = checker_in(c, tx, *check, body.checker);
  if (!checker) return checker.error();
  if ((*checker)->commitment) return Code::committed_before;
  (*checker)->commitment = body.commitment;
  const bool all = std::all_of(check->committee.begin(), check->committee.end(),
                               [](const Checker& each) { return each.commitment.has_value(); });
  if (all) {
    enter(c, *check, CheckState::revealing, c.params.reveal_blocks);
  } else {
    put(c, *check);
  }
  return Code::ok;
}

Verdict apply_reveal_verdict(Context& c, const Tx& tx, const RevealVerdict& body) {
  auto check = check_in(c, body.check, CheckState::revealing);
  if (!check) return check.error();
  auto checker = checker_in(c, tx, *check, body.checker);
  if (!checker) return checker.error();
  if (!(*checker)->commitment) return Code::not_committed;
  if ((*checker)->verdict) return Code::revealed_before;
  if (*(*checker)->commitment !=
      verdict_commitment(body.check, body.checker, body.verdict, body.salt)) {
    return Code::commitment_mismatch;
  }
  (*checker)->verdict = body.verdict;
  const bool all =
      std::all_of(check->committee.begin(), check->committee.end(),
                  [](const Checker& each) { return !each.commitment || each.verdict.has_value(); });
  if (all) {
    decide(c, *check, tally(check->committee));
  } else {
    put(c, *check);
  }
  return Code::ok;
}

// Who lost: the operator by a failed check, the user by one that passed.
Verdict apply_appeal(Context& c, const Tx& tx, const Appeal& body) {
  auto check = check_in(c, body.check, CheckState::decided);
  if (!check) return check.error();
  const bool failed = check->outcome == CheckOutcome::failed;
  const auto loser = failed ? std::optional(check->operator_account) : check->user;
  if (loser != tx.account) return Code::may_not_appeal;
  if (!debit(c, tx.account, c.params.appeal_bond_micro)) return Code::insufficient_balance;
  check->bond_micro = c.params.appeal_bond_micro;
  check->appellant = tx.account;
  check->first_outcome = check->outcome;
  check->outcome = CheckOutcome::pending;
  check->first = std::exchange(check->committee, {});
  check->draw_height = c.height;
  c.check_draws.push_back(check->model_root);
  enter(c, *check, CheckState::appealed, 2);
  return Code::ok;
}

// Every state ends by itself.
void check_due(Context& c, const CheckId& id) {
  auto check = c.find<Check>(Family::checks, id);
  invariant(check.has_value(), "a check falls due that does not exist");
  switch (check->state) {
    case CheckState::opening:
      check->committee.clear();  // who had nothing to score owes nothing
      return decide(c, *check, CheckOutcome::unopened);
    case CheckState::committing:
      if (std::any_of(check->committee.begin(), check->committee.end(),
                      [](const Checker& each) { return each.commitment.has_value(); })) {
        return enter(c, *check, CheckState::revealing, c.params.reveal_blocks);
      }
      return decide(c, *check, CheckOutcome::undecided);
    case CheckState::revealing:
      return decide(c, *check, tally(check->committee));
    case CheckState::decided:
      return end_check(c, *check);
    case CheckState::appealed:
      return hear_appeal(c, *check);
    case CheckState::ended:
      invariant(false, "a check falls due that has ended");
  }
}

}  // namespace cloister::ledger
