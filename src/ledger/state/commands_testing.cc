#include "ledger/state/commands_testing.h"

#include <algorithm>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

const std::vector<std::string> kUsers = {"alice", "bob", "carol"};
const std::vector<std::string> kOperators = {"op0", "op1", "op2", "op3", "op4"};
const std::vector<std::string> kReleaseKeys = {"key0", "key1", "key2"};
const std::vector<Code> kVendorsWords = {Code::evidence_tcb_status,
                                         Code::evidence_collateral_missing, Code::evidence_revoked};
constexpr size_t kIdentities = 2;  // of one operator at a time

std::string identity(const std::string& op, uint64_t i) {
  return op + "-" + std::to_string(i);
}

// Each operator has a machine of either vendor; some have GPUs.
uint8_t machine_of(const std::string& op, uint64_t i) {
  const auto number = static_cast<uint64_t>(op[2] - '0');
  const uint64_t vendor = (number + i) % 2 == 0 ? 0 : kOtherVendor;
  const uint64_t gpus = number % 3 == 1 ? kWithGpu : 0;
  return static_cast<uint8_t>(vendor + gpus + 2 * number + i);
}

// Instances have no money of their own for fees: their operators send for them.
std::string sender_for(const std::string& identity_name) {
  return identity_name.substr(0, identity_name.find('-'));
}

CheckVerdict opinion(const Check& check, const InstanceId& checker) {
  const bool match = (check.id[0] % 2 == 0) != (checker[0] % 4 == 0);
  return match ? CheckVerdict::match : CheckVerdict::mismatch;
}

merkle::SumTree tree_of(const std::vector<Buffer>& receipts) {
  merkle::SumTree tree;
  for (const Buffer& receipt : receipts) {
    const Receipt r = SignedReceipt::decode(receipt)->receipt;
    tree.update({{crypto::sha256(receipt), r.prompt_units + r.completion_units, 0}});
  }
  return tree;
}

}  // namespace

const std::vector<std::string>& RandomLife::people() {
  static const std::vector<std::string> all = {"alice", "bob", "carol", "op0",  "op1", "op2",
                                               "op3",   "op4", "key0",  "key1", "key2"};
  return all;
}

Genesis RandomLife::genesis() {
  Genesis g = TestNetwork::funded(people(), kFunds);
  Params& p = g.params;
  p.request_lifetime_blocks = 6;
  p.confirm_deadline_blocks = 6;
  p.max_session_lifetime_blocks = 12;
  p.settle_window_blocks = 4;
  p.instance_lifetime_blocks = 40;
  p.evidence_max_age_blocks = 3;
  p.history_blocks = 15;
  p.max_redraws = 2;
  p.epoch_blocks = 10;
  p.check_permille = 1000;
  p.reference_units = 300;
  p.open_blocks = 4;
  p.verdict_blocks = p.reveal_blocks = p.appeal_blocks = 5;
  p.voting_blocks = 8;
  p.unbond_blocks = 12;
  p.timelock_blocks = 4;
  p.pause_blocks = 5;
  p.min_fee_micro = 1;
  p.validator_stake_micro = 1'500'000;
  g.embedded = false;
  g.validators[0].operator_account = key_of("validator").public_key();
  for (const std::string& key : kReleaseKeys) {
    g.release_keys.push_back(key_of(key).public_key());
  }
  std::sort(g.release_keys.begin(), g.release_keys.end());
  g.release_threshold = 2;
  return g;
}

RandomLife::RandomLife(uint64_t seed, TestNetwork::Watch watch) : net(genesis()), random_(seed) {
  net.watch = std::move(watch);
  net.block();
  for (const std::string& op : kOperators) {
    OperatorBond bond;
    bond.amount_micro = 2'000'000;
    net.send(op, bond, 1);
    net.send(op, net.register_body(op, identity(op, 0), machine_of(op, 0)), 1);
  }
}

template <typename Body>
void RandomLife::send(const std::string& who, const Body& body) {
  const bool busy =
      std::any_of(block_.begin(), block_.end(), [&](const Sent& sent) { return sent.who == who; });
  if (!busy) block_.push_back({who, net.tx(who, body, 1), Body::kKind});
}

std::string RandomLife::name_of(const InstanceId& id) const {
  for (const std::string& op : kOperators) {
    for (uint64_t i = 0; i < kIdentities; ++i) {
      if (TestNetwork::id_of(identity(op, i)) == id) return identity(op, i);
    }
  }
  return "nobody";
}

uint64_t RandomLife::policy_version() const {
  const auto policy = net.state.store().get(Family::policy, as_bytes(kPolicyKey));
  return NetworkPolicy::decode(*policy)->version;
}

void RandomLife::step() {
  net.verifier->refused.clear();
  if (chance(10)) {
    const std::string& op = any(kOperators);
    const uint8_t machine = machine_of(op, below(2));
    net.verifier->refused[machine] = any(kVendorsWords);
  }
  // Now and then the rules in force ask for more than those before them did.
  net.verifier->strict_from_version = chance(8) ? policy_version() : UINT64_MAX;
  block_.clear();
  for (uint64_t i = 3 + below(6); i > 0; --i) act();
  std::vector<Buffer> txs;
  for (const Sent& sent : block_) txs.push_back(sent.tx);
  const BlockResult result = net.block(txs, !chance(10));
  const size_t shares = result.txs.size() - txs.size();
  for (size_t i = 0; i < block_.size(); ++i) {
    const Code code = result.txs[shares + i].code;
    if (code == Code::ok) {
      ++accepted[block_[i].kind];
    } else {
      ++refused[code];
    }
  }
}

void RandomLife::let_everything_end() {
  net.verifier->refused.clear();
  const uint64_t last = net.state.height() + 200;
  while (net.state.height() < last) net.block();
}

void RandomLife::act() {
  switch (below(12)) {
    case 0:
      return chance(3) ? about_validators() : about_money();
    case 1:
    case 2:
      return about_instances();
    case 3:
      return chance(2) ? about_models() : about_vendors();
    case 4:
      return about_policy();
    case 5:
    case 6:
      return about_jobs();
    case 7:
    case 8:
      return about_checks();
    default:
      return about_sessions();
  }
}

void RandomLife::about_money() {
  const std::string who = any(people());
  switch (below(4)) {
    case 0: {
      Transfer body;
      body.to = key_of(any(people())).public_key();
      body.amount_micro = below(kFunds / 10);
      return send(who, body);
    }
    case 1: {
      OperatorBond body;
      body.amount_micro = below(1'000'000);
      return send(any(kOperators), body);
    }
    case 2: {
      OperatorUnbond body;
      body.amount_micro = below(1'000'000);
      return send(any(kOperators), body);
    }
    default:
      return send(any(kOperators), OperatorWithdraw());
  }
}

// Each operator has two consensus keys, and sometimes tries another's. The genesis' validator
// stays.
void RandomLife::about_validators() {
  const std::string op = any(kOperators);
  const std::string& owner = chance(6) ? any(kOperators) : op;
  const crypto::Ed25519Key& consensus = key_of(owner + " consensus " + std::to_string(below(2)));
  switch (below(4)) {
    case 0:
      return send(op, LeaveValidators());
    case 1:
      if (chance(3)) {
        net.misbehavior.push_back(
            {validator_address(consensus.public_key()), net.state.height() + 1});
      }
      return;
    default:
      return send(op, sign_join(net.state.genesis().chain_id, key_of(op).public_key(), consensus));
  }
}

void RandomLife::about_instances() {
  const std::string op = any(kOperators), name = identity(op, below(kIdentities));
  const uint8_t machine = machine_of(op, below(2));
  const InstanceId id = TestNetwork::id_of(name);
  const bool known = net.state.store().get(Family::instances, id).has_value();
  switch (below(8)) {
    case 0: {
      DrainInstance body;
      body.instance = id;
      return chance(3) ? send(op, body) : void();
    }
    case 1: {
      RetireInstance body;
      body.instance = id;
      return chance(3) ? send(op, body) : void();
    }
    case 2: {
      if (!known) return;
      RevokeInstance body;
      body.instance = id;
      body.evidence = net.evidence_of(name, machine);
      return send(any(kUsers), body);
    }
    case 3:
      return send(op, net.rotate_body(name, 1 + net.state.height()));
    case 4:
    case 5:
      return known ? send(op, net.renew_body(name, machine)) : void();
    default:
      return send(op, net.register_body(op, name, machine));
  }
}

// Vendors issue the same again, mostly; rarely something that some machines do not live up to.
void RandomLife::about_vendors() {
  const auto id = static_cast<uint8_t>(below(4));
  uint64_t& number = tcb_numbers_[id];
  if (chance(3)) number += 1 + below(12);
  if (chance(20) && number > 0) --number;
  send(any(kUsers), net.tcb_info_body(id, number));
}

void RandomLife::about_models() {
  const std::string owner = any(kUsers), model = "model of " + owner;
  switch (below(3)) {
    case 0:
      return send(owner, TestNetwork::model_body(owner, model));
    case 1: {
      UpdateModel body;
      body.root = hash_of(model);
      body.owner = key_of(owner).public_key();
      body.owner_permille = static_cast<uint32_t>(below(1000));
      return send(owner, body);
    }
    default: {
      DeprecateModel body;
      body.root = hash_of(model);
      return send(owner, body);
    }
  }
}

void RandomLife::about_sessions() {
  const std::string user = any(kUsers);
  auto sessions = all<Session>(Family::sessions);
  if (!chance(8)) {  // mostly one that still runs
    std::erase_if(sessions, [](const Session& s) { return s.due_height == 0 || s.on_ledger; });
  }
  if (sessions.empty() || chance(3)) {
    // One draw a statement: compilers differ in the order of arguments.
    const uint64_t max_units = 1 + below(2'000'000);
    const uint64_t price_cap = 200'000 + below(100'000);
    OpenSession body = TestNetwork::open_body(max_units, price_cap);
    body.lifetime_blocks = 1 + below(13);
    body.allow_audit = !chance(4);
    if (chance(4)) body.requirement.diversity = 2;
    body.requirement.gpu = chance(6);
    return send(user, body);
  }
  const Session& session = any(sessions);
  const auto owner = std::find_if(kUsers.begin(), kUsers.end(), [&](const std::string& who) {
    return key_of(who).public_key() == session.user;
  });
  const std::string whose = chance(20) ? user : *owner;
  const InstanceId instance = session.instance.value_or(InstanceId{});
  if (session.state == SessionState::assigned && !chance(4)) {
    ConfirmAttestation body;
    body.session = session.id;
    body.instance = instance;
    body.policy_version = policy_version();
    return send(whose, body);
  }
  if (session.state == SessionState::confirmed && !chance(4)) {
    const std::string name = name_of(instance);
    const uint64_t units = below(session.max_units + 2);
    Settle body = net.settle_body(session.id, name, units);
    Receipt receipt = SignedReceipt::decode(body.receipt)->receipt;
    receipt.prompt_units = units > session.cumulative_units ? units - session.cumulative_units : 1;
    receipt.sequence = net.state.height();
    body.receipt = sign_receipt(receipt, key_of(name)).encode();
    if (session.allow_audit && receipt.prompt_units > 0) {
      receipts_[{instance, epoch()}].push_back(body.receipt);
    }
    return send(sender_for(name), body);
  }
  if (chance(2)) {
    CloseSession body;
    body.session = session.id;
    return send(whose, body);
  }
  ReportAttestation body;
  body.session = session.id;
  return send(whose, body);
}

void RandomLife::about_jobs() {
  std::vector<Session> jobs;
  for (const Session& session : all<Session>(Family::sessions)) {
    if (session.on_ledger) jobs.push_back(session);
  }
  if (jobs.empty() || chance(3)) {
    SubmitJob body;
    body.session = TestNetwork::open_body(1 + below(100'000));
    body.session.lifetime_blocks = 1 + below(6);
    return send(any(kUsers), body);
  }
  const Session& job = any(jobs);
  Payload payload;
  payload.inline_bytes = {1, 2, 3};
  if (job.state == SessionState::assigned) {
    PostInput body;
    body.job = job.id;
    body.instance = *job.instance;
    body.input = payload;
    for (const std::string& user : kUsers) {
      if (key_of(user).public_key() == job.user) send(user, body);
    }
  } else if (job.state == SessionState::confirmed && !chance(3)) {
    const std::string name = name_of(*job.instance);
    PostResult body;
    body.job = job.id;
    body.result = payload;
    const uint64_t units = chance(6) ? 0 : 1 + below(job.max_units);
    body.receipt = net.settle_body(job.id, name, units).receipt;
    send(sender_for(name), body);
  }
}

void RandomLife::about_checks() {
  const auto checks = all<Check>(Family::checks);
  std::vector<Check> open;
  for (const Check& check : checks) {
    if (check.state != CheckState::ended) open.push_back(check);
  }
  if (!open.empty() && !chance(3)) return move(any(open));
  for (const Instance& instance : all<Instance>(Family::instances)) {
    if (epoch() > 0 && receipts_.contains({instance.id, epoch() - 1})) {
      return commit_receipts(instance);
    }
  }
}

void RandomLife::commit_receipts(const Instance& instance) {
  const auto found = receipts_.find({instance.id, epoch() - 1});
  const std::vector<Buffer> receipts = found->second;
  if (!chance(8)) receipts_.erase(found);                       // otherwise it commits them twice
  if (chance(4)) receipts_[{instance.id, epoch()}] = receipts;  // or shows them again in the next
  const merkle::SumTree tree = tree_of(receipts);
  CommitReceipts body;
  body.instance = instance.id;
  body.model_root = hash_of("model");
  body.epoch = epoch() - 1;
  body.root = tree.root().hash;
  body.units = tree.total();
  committed_[batch_id(net.state.genesis().chain_id, instance.id, body.epoch, body.model_root)] =
      receipts;
  send(sender_for(name_of(instance.id)), body);
}

void RandomLife::move(const Check& check) {
  if (check.state == CheckState::opening) {
    const std::vector<Buffer>& receipts = committed_[check.batch];
    const merkle::SumTree tree = tree_of(receipts);
    OpenReceipt body;
    body.check = check.id;
    for (const Buffer& receipt : receipts) {
      const Hash32 leaf = crypto::sha256(receipt);
      const auto place = *merkle::verify_place(tree.root(), leaf, tree.prove(leaf));
      if (check.point < place.before || check.point - place.before >= place.weight) continue;
      body.receipt = receipt;
      body.place = tree.prove(leaf).encode();
    }
    return send(sender_for(name_of(check.instance)), body);
  }
  for (const Checker& checker : check.committee) {
    if (chance(5)) continue;
    const CheckVerdict verdict = opinion(check, checker.instance);
    if (check.state == CheckState::committing) {
      CommitVerdict body;
      body.check = check.id;
      body.checker = checker.instance;
      body.commitment = verdict_commitment(check.id, checker.instance, verdict, hash_of("salt"));
      send(sender_for(name_of(checker.instance)), body);
    } else if (check.state == CheckState::revealing) {
      RevealVerdict body;
      body.check = check.id;
      body.checker = checker.instance;
      body.verdict = verdict;
      body.salt = hash_of("salt");
      send(sender_for(name_of(checker.instance)), body);
    }
  }
  if (check.state != CheckState::decided) return;
  Appeal body;
  body.check = check.id;
  for (const std::string& who : people()) {
    const AccountId account = key_of(who).public_key();
    const bool lost = check.outcome == CheckOutcome::failed ? account == check.operator_account
                                                            : account == check.user;
    if (lost) send(who, body);
  }
}

void RandomLife::about_policy() {
  Propose body;
  switch (below(7)) {
    case 0: {
      Restriction restriction;
      restriction.kind = RestrictionKind::advisory;
      restriction.value = {static_cast<uint8_t>('a' + below(3))};
      body.kind = chance(2) ? ProposalKind::restriction : ProposalKind::lift;
      body.change = restriction.encode();
      return send(any(kOperators), body);
    }
    case 1: {
      Params params = *Params::decode(*net.state.store().get(Family::params, as_bytes(kParamsKey)));
      params.report_fee_micro = below(2'000);
      params.min_stake_micro = 800'000 + below(400'000);
      body.kind = ProposalKind::params;
      body.change = params.encode();
      return send(any(kOperators), body);
    }
    case 2: {
      Release release;
      release.name = "release " + std::to_string(below(4));
      release.format = 1;
      release.measurement = Buffer(48, 1);
      if (chance(4)) release.format = kNvidiaGpuFormat;
      if (chance(4)) release.measurement.clear();
      if (chance(8)) release.min_driver = "550";
      release.valid_until_height = net.state.height() + below(60);
      body.kind = ProposalKind::add_release;
      body.change = release.encode();
      return send(any(kReleaseKeys), body);
    }
    case 3: {
      if (!chance(12)) return;
      PauseFormat pause;
      pause.format = chance(2) ? 1 : 3;
      return send(any(kReleaseKeys), pause);
    }
    default: {
      const auto proposals = all<Proposal>(Family::proposals);
      if (proposals.empty()) return;
      const Proposal& proposal = any(proposals);
      if (by_release_keys(proposal.kind)) {
        ReleaseApprove approval;
        approval.proposal = proposal.id;
        return send(any(kReleaseKeys), approval);
      }
      Vote vote;
      vote.proposal = proposal.id;
      vote.yes = !chance(4);
      return send(any(kOperators), vote);
    }
  }
}

}  // namespace cloister::ledger
