#include "sim/economy.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/seams.h"
#include "base/text.h"
#include "ledger/state/state.h"
#include "ledger/types/beacon.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"
#include "ledger/types/receipt.h"
#include "merkle/sum_tree.h"
#include "sim/simulated_admission.h"

namespace cloister::sim {
namespace {

using namespace ledger;

constexpr uint64_t kUserFunds = 10'000'000'000, kOperatorFunds = 100'000'000;
constexpr uint64_t kStake = 5'000'000;
constexpr uint64_t kMaxUnits = 1'000;
constexpr uint64_t kPriceMicro = 2'400'000;  // answer_pay for reference_units
constexpr size_t kFlipAtTenth = 4;           // of the run
constexpr uint64_t kLazyShare = 10;          // of an answer's cost, its inverse
constexpr uint64_t kScoreShare = 10;  // of an answer's cost for scoring it again, its inverse

Hash32 name_hash(std::string_view what, uint64_t number) {
  return crypto::sha256(ByteWriter().text(what).u64_be(number).view());
}
crypto::Ed25519Key key_for(std::string_view what, uint64_t number) {
  return crypto::Ed25519Key::from_seed(Secret<32>(name_hash(what, number)));
}

struct User {
  crypto::Ed25519Key key;
};

struct Participant {
  Conduct conduct{};
  uint32_t machine = 0;
  crypto::Ed25519Key key;
  crypto::Ed25519Key identity;
  InstanceId instance{};
  uint32_t identities = 1;
  uint64_t cost_micro = 0;
  size_t sessions = 0, failed_checks = 0;
  bool lies() const { return conduct == Conduct::lazy || conduct == Conduct::re_registering; }
};

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

class Economy {
 public:
  explicit Economy(const EconomyOptions& options);
  EconomyReport run(const std::function<void(size_t, size_t)>& progress);

 private:
  // --- the chain
  void block();
  template <typename Body>
  bool send(const crypto::Ed25519Key& key, const Body& body);  // false: it sends something already
  uint64_t nonce(const AccountId& account) const;
  template <typename T>
  std::optional<T> read(Family family, Bytes key) const;
  uint64_t height() const { return state_.height(); }

  // --- the people
  void set_up();
  void enter(Participant& p);
  void open_sessions();
  void confirm();
  void serve();
  bool settle(const Running& session);
  void at_epoch();
  void commit(Participant& p);
  void checks();
  void open_check(const Check& check);
  void judge(const Check& check);
  void suffer(Participant& p);
  bool truth(const Check& check);
  Participant* by_instance(const InstanceId& id);
  EconomyReport report() const;

  EconomyOptions options_;
  SeededRandom random_;
  std::shared_ptr<SimulatedAdmission> admission_ = std::make_shared<SimulatedAdmission>();
  std::vector<crypto::Ed25519Key> validators_;
  std::vector<BeaconSecret> secrets_;
  std::vector<User> users_;
  std::vector<Participant> people_;
  Genesis genesis_;
  State state_;                             // made from all of the above
  std::map<InstanceId, size_t> instances_;  // also former ones
  std::vector<Buffer> txs_;
  std::set<AccountId> sending_;
  std::deque<Running> assigned_, confirmed_;  // waiting for their next step
  std::map<InstanceId, std::vector<Kept>> kept_;
  std::map<BatchId, std::vector<Kept>> committed_;
  std::set<CheckId> open_checks_;
  size_t opened_ = 0, transactions_ = 0, checks_ = 0;
  bool flipped_ = false;
};

Conduct conduct_of(const EconomyOptions& options, size_t i) {
  const size_t dishonest = options.operators * options.dishonest_permille / 1000;
  return i < dishonest ? static_cast<Conduct>(1 + i % (kConducts - 1)) : Conduct::honest;
}

Genesis make_genesis(const std::vector<User>& users, const std::vector<Participant>& people,
                     const crypto::Ed25519Key& validator, BeaconKeys beacon) {
  Genesis g;
  g.chain_id = "cloister-economy";
  g.time_ms = 1'700'000'000'000;
  g.embedded = g.development = true;
  g.params = economy_params();
  const auto fund = [&](const AccountId& account, uint64_t amount) {
    GenesisAccount entry;
    entry.account = account;
    entry.balance_micro = amount;
    g.accounts.push_back(entry);
  };
  for (const User& user : users) fund(user.key.public_key(), kUserFunds);
  for (const Participant& p : people) fund(p.key.public_key(), kOperatorFunds);
  std::sort(g.accounts.begin(), g.accounts.end(),
            [](const auto& a, const auto& b) { return a.account < b.account; });
  Model model;
  model.root = name_hash("model", 0);
  model.name = "model";
  g.models = {model};
  g.policy.allow_development = true;
  Validator entry;
  entry.public_key = validator.public_key();
  entry.power = 10;
  g.validators = {entry};
  g.beacon = std::move(beacon);
  return g;
}

Economy::Economy(const EconomyOptions& options)
    : options_(options), random_(options.seed), state_([&] {
        SeededRandom chance(options.seed);
        Dealt dealt = deal_beacon(1, chance);
        secrets_ = std::move(dealt.secrets);
        validators_.push_back(key_for("validator", options.seed));
        const size_t users = std::max<size_t>(10, 8 * options.sessions_a_block);
        for (size_t i = 0; i < users; ++i) users_.push_back({key_for("user", i)});
        for (size_t i = 0; i < options.operators; ++i) {
          people_.push_back({conduct_of(options, i), static_cast<uint32_t>(i),
                             key_for("operator", i), key_for("identity", i)});
        }
        genesis_ = make_genesis(users_, people_, validators_[0], std::move(dealt.keys));
        auto state = State::from_genesis(genesis_, admission_);
        if (!state) std::abort();  // our own genesis
        return std::move(*state);
      }()) {}

// --- the chain ----------------------------------------------------------------------------------

template <typename T>
std::optional<T> Economy::read(Family family, Bytes key) const {
  const auto value = state_.store().get(family, key);
  return value ? T::decode(*value) : std::nullopt;
}

uint64_t Economy::nonce(const AccountId& account) const {
  return read<Account>(Family::accounts, account).value_or(Account()).nonce;
}

template <typename Body>
bool Economy::send(const crypto::Ed25519Key& key, const Body& body) {
  if (!sending_.insert(key.public_key()).second) return false;
  txs_.push_back(make_tx(genesis_.chain_id, nonce(key.public_key()), body, key));
  return true;
}

void Economy::block() {
  const uint64_t next = height() + 1;
  uint64_t share_nonce = nonce(validators_[0].public_key());
  for (uint64_t wanted : state_.beacons_wanted(next)) {
    PutBeaconShare body;
    body.height = wanted;
    body.share = make_beacon_share(genesis_.chain_id, 1, wanted, secrets_[0]);
    txs_.push_back(make_tx(genesis_.chain_id, share_nonce++, body, validators_[0]));
  }
  BlockInput input;
  input.height = next;
  input.time_ms = static_cast<UnixMillis>(genesis_.time_ms + next * 1000);
  input.hash = name_hash("block", next);
  input.txs = txs_;
  const BlockResult result = state_.apply(input);
  for (const TxResult& tx : result.txs) {
    transactions_ += tx.code == Code::ok;
    for (const Event& event : tx.events) {
      if (event.type == "check.ended")
        open_checks_.erase(*fixed_from_hex<32>(event.attributes[0].second));
    }
  }
  for (const Event& event : result.events) {
    if (event.type == "check.opening") {
      open_checks_.insert(*fixed_from_hex<32>(event.attributes[0].second));
      ++checks_;
    }
    if (event.type == "check.ended") {
      open_checks_.erase(*fixed_from_hex<32>(event.attributes[0].second));
    }
  }
  state_.take_changes();
  txs_.clear();
  sending_.clear();
}

// --- registration -------------------------------------------------------------------------------

void Economy::enter(Participant& p) {
  Claims claims;
  claims.instance_id = instance_id_of(p.identity.public_key());
  claims.spki_sha256 = name_hash("spki", p.machine);
  claims.key_config_sha256 = name_hash("keys", p.machine);
  claims.models = {genesis_.models[0].root};
  Registration r;
  r.identity_key = p.identity.public_key();
  r.claims = claims.encode();
  r.block_height = height();
  r.block_hash = name_hash("block", height());
  r.evidence = {
      SimulatedAdmission::evidence(registration_binding(genesis_.chain_id, p.key.public_key(),
                                                        r.block_hash, r.block_height, claims),
                                   p.machine)};
  r.endpoint = "node.example:8443";
  Offer offer;
  offer.model_root = genesis_.models[0].root;
  offer.price_micro = kPriceMicro;
  r.offers = {offer};
  r.capacity = kMaxCapacity;
  p.instance = claims.instance_id;
  instances_[p.instance] = p.machine;
  send(p.key, sign_registration(r, genesis_.chain_id, p.key.public_key(), p.identity));
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

Participant* Economy::by_instance(const InstanceId& id) {
  const auto at = instances_.find(id);
  return at == instances_.end() ? nullptr : &people_[at->second];
}

// --- sessions -----------------------------------------------------------------------------------

void Economy::open_sessions() {
  OpenSession body;
  body.model_root = genesis_.models[0].root;
  body.max_units = kMaxUnits;
  body.price_cap_micro = kPriceMicro;
  body.deposit_micro = *cost_micro(kMaxUnits, kPriceMicro);
  body.lifetime_blocks = 20;
  body.allow_audit = true;
  for (size_t i = 0; i < options_.sessions_a_block && opened_ < options_.sessions; ++i, ++opened_) {
    const size_t user = opened_ % users_.size();
    const AccountId& account = users_[user].key.public_key();
    const SessionId id = session_id(genesis_.chain_id, account, nonce(account));
    if (!send(users_[user].key, body)) break;  // the next block
    assigned_.push_back({id, user});
  }
}

// Users confirm what passes verification; a platform that turned bad does not, and is reported with
// its evidence, for which the ledger pays.
void Economy::confirm() {
  for (size_t left = assigned_.size(); left > 0; --left) {
    const Running session = assigned_.front();
    assigned_.pop_front();
    const auto record = read<Session>(Family::sessions, session.id);
    if (record && record->state == SessionState::refunded) continue;
    if (!record || record->state != SessionState::assigned) {
      assigned_.push_back(session);
      continue;
    }
    Participant& p = *by_instance(*record->instance);
    if (admission_->bad.contains(p.machine)) {
      ReportAttestation report;
      report.session = session.id;
      report.evidence = {SimulatedAdmission::evidence(
          read<Instance>(Family::instances, p.instance)->binding, p.machine)};
      send(users_[session.user].key, report);
      assigned_.push_back(session);  // drawn again
      continue;
    }
    ConfirmAttestation body;
    body.session = session.id;
    body.instance = *record->instance;
    body.policy_version = 1;
    if (send(users_[session.user].key, body)) {
      ++p.sessions;
      confirmed_.push_back(session);
    } else {
      assigned_.push_back(session);
    }
  }
}

void Economy::serve() {
  for (size_t left = confirmed_.size(); left > 0; --left) {
    const Running session = confirmed_.front();
    confirmed_.pop_front();
    if (!settle(session)) confirmed_.push_back(session);
  }
}

// True when there is nothing more to do for the session.
bool Economy::settle(const Running& running) {
  const auto session = read<Session>(Family::sessions, running.id);
  if (session->state != SessionState::confirmed) return session->state != SessionState::assigned;
  Participant& p = *by_instance(*session->instance);
  if (p.conduct == Conduct::vanishing) return true;
  const uint64_t served =
      kMaxUnits / 4 + name_hash("served", running.id[0] * 256u + running.id[1])[0];
  const bool overcharges = p.conduct == Conduct::overcharging;
  Receipt receipt;
  receipt.chain_id = genesis_.chain_id;
  receipt.session = running.id;
  receipt.sequence = 1;
  receipt.instance_id = *session->instance;
  receipt.model_root = session->model_root;
  receipt.completion_units = overcharges ? kMaxUnits : served;
  receipt.cumulative_units = receipt.completion_units;
  Settle body;
  body.session = running.id;
  body.receipt = sign_receipt(receipt, p.identity).encode();
  // The identity that served may be a former one; it still may settle.
  if (p.instance != *session->instance || !send(p.identity, body))
    return p.instance != *session->instance;
  const uint64_t cost =
      served * genesis_.params.answer_cost_micro / genesis_.params.reference_units;
  p.cost_micro += p.lies() ? cost / kLazyShare : cost;
  kept_[p.instance].push_back({body.receipt, receipt.completion_units, !p.lies() && !overcharges});
  return true;
}

// --- checks -------------------------------------------------------------------------------------

merkle::SumTree tree_of(const std::vector<Kept>& receipts) {
  std::vector<merkle::Weight> weights;
  for (const Kept& kept : receipts)
    weights.push_back({crypto::sha256(kept.receipt), kept.units, 0});
  merkle::SumTree tree;
  tree.update(std::move(weights));
  return tree;
}

void Economy::at_epoch() {
  for (Participant& p : people_) commit(p);
}

void Economy::commit(Participant& p) {
  auto& receipts = kept_[p.instance];
  if (receipts.empty() || p.conduct == Conduct::vanishing) return;
  const merkle::SumTree tree = tree_of(receipts);
  CommitReceipts body;
  body.instance = p.instance;
  body.model_root = genesis_.models[0].root;
  body.epoch = (height() + 1) / genesis_.params.epoch_blocks - 1;
  body.root = tree.root().hash;
  body.units = tree.total();
  if (!send(p.key, body)) return;
  committed_[batch_id(genesis_.chain_id, p.instance, body.epoch, body.model_root)] =
      std::exchange(receipts, {});
}

const Kept* at_point(const std::vector<Kept>& receipts, const merkle::SumTree& tree,
                     uint64_t point) {
  const merkle::SumTree* trees[] = {&tree};
  const auto hit = merkle::SumTree::locate(trees, point);
  for (const Kept& kept : receipts) {
    if (crypto::sha256(kept.receipt) == hit.weight.id) return &kept;
  }
  return nullptr;
}

bool Economy::truth(const Check& check) {
  const auto& receipts = committed_[check.batch];
  return at_point(receipts, tree_of(receipts), check.point)->good;
}

void Economy::open_check(const Check& check) {
  Participant& p = *by_instance(check.instance);
  if (p.conduct == Conduct::vanishing) return;
  const auto& receipts = committed_[check.batch];
  const merkle::SumTree tree = tree_of(receipts);
  const Kept* kept = at_point(receipts, tree, check.point);
  OpenReceipt body;
  body.check = check.id;
  body.receipt = kept->receipt;
  body.place = tree.prove(crypto::sha256(kept->receipt)).encode();
  send(p.key, body);
}

void Economy::judge(const Check& check) {
  const bool good = truth(check);
  for (const Checker& checker : check.committee) {
    Participant& p = *by_instance(checker.instance);
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
        p.cost_micro += genesis_.params.answer_cost_micro / kScoreShare;
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
    const auto check = read<Check>(Family::checks, id);
    if (check->state == CheckState::opening) open_check(*check);
    if (check->state == CheckState::committing || check->state == CheckState::revealing)
      judge(*check);
  }
}

// Whoever is slashed below the minimum pays in again as long as it can; the re-registering kind
// also leaves its name behind.
void Economy::suffer(Participant& p) {
  const auto op = read<Operator>(Family::operators, p.key.public_key());
  if (!op || op->stake_micro >= kStake || admission_->bad.contains(p.machine)) return;
  if (p.conduct == Conduct::re_registering) {
    p.identity = key_for("identity", p.machine + uint64_t{p.identities++} * 1'000'000);
    enter(p);
    return;
  }
  OperatorBond bond;
  bond.amount_micro = kStake - op->stake_micro;
  if (read<Account>(Family::accounts, p.key.public_key())->balance_micro > bond.amount_micro) {
    send(p.key, bond);
  }
}

// --- the run ------------------------------------------------------------------------------------

EconomyReport Economy::run(const std::function<void(size_t, size_t)>& progress) {
  set_up();
  const uint64_t epoch = genesis_.params.epoch_blocks;
  const auto step = [&] {
    const bool starts = (height() + 1) % epoch == 1;
    if (starts) at_epoch();
    if ((height() + 1) % epoch == epoch / 2) {
      for (Participant& p : people_) suffer(p);
    }
    checks();
    serve();
    confirm();
    block();
  };
  while (opened_ < options_.sessions) {
    if (!flipped_ && opened_ * 10 >= options_.sessions * kFlipAtTenth) {
      flipped_ = true;
      for (const Participant& p : people_) {
        if (p.conduct == Conduct::flipping) admission_->bad.insert(p.machine);
      }
    }
    open_sessions();
    step();
    if (height() % 50 == 0) progress(opened_, options_.sessions);
  }
  for (uint64_t end = height() + 4 * epoch; height() < end;) step();
  return report();
}

EconomyReport Economy::report() const {
  EconomyReport out;
  out.blocks = height();
  out.transactions = transactions_;
  out.checks = checks_;
  out.root = state_.store().sealed().app_hash();
  state_.store().for_each(Family::sessions, {}, [&](Bytes, Bytes value) {
    const auto session = Session::decode(value);
    out.sessions_closed += session->state == SessionState::closed;
    out.sessions_refunded += session->state == SessionState::refunded;
    out.unended += session->due_height != 0;
    return true;
  });
  std::map<AccountId, size_t> failed;
  state_.store().for_each(Family::checks, {}, [&](Bytes, Bytes value) {
    const auto check = Check::decode(value);
    out.unended += check->state != CheckState::ended;
    const bool bad =
        check->outcome == CheckOutcome::failed || check->outcome == CheckOutcome::unopened;
    failed[check->operator_account] += bad;
    return true;
  });
  for (const GenesisAccount& account : genesis_.accounts) {
    out.money_at_start_micro += account.balance_micro;
  }
  out.money_at_end_micro = total_money(state_.store());
  out.treasury_micro =
      read<Account>(Family::accounts, treasury_account()).value_or(Account()).balance_micro;
  for (size_t kind = 0; kind < kConducts; ++kind) {
    ConductReport row;
    row.conduct = static_cast<Conduct>(kind);
    int64_t sum = 0;
    for (const Participant& p : people_) {
      if (p.conduct != row.conduct) continue;
      const auto op = *read<Operator>(Family::operators, p.key.public_key());
      uint64_t holds = read<Account>(Family::accounts, p.key.public_key())->balance_micro +
                       op.stake_micro + op.check_reserve_micro;
      for (const Unbonding& part : op.unbonding) holds += part.amount_micro;
      const int64_t profit = static_cast<int64_t>(holds) - static_cast<int64_t>(kOperatorFunds) -
                             static_cast<int64_t>(p.cost_micro);
      row.least_profit_micro =
          row.operators == 0 ? profit : std::min(row.least_profit_micro, profit);
      row.most_profit_micro = row.operators == 0 ? profit : std::max(row.most_profit_micro, profit);
      row.operators += 1;
      row.sessions += p.sessions;
      const auto found = failed.find(p.key.public_key());
      row.failed_checks += found == failed.end() ? 0 : found->second;
      row.slashed_micro += op.slashed_micro;
      sum += profit;
    }
    if (row.operators == 0) continue;
    row.mean_profit_micro = sum / static_cast<int64_t>(row.operators);
    out.conducts.push_back(row);
  }
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
  return p;
}

EconomyReport run_economy(const EconomyOptions& options,
                          const std::function<void(size_t, size_t)>& progress) {
  return Economy(options).run(progress);
}

}  // namespace cloister::sim
