#include "sim/economy.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "base/seams.h"
#include "base/text.h"
#include "ledger/types/beacon.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"
#include "ledger/types/receipt.h"
#include "merkle/sum_tree.h"
#include "sim/people.h"
#include "sim/simulated_admission.h"

namespace cloister::sim {
namespace {

using namespace ledger;

constexpr size_t kFlipAtTenth = 4;  // of the run
// What a lie, and scoring somebody's answer again, cost of an honest answer: one part in so many.
constexpr uint64_t kLazyShare = 10, kScoreShare = 10;

// A receipt as its instance kept it, and whether an honest checker would agree with it.
struct Kept {
  Buffer receipt;
  uint64_t units = 0;
  bool good = true;
};

struct Running {
  SessionId id{};
  size_t user = 0;
};

merkle::SumTree tree_of(const std::vector<Kept>& receipts) {
  std::vector<merkle::Weight> weights;
  for (const Kept& kept : receipts) {
    weights.push_back({crypto::sha256(kept.receipt), kept.units, 0});
  }
  merkle::SumTree tree;
  tree.update(std::move(weights));
  return tree;
}

const Kept& at_point(const std::vector<Kept>& receipts, const merkle::SumTree& tree,
                     uint64_t point) {
  const merkle::SumTree* trees[] = {&tree};
  const auto hit = merkle::SumTree::locate(trees, point);
  return *std::find_if(receipts.begin(), receipts.end(), [&](const Kept& kept) {
    return crypto::sha256(kept.receipt) == hit.weight.id;
  });
}

// Each once; what `step` has not done with waits for the next block.
template <typename Step>
void walk(std::deque<Running>& waiting, Step step) {
  for (size_t left = waiting.size(); left > 0; --left) {
    const Running session = waiting.front();
    waiting.pop_front();
    if (!step(session)) waiting.push_back(session);
  }
}

class Economy {
 public:
  explicit Economy(const EconomyOptions& options);
  EconomyReport run(const std::function<void(size_t, size_t)>& progress);

 private:
  // Everybody sends one transaction a block. False: it sends something already.
  template <typename Body>
  bool send(const crypto::Ed25519Key& key, const Body& body) {
    if (chain_.is_sending(key.public_key())) return false;
    chain_.send(key, body);
    return true;
  }
  void block();
  void note(const Event& event);
  void step();

  void set_up();
  void enter(Participant& p);
  void open_sessions();
  bool confirm(const Running& session);
  bool settle(const Running& session);
  void commit(Participant& p);
  void checks();
  void open_check(const Check& check);
  void judge(const Check& check);
  void suffer(Participant& p);
  void flip();
  Participant& by_instance(const InstanceId& id) { return people_[instances_.at(id)]; }
  EconomyReport report() const;

  const Genesis& genesis() const { return chain_.state().genesis(); }
  const Params& params() const { return genesis().params; }

  EconomyOptions options_;
  std::shared_ptr<SimulatedAdmission> admission_ = std::make_shared<SimulatedAdmission>();
  std::vector<crypto::Ed25519Key> users_;
  std::vector<Participant> people_;
  Chain chain_;                                   // made from all of the above
  std::map<InstanceId, size_t> instances_;        // also former ones
  std::deque<Running> assigned_, confirmed_;      // waiting for their next step
  std::map<InstanceId, std::vector<Kept>> kept_;  // of the epoch that runs
  std::map<BatchId, std::vector<Kept>> committed_;
  std::set<CheckId> open_checks_;
  size_t opened_ = 0, transactions_ = 0, checks_ = 0;
  bool flipped_ = false;
};

Chain make_chain(const EconomyOptions& options, const std::vector<crypto::Ed25519Key>& users,
                 const std::vector<Participant>& people,
                 std::shared_ptr<const AdmissionVerifier> admission) {
  SeededRandom random(options.seed);
  Dealt dealt = deal_beacon(1, random);
  auto validator = key_for("validator", options.seed);
  auto state = State::from_genesis(make_genesis(users, people, validator, std::move(dealt.keys)),
                                   std::move(admission));
  if (!state) std::abort();  // our own genesis
  return Chain(std::move(*state), std::move(dealt.secrets[0]));
}

Economy::Economy(const EconomyOptions& options)
    : options_(options),
      users_(make_users(options)),
      people_(make_participants(options)),
      chain_(make_chain(options, users_, people_, admission_)) {}

void Economy::note(const Event& event) {
  if (event.type != "check.opening" && event.type != "check.ended") return;
  const CheckId id = *fixed_from_hex<32>(event.attributes[0].second);
  if (event.type == "check.ended") {
    open_checks_.erase(id);
  } else {
    open_checks_.insert(id);
    ++checks_;
  }
}

void Economy::block() {
  const BlockResult result = chain_.block();
  for (const TxResult& tx : result.txs) {
    transactions_ += tx.code == Code::ok;
    for (const Event& event : tx.events) note(event);
  }
  for (const Event& event : result.events) note(event);
}

// --- registration -------------------------------------------------------------------------------

void Economy::enter(Participant& p) {
  p.instance = instance_id_of(p.identity.public_key());
  instances_[p.instance] = p.machine;
  send(p.key, registration_of(p, chain_));
}

void Economy::set_up() {
  block();
  OperatorBond bond;
  bond.amount_micro = kStake;
  for (Participant& p : people_) send(p.key, bond);
  block();
  for (Participant& p : people_) enter(p);
  block();
}

// --- sessions -----------------------------------------------------------------------------------

void Economy::open_sessions() {
  OpenSession body;
  body.model_root = genesis().models[0].root;
  body.max_units = kMaxUnits;
  body.price_cap_micro = kPriceMicro;
  body.deposit_micro = *cost_micro(kMaxUnits, kPriceMicro);
  body.lifetime_blocks = 20;
  body.allow_audit = true;
  for (size_t i = 0; i < options_.sessions_a_block && opened_ < options_.sessions; ++i, ++opened_) {
    const size_t user = opened_ % users_.size();
    const AccountId& account = users_[user].public_key();
    const SessionId id = session_id(genesis().chain_id, account, chain_.nonce(account));
    if (!send(users_[user], body)) break;  // the next block
    assigned_.push_back({id, user});
  }
}

// Users confirm what passes verification; a platform whose key was taken back does not, and is
// reported with its evidence, for which the ledger pays. True when nothing more is to be confirmed.
bool Economy::confirm(const Running& session) {
  const auto record = chain_.read<Session>(Family::sessions, session.id);
  if (record && record->state == SessionState::refunded) return true;
  if (!record || record->state != SessionState::assigned) return false;
  Participant& p = by_instance(*record->instance);
  const crypto::Ed25519Key& user = users_[session.user];
  if (admission_->revoked.contains(p.machine)) {
    ReportAttestation report;
    report.session = session.id;
    report.evidence = {SimulatedAdmission::evidence(
        chain_.read<Instance>(Family::instances, p.instance)->binding, p.machine)};
    send(user, report);
    return false;  // it is drawn again
  }
  ConfirmAttestation body;
  body.session = session.id;
  body.instance = *record->instance;
  body.policy_version = 1;
  if (!send(user, body)) return false;
  ++p.sessions;
  confirmed_.push_back(session);
  return true;
}

// True when there is nothing more to do for the session.
bool Economy::settle(const Running& running) {
  const auto session = chain_.read<Session>(Family::sessions, running.id);
  if (session->state != SessionState::confirmed) return session->state != SessionState::assigned;
  Participant& p = by_instance(*session->instance);
  if (p.conduct == Conduct::vanishing) return true;
  const uint64_t served =
      kMaxUnits / 4 + name_hash("served", running.id[0] * 256u + running.id[1])[0];
  const bool overcharges = p.conduct == Conduct::overcharging;
  Receipt receipt;
  receipt.chain_id = genesis().chain_id;
  receipt.session = running.id;
  receipt.sequence = 1;
  receipt.instance_id = *session->instance;
  receipt.model_root = session->model_root;
  receipt.completion_units = overcharges ? kMaxUnits : served;
  receipt.cumulative_units = receipt.completion_units;
  Settle body;
  body.session = running.id;
  body.receipt = sign_receipt(receipt, p.identity).encode();
  if (p.instance != *session->instance)
    return true;  // its name is left behind, and the pay with it
  if (!send(p.identity, body)) return false;
  const uint64_t cost = served * params().answer_cost_micro / params().reference_units;
  p.cost_micro += p.lies() ? cost / kLazyShare : cost;
  kept_[p.instance].push_back({body.receipt, receipt.completion_units, !p.lies() && !overcharges});
  return true;
}

// --- checks -------------------------------------------------------------------------------------

// In the first block of an epoch: the receipts of the one before.
void Economy::commit(Participant& p) {
  auto& receipts = kept_[p.instance];
  if (receipts.empty() || p.conduct == Conduct::vanishing) return;
  const merkle::SumTree tree = tree_of(receipts);
  CommitReceipts body;
  body.instance = p.instance;
  body.model_root = genesis().models[0].root;
  body.epoch = (chain_.height() + 1) / params().epoch_blocks - 1;
  body.root = tree.root().hash;
  body.units = tree.total();
  if (!send(p.key, body)) return;
  committed_[batch_id(genesis().chain_id, p.instance, body.epoch, body.model_root)] =
      std::exchange(receipts, {});
}

void Economy::open_check(const Check& check) {
  Participant& p = by_instance(check.instance);
  if (p.conduct == Conduct::vanishing) return;
  const auto& receipts = committed_[check.batch];
  const merkle::SumTree tree = tree_of(receipts);
  const Kept& kept = at_point(receipts, tree, check.point);
  OpenReceipt body;
  body.check = check.id;
  body.receipt = kept.receipt;
  body.place = tree.prove(crypto::sha256(kept.receipt)).encode();
  send(p.key, body);
}

void Economy::judge(const Check& check) {
  const auto& receipts = committed_[check.batch];
  const bool good = at_point(receipts, tree_of(receipts), check.point).good;
  for (const Checker& checker : check.committee) {
    Participant& p = by_instance(checker.instance);
    const bool committing = check.state == CheckState::committing;
    if (p.conduct == Conduct::vanishing || (committing && checker.commitment) || checker.verdict) {
      continue;
    }
    const bool looks = p.conduct != Conduct::copying && !p.lies();
    const CheckVerdict verdict = !looks || good ? CheckVerdict::match : CheckVerdict::mismatch;
    const Hash32 salt = name_hash("salt", p.machine);
    if (committing) {
      CommitVerdict body;
      body.check = check.id;
      body.checker = checker.instance;
      body.commitment = verdict_commitment(check.id, checker.instance, verdict, salt);
      if (send(p.key, body) && looks) {
        p.cost_micro += params().answer_cost_micro / kScoreShare;
      }
    } else {
      RevealVerdict body;
      body.check = check.id;
      body.checker = checker.instance;
      body.verdict = verdict;
      body.salt = salt;
      send(p.key, body);
    }
  }
}

void Economy::checks() {
  for (const CheckId& id : open_checks_) {
    const auto check = chain_.read<Check>(Family::checks, id);
    if (check->state == CheckState::opening) open_check(*check);
    if (check->state == CheckState::committing || check->state == CheckState::revealing) {
      judge(*check);
    }
  }
}

// Whoever is slashed below the minimum pays in again as long as it can; the re-registering kind
// also leaves its name behind.
void Economy::suffer(Participant& p) {
  const auto op = chain_.read<Operator>(Family::operators, p.key.public_key());
  if (!op || op->stake_micro >= kStake || admission_->revoked.contains(p.machine)) return;
  if (p.conduct == Conduct::re_registering) {
    p.identity = key_for("identity", p.machine + uint64_t{p.identities++} * 1'000'000);
    enter(p);
    return;
  }
  OperatorBond bond;
  bond.amount_micro = kStake - op->stake_micro;
  if (chain_.read<Account>(Family::accounts, p.key.public_key())->balance_micro >
      bond.amount_micro) {
    send(p.key, bond);
  }
}

// --- the run ------------------------------------------------------------------------------------

void Economy::flip() {
  flipped_ = true;
  for (const Participant& p : people_) {
    if (p.conduct == Conduct::flipping) admission_->revoked.insert(p.machine);
  }
}

void Economy::step() {
  const uint64_t epoch = params().epoch_blocks, place = (chain_.height() + 1) % epoch;
  for (Participant& p : people_) {
    if (place == 0) commit(p);
    if (place == epoch / 2) suffer(p);
  }
  checks();
  walk(confirmed_, [&](const Running& session) { return settle(session); });
  walk(assigned_, [&](const Running& session) { return confirm(session); });
  block();
}

EconomyReport Economy::run(const std::function<void(size_t, size_t)>& progress) {
  set_up();
  while (opened_ < options_.sessions) {
    if (!flipped_ && opened_ * 10 >= options_.sessions * kFlipAtTenth) flip();
    open_sessions();
    step();
    if (chain_.height() % 50 == 0) progress(opened_, options_.sessions);
  }
  for (uint64_t end = chain_.height() + 4 * params().epoch_blocks; chain_.height() < end;) step();
  return report();
}

EconomyReport Economy::report() const {
  const Store& store = chain_.state().store();
  EconomyReport out;
  out.blocks = chain_.height();
  out.transactions = transactions_;
  out.checks = checks_;
  out.root = store.sealed().app_hash();
  store.for_each(Family::sessions, {}, [&](Bytes, Bytes value) {
    const auto session = Session::decode(value);
    out.sessions_closed += session->state == SessionState::closed;
    out.sessions_refunded += session->state == SessionState::refunded;
    out.unended += session->due_height != 0;
    return true;
  });
  store.for_each(Family::checks, {}, [&](Bytes, Bytes value) {
    out.unended += Check::decode(value)->state != CheckState::ended;
    return true;
  });
  for (const GenesisAccount& account : genesis().accounts) {
    out.money_at_start_micro += account.balance_micro;
  }
  out.money_at_end_micro = total_money(store);
  out.treasury_micro =
      chain_.read<Account>(Family::accounts, treasury_account()).value_or(Account()).balance_micro;
  out.conducts = conducts_of(people_, chain_);
  return out;
}

}  // namespace

std::string_view name(Conduct conduct) {
  switch (conduct) {
    case Conduct::honest:
      return "honest";
    case Conduct::lazy:
      return "lazy";
    case Conduct::copying:
      return "copying";
    case Conduct::overcharging:
      return "overcharging";
    case Conduct::vanishing:
      return "vanishing";
    case Conduct::re_registering:
      return "re-registering";
    case Conduct::flipping:
      return "flipping TCB";
  }
  return {};
}

Params economy_params() {
  Params p;
  p.epoch_blocks = 100;
  p.open_blocks = p.appeal_blocks = 10;
  p.verdict_blocks = p.reveal_blocks = 15;
  p.settle_window_blocks = 20;
  p.history_blocks = 1'000;
  p.request_lifetime_blocks = 50;
  return p;
}

EconomyReport run_economy(const EconomyOptions& options,
                          const std::function<void(size_t, size_t)>& progress) {
  return Economy(options).run(progress);
}

}  // namespace cloister::sim
