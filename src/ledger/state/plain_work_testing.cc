#include <algorithm>

#include "ledger/state/plain_ledger_testing.h"
#include "ledger/types/receipt.h"

namespace cloister::ledger {

using namespace plain;

// --- sessions -----------------------------------------------------------------------------------

PlainLedger::Outcome PlainLedger::open(const Tx& tx, const OpenSession& body, bool on_ledger) {
  const Model* model = at(w_.models, body.model_root);
  if (!model) return Code::model_unknown;
  if (model->deprecated) return Code::model_deprecated;
  const uint8_t count = body.requirement.diversity;
  if (!valid(body.requirement) || (on_ledger && count > 1)) return Code::requirement_invalid;
  if (body.lifetime_blocks == 0 || body.lifetime_blocks > params_.max_session_lifetime_blocks) {
    return Code::lifetime_invalid;
  }
  const Wide cost = (Wide{body.max_units} * body.price_cap_micro + 999'999) / 1'000'000;
  if (body.max_units == 0 || cost > UINT64_MAX) return Code::units_invalid;
  if (body.deposit_micro < cost) return Code::deposit_too_small;
  if (!debit(tx.account, body.deposit_micro)) return Code::insufficient_balance;
  if (count == 2 && !debit(tx.account, body.deposit_micro)) return Code::insufficient_balance;
  const SessionId id = session_id(genesis_.chain_id, tx.account, tx.nonce);
  Session& s = w_.sessions[id];
  s.id = id;
  s.user = tx.account;
  s.model_root = body.model_root;
  s.requirement = body.requirement;
  s.max_units = body.max_units;
  s.price_cap_micro = body.price_cap_micro;
  s.deposit_micro = s.escrow_micro = body.deposit_micro;
  s.lifetime_blocks = body.lifetime_blocks;
  s.allow_audit = body.allow_audit;
  s.on_ledger = on_ledger;
  s.opened_height = height_;
  if (count == 2) {
    s.twin = twin_id(id);
    Session second = s;
    second.id = *s.twin;
    second.twin = id;
    request(w_.sessions[second.id] = second);
  }
  request(s);
  data_ = id_key(id);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const OpenSession& body) {
  return open(tx, body, false);
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const ConfirmAttestation& body) {
  Session* s = at(w_.sessions, body.session);
  if (!s) return Code::session_unknown;
  if (s->user != tx.account) return Code::not_session_user;
  if (s->on_ledger) return Code::is_a_job;
  if (s->state != SessionState::assigned) return Code::wrong_session_state;
  if (s->instance != body.instance) return Code::wrong_instance;
  if (body.policy_version != policy().version) return Code::policy_version_unknown;
  s->state = SessionState::confirmed;
  s->verdict_id = body.verdict_id;
  s->policy_version = body.policy_version;
  s->confirmed_height = height_;
  s->due_height = height_ + s->lifetime_blocks;
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const ReportAttestation& body) {
  Session* s = at(w_.sessions, body.session);
  if (!s) return Code::session_unknown;
  if (s->user != tx.account) return Code::not_session_user;
  const bool with_evidence = !body.evidence.empty();
  const bool in_time =
      s->state == SessionState::assigned || (with_evidence && s->state == SessionState::confirmed);
  if (!in_time) return Code::wrong_session_state;
  if (with_evidence) {
    return judge(tx.account, params_.slash_user_permille, body.evidence, *s->instance);
  }
  if (s->redraws >= params_.max_redraws) {
    end_session(*s, SessionState::refunded);
    return Code::ok;
  }
  s->redraws += 1;
  s->excluded.push_back(*s->instance);
  request(*s);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::settle(const Tx& tx, Session& s, Bytes bytes) {
  const Instance& instance = w_.instances.at(*s.instance);
  if (!speaks(tx, instance.id)) return Code::not_of_instance;
  const auto one = SignedReceipt::decode(bytes);
  if (!one) return Code::receipt_malformed;
  const Receipt& receipt = one->receipt;
  const bool matches = receipt.version == 1 && receipt.chain_id == genesis_.chain_id &&
                       receipt.session == s.id && receipt.instance_id == instance.id &&
                       receipt.model_root == s.model_root;
  if (!matches) return Code::receipt_mismatch;
  const uint64_t before = s.cumulative_units, units = receipt.cumulative_units;
  if (s.on_ledger && units == 0) return Code::ok;
  if (units <= before) return Code::receipt_not_rising;
  if (units > s.max_units) return Code::receipt_over_limit;
  if (before == 0) reputation(instance.operator_account, params_.reputation_settled_gain);
  const auto cost = static_cast<uint64_t>((Wide{units} * s.price_micro + 999'999) / 1'000'000);
  const uint64_t amount = cost - s.paid_micro;
  const uint64_t treasury = part_of(amount, params_.treasury_permille);
  uint64_t left = amount - treasury;
  if (s.allow_audit) {
    // Which units were paid in which epoch, and how many are to be committed.
    std::erase_if(s.settled, [&](const SettledRange& r) { return r.epoch + 2 < epoch(); });
    if (s.settled.empty() || s.settled.back().epoch != epoch()) {
      s.settled.push_back({{}, epoch(), before, units});
    }
    s.settled.back().until_units = units;
    Audit& audit = w_.audits[instance.id];
    if (audit.epoch != epoch()) {
      audit.earlier_units = capped_sum(audit.earlier_units, audit.epoch_units);
      audit.epoch_units = 0;
      audit.epoch = epoch();
    }
    audit.epoch_units = capped_sum(audit.epoch_units, units - before);
    w_.audit_heights.insert({(epoch() + 2) * params_.epoch_blocks, instance.id});
    Operator& op = w_.operators.at(instance.operator_account);
    if (op.check_reserve_micro < params_.check_reserve_micro) {
      const uint64_t part = std::min(part_of(amount, params_.check_reserve_permille),
                                     params_.check_reserve_micro - op.check_reserve_micro);
      op.check_reserve_micro += part;
      left -= part;
    }
  }
  s.cumulative_units = units;
  s.paid_micro = cost;
  s.escrow_micro -= amount;
  const uint64_t owner = s.model_owner ? std::min(left, part_of(amount, s.owner_permille)) : 0;
  credit(treasury_account(), treasury);
  if (s.model_owner) credit(*s.model_owner, owner);
  credit(instance.operator_account, left - owner);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const Settle& body) {
  Session* s = at(w_.sessions, body.session);
  if (!s) return Code::session_unknown;
  if (s->on_ledger) return Code::is_a_job;
  if (s->state != SessionState::confirmed && s->state != SessionState::closing) {
    return Code::wrong_session_state;
  }
  return settle(tx, *s, body.receipt);
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const CloseSession& body) {
  Session* s = at(w_.sessions, body.session);
  if (!s) return Code::session_unknown;
  if (s->user != tx.account) return Code::not_session_user;
  if (s->on_ledger) return Code::is_a_job;
  if (s->state != SessionState::confirmed) return Code::wrong_session_state;
  start_closing(*s);
  return Code::ok;
}

// --- jobs ---------------------------------------------------------------------------------------

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const SubmitJob& body) {
  const Outcome opened = open(tx, body.session, true);
  if (opened.code == Code::ok) {
    const SessionId id = session_id(genesis_.chain_id, tx.account, tx.nonce);
    w_.jobs[id].id = id;
  }
  return opened;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const PostInput& body) {
  Session* s = at(w_.sessions, body.job);
  if (!s) return Code::session_unknown;
  if (!s->on_ledger) return Code::not_a_job;
  if (s->state != SessionState::assigned) return Code::wrong_session_state;
  if (s->user != tx.account) return Code::not_session_user;
  if (s->instance != body.instance) return Code::wrong_instance;
  if (!valid(body.input)) return Code::payload_invalid;
  w_.jobs.at(body.job).input = body.input;
  s->state = SessionState::confirmed;
  s->policy_version = policy().version;
  s->confirmed_height = height_;
  s->due_height = height_ + s->lifetime_blocks;
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const PostResult& body) {
  Session* s = at(w_.sessions, body.job);
  if (!s) return Code::session_unknown;
  if (!s->on_ledger) return Code::not_a_job;
  if (s->state != SessionState::confirmed) return Code::wrong_session_state;
  if (!valid(body.result)) return Code::payload_invalid;
  const Outcome settled = settle(tx, *s, body.receipt);
  if (settled.code != Code::ok) return settled;
  w_.jobs.at(body.job).result = body.result;
  end_session(*s, SessionState::closed);
  return Code::ok;
}

// --- checks -------------------------------------------------------------------------------------

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const CommitReceipts& body) {
  if (!w_.instances.contains(body.instance)) return Code::instance_unknown;
  if (!speaks(tx, body.instance)) return Code::not_of_instance;
  if (!w_.models.contains(body.model_root)) return Code::model_unknown;
  if (body.epoch != epoch() - 1 || epoch() == 0) return Code::epoch_invalid;
  const BatchId id = batch_id(genesis_.chain_id, body.instance, body.epoch, body.model_root);
  if (w_.batches.contains(id)) return Code::batch_exists;
  const Audit* audit = at(w_.audits, body.instance);
  const uint64_t paid = audit ? capped_sum(audit->earlier_units, audit->epoch_units) : 0;
  const uint64_t committed = audit ? audit->committed_units : 0;
  if (body.units == 0 || committed >= paid || body.units > paid - committed) {
    return Code::units_invalid;
  }
  w_.audits[body.instance].committed_units += body.units;
  w_.batches[id] = {{},        id,         body.instance, body.model_root, body.epoch,
                    body.root, body.units, height_,       height_ + 2};
  w_.committees = true;
  data_ = id_key(id);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const OpenReceipt& body) {
  Check* check = at(w_.checks, body.check);
  if (!check) return Code::check_unknown;
  if (check->state != CheckState::opening) return Code::wrong_check_state;
  if (!speaks(tx, check->instance)) return Code::not_of_instance;
  const auto one = SignedReceipt::decode(body.receipt);
  if (!one) return Code::receipt_malformed;
  const Receipt& receipt = one->receipt;
  if (receipt.version != 1 || receipt.chain_id != genesis_.chain_id ||
      receipt.instance_id != check->instance || receipt.model_root != check->model_root) {
    return Code::receipt_mismatch;
  }
  const Batch& batch = w_.batches.at(check->batch);
  const Wide units = Wide{receipt.prompt_units} + receipt.completion_units;
  const auto proof = merkle::SumProof::decode(body.place);
  if (!proof) return Code::receipt_not_drawn;
  const auto place =
      merkle::verify_place({batch.root, batch.units}, crypto::sha256(body.receipt), *proof);
  if (!place || place->weight != units || check->point < place->before ||
      check->point >= place->before + place->weight) {
    return Code::receipt_not_drawn;
  }
  const Session* s = at(w_.sessions, receipt.session);
  if (!s) return Code::session_unknown;
  if (s->instance != check->instance) return Code::wrong_instance;
  if (!s->allow_audit) return Code::not_audited;
  bool paid = false;
  for (const SettledRange& range : s->settled) {
    paid = paid || (range.epoch == batch.epoch && receipt.cumulative_units <= range.until_units &&
                    receipt.cumulative_units >= range.from_units + units);
  }
  if (!paid) return Code::receipt_of_another_epoch;
  check->session = s->id;
  check->user = s->user;
  enter(*check, CheckState::committing, params_.verdict_blocks);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const CommitVerdict& body) {
  Check* check = at(w_.checks, body.check);
  if (!check) return Code::check_unknown;
  if (check->state != CheckState::committing) return Code::wrong_check_state;
  size_t open = 0;
  Checker* own = nullptr;
  for (Checker& each : check->committee) {
    if (each.instance == body.checker) own = &each;
  }
  if (!own) return Code::not_on_committee;
  if (!speaks(tx, body.checker)) return Code::not_of_instance;
  if (own->commitment) return Code::committed_before;
  own->commitment = body.commitment;
  for (const Checker& each : check->committee) open += !each.commitment;
  if (open == 0) enter(*check, CheckState::revealing, params_.reveal_blocks);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const RevealVerdict& body) {
  Check* check = at(w_.checks, body.check);
  if (!check) return Code::check_unknown;
  if (check->state != CheckState::revealing) return Code::wrong_check_state;
  size_t open = 0;
  Checker* own = nullptr;
  for (Checker& each : check->committee) {
    if (each.instance == body.checker) own = &each;
  }
  if (!own) return Code::not_on_committee;
  if (!speaks(tx, body.checker)) return Code::not_of_instance;
  if (!own->commitment) return Code::not_committed;
  if (own->verdict) return Code::revealed_before;
  if (*own->commitment != verdict_commitment(body.check, body.checker, body.verdict, body.salt)) {
    return Code::commitment_mismatch;
  }
  own->verdict = body.verdict;
  for (const Checker& each : check->committee) open += each.commitment && !each.verdict;
  if (open == 0) move_on(*check);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const Appeal& body) {
  Check* check = at(w_.checks, body.check);
  if (!check) return Code::check_unknown;
  if (check->state != CheckState::decided) return Code::wrong_check_state;
  const bool lost = check->outcome == CheckOutcome::failed
                        ? tx.account == check->operator_account
                        : check->user && tx.account == *check->user;
  if (!lost) return Code::may_not_appeal;
  if (!debit(tx.account, params_.appeal_bond_micro)) return Code::insufficient_balance;
  check->bond_micro = params_.appeal_bond_micro;
  check->appellant = tx.account;
  check->first_outcome = std::exchange(check->outcome, CheckOutcome::pending);
  check->first = std::exchange(check->committee, {});
  check->draw_height = height_;
  w_.committees = true;
  enter(*check, CheckState::appealed, 2);
  return Code::ok;
}

// --- governance ---------------------------------------------------------------------------------

bool PlainLedger::is_release_key(const AccountId& account) const {
  const auto& keys = genesis_.release_keys;
  return std::find(keys.begin(), keys.end(), account) != keys.end();
}

PlainLedger::Outcome PlainLedger::ballot(const ProposalId& id, const AccountId& account, bool yes,
                                         uint64_t stake) {
  Proposal& proposal = w_.proposals.at(id);
  w_.ballots[{id, account}] = {{}, yes, stake};
  bool passed = false;
  if (stake == 0) {
    passed = ++proposal.approvals >= genesis_.release_threshold;
  } else {
    (yes ? proposal.yes_micro : proposal.no_micro) += stake;
    const uint64_t all = std::max(proposal.electorate_micro, all_stake());
    passed = proposal.yes_micro > 0 &&
             Wide{proposal.yes_micro} * 1000 >= Wide{all} * params_.quorum_permille;
  }
  if (passed) {
    const bool restricts = proposal.kind == ProposalKind::restriction ||
                           proposal.kind == ProposalKind::revoke_instance;
    proposal.state = ProposalState::passed;
    proposal.due_height = height_ + (restricts ? 1 : params_.timelock_blocks);
  }
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const Propose& body) {
  const Operator* op = at(w_.operators, tx.account);
  const bool keys =
      body.kind == ProposalKind::add_release || body.kind == ProposalKind::withdraw_release;
  if (keys && !is_release_key(tx.account)) return Code::not_release_key;
  if (!keys && (!op || op->stake_micro < params_.min_stake_micro)) return Code::stake_too_low;
  if (const auto code = refuses(body.kind, body.change)) return *code;
  if (!debit(tx.account, params_.proposal_fee_micro)) return Code::insufficient_balance;
  credit(treasury_account(), params_.proposal_fee_micro);
  const ProposalId id = proposal_id(genesis_.chain_id, tx.account, tx.nonce);
  Proposal& proposal = w_.proposals[id];
  proposal.id = id;
  proposal.proposer = tx.account;
  proposal.kind = body.kind;
  proposal.change = body.change;
  proposal.created_height = height_;
  proposal.electorate_micro = all_stake();
  proposal.due_height = height_ + params_.voting_blocks;
  data_ = id_key(id);
  return ballot(id, tx.account, true, keys ? 0 : op->stake_micro);
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const Vote& body) {
  const Proposal* proposal = at(w_.proposals, body.proposal);
  if (!proposal) return Code::proposal_unknown;
  if (proposal->kind == ProposalKind::add_release ||
      proposal->kind == ProposalKind::withdraw_release) {
    return Code::wrong_ballot;
  }
  if (proposal->state != ProposalState::open) return Code::proposal_closed;
  if (w_.ballots.contains({body.proposal, tx.account})) return Code::voted_before;
  const Operator* op = at(w_.operators, tx.account);
  if (!op || op->stake_micro == 0) return Code::stake_too_low;
  return ballot(body.proposal, tx.account, body.yes, op->stake_micro);
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const ReleaseApprove& body) {
  if (!is_release_key(tx.account)) return Code::not_release_key;
  const Proposal* proposal = at(w_.proposals, body.proposal);
  if (!proposal) return Code::proposal_unknown;
  if (proposal->kind != ProposalKind::add_release &&
      proposal->kind != ProposalKind::withdraw_release) {
    return Code::wrong_ballot;
  }
  if (proposal->state != ProposalState::open) return Code::proposal_closed;
  if (w_.ballots.contains({body.proposal, tx.account})) return Code::voted_before;
  return ballot(body.proposal, tx.account, true, 0);
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const PauseFormat& body) {
  if (!is_release_key(tx.account)) return Code::not_release_key;
  for (const EmergencyPause& pause : w_.layers.pauses) {
    if (pause.format == body.format) return Code::paused_before;
  }
  if (body.format == 0 || body.format > kMaxFormats) return Code::change_invalid;
  w_.layers.pauses.push_back({{}, body.format, height_ + 1 + params_.pause_blocks, tx.account});
  w_.policy_heights.insert(height_ + 1);
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const JoinValidators& body) {
  if (genesis_.embedded) return Code::not_replicated;
  const Operator* op = at(w_.operators, tx.account);
  if (!op || op->stake_micro < params_.validator_stake_micro) return Code::stake_too_low;
  if (validator_of(tx.account)) return Code::validator_exists;
  ValidatorRecord& record = w_.validators[validator_address(body.public_key)];
  const bool fresh = record.power == 0;
  if (!fresh && record.operator_account != tx.account) return Code::validator_exists;
  if (record.state == ValidatorState::excluded) return Code::validator_excluded;
  if (validators_now() - (fresh ? 1 : 0) == kMaxValidators) return Code::validators_full;
  record = {
      {},     body.public_key, tx.account, genesis_.validators[0].power, ValidatorState::active,
      height_};
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::on(const Tx& tx, const LeaveValidators&) {
  ValidatorRecord* validator = validator_of(tx.account);
  if (!validator) return Code::not_validating;
  if (validators_now() == 1) return Code::last_validator;
  validator->state = ValidatorState::left;
  validator->since_height = height_;
  return Code::ok;
}

PlainLedger::Outcome PlainLedger::shares(const BeaconShares& shares) {
  if (shares.entries.empty()) return Code::malformed;
  std::pair<uint64_t, uint16_t> last;
  for (const HeightShare& entry : shares.entries) {
    const uint64_t of = entry.height;
    const BeaconShare& share = entry.share;
    if (std::pair(of, share.index) <= last) return Code::malformed;
    last = {of, share.index};
    Beacon* beacon = at(w_.beacons, of);
    const bool wanted =
        beacon && !beacon->value && of <= height_ && height_ - of < params_.request_lifetime_blocks;
    if (!wanted) return Code::beacon_not_wanted;
    for (const BeaconShare& have : beacon->shares) {
      if (have.index == share.index) return Code::beacon_duplicate;
    }
    beacon->shares.push_back(share);
    std::sort(beacon->shares.begin(), beacon->shares.end(),
              [](const BeaconShare& a, const BeaconShare& b) { return a.index < b.index; });
    if (beacon->shares.size() == genesis_.beacon.threshold) {
      beacon->value = combine_beacon(genesis_.chain_id, genesis_.beacon, of, beacon->shares);
    }
  }
  return Code::ok;
}

}  // namespace cloister::ledger
