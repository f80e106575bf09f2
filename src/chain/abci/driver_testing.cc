#include "chain/abci/driver_testing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "chain/abci/convert.h"
#include "light/proof.h"

namespace cloister::chain::abci {
namespace {

constexpr size_t kInstances = kDrivenValidators;
constexpr int64_t kProposalBytes = 60'000;
const std::vector<std::string> kPeople = {"alice", "bob", "operator"};
constexpr const char* kJoiner = "consensus of alice";

void must(bool held, const char* what) {
  if (!held) ADD_FAILURE() << what;
}

template <typename Fill>
Request request_of(Fill fill) {
  Request out;
  fill(out);
  return out;
}

Timestamp form_of(const light::Timestamp& time) {
  Timestamp out;
  out.set_seconds(time.seconds);
  out.set_nanos(time.nanos);
  return out;
}

}  // namespace

// --- beginnings, crashes and what comes after ---------------------------------------------------

Driver::Driver(uint64_t seed, const std::string& dir)
    : random_(seed), sample_(ledger::sample_network(kInstances)) {
  time_ = light::Timestamp::from_ms(static_cast<UnixMillis>(driven_genesis().time_ms));
  sets_[1] = sets_[2] = light::validators_of(driven_genesis());
  for (size_t i = 0; i < kInstances; ++i) {
    instances_.emplace_back(dir + "/" + std::to_string(seed) + "-" + std::to_string(i), i);
    instances_.back().start();
    begin(instances_.back());
  }
}

void Driver::begin(DrivenInstance& instance) {
  const Response answer = instance.consensus(init_request());
  const auto root = to_fixed<32>(bytes_of(answer.init_chain().app_hash()));
  ASSERT_TRUE(root) << answer.exception().error();
  must(blocks_.empty() ? root_ == Hash32{} || root_ == *root : true, "another genesis root");
  if (blocks_.empty()) root_ = *root;
}

// What an engine does when it starts: Info says from where on blocks are to be played again.
void Driver::replay(DrivenInstance& instance) {
  const Response info = instance.query(request_of([](Request& r) { r.mutable_info(); }));
  const int64_t height = info.info().last_block_height();
  ASSERT_LE(height, decided());
  if (height == 0) {
    begin(instance);
  } else {
    const Hash32& want = blocks_[static_cast<size_t>(height - 1)].root_after;
    EXPECT_TRUE(equal(bytes_of(info.info().last_block_app_hash()), want));
  }
  for (int64_t h = height + 1; h <= decided(); ++h) {
    finalize(instance, blocks_[static_cast<size_t>(h - 1)]);
    ++counts.replayed;
  }
  for (const Buffer& tx : waiting_) {
    (void)instance.mempool(
        request_of([&](Request& r) { r.mutable_check_tx()->set_tx(string_of(tx)); }));
  }
}

void Driver::disturb() {
  DrivenInstance& instance = any();
  switch (below(10)) {
    case 0:
      instance.crash();
      instance.start();
      ++counts.crashes;
      return replay(instance);
    case 1:
      instance.reconnect();
      ++counts.crashes;
      return replay(instance);
    case 2:
      if (!chance(3)) return;
      instance.wipe();
      instance.start();
      ++counts.crashes;
      if (chance(2)) state_sync(instance);
      return replay(instance);
    default:
      return expect_unchanged(instance);
  }
}

void Driver::state_sync(DrivenInstance& instance) {
  DrivenInstance& from = any();
  if (&from == &instance) return;
  const Response list = from.snapshots(request_of([](Request& r) { r.mutable_list_snapshots(); }));
  if (list.list_snapshots().snapshots_size() == 0) return;
  const Snapshot& newest = list.list_snapshots().snapshots(0);
  ASSERT_LE(static_cast<int64_t>(newest.height()), decided());
  const Hash32& root = blocks_[newest.height() - 1].root_after;
  const Response offered = instance.snapshots(request_of([&](Request& r) {
    *r.mutable_offer_snapshot()->mutable_snapshot() = newest;
    r.mutable_offer_snapshot()->set_app_hash(string_of(root));
  }));
  ASSERT_EQ(offered.offer_snapshot().result(), ResponseOfferSnapshot::ACCEPT);
  for (uint32_t i = 0; i < newest.chunks(); ++i) {
    const Response chunk = from.snapshots(request_of([&](Request& r) {
      r.mutable_load_snapshot_chunk()->set_height(newest.height());
      r.mutable_load_snapshot_chunk()->set_format(newest.format());
      r.mutable_load_snapshot_chunk()->set_chunk(i);
    }));
    const Response taken = instance.snapshots(request_of([&](Request& r) {
      r.mutable_apply_snapshot_chunk()->set_index(i);
      r.mutable_apply_snapshot_chunk()->set_chunk(chunk.load_snapshot_chunk().chunk());
    }));
    ASSERT_EQ(taken.apply_snapshot_chunk().result(), ResponseApplySnapshotChunk::ACCEPT);
  }
  ++counts.synced;
}

std::optional<Buffer> Driver::read(DrivenInstance& instance, ledger::Family family, Bytes key) {
  const Response answer = instance.query(request_of([&](Request& r) {
    r.mutable_query()->set_path("/store/" + std::string(ledger::name(family)));
    r.mutable_query()->set_data(string_of(key));
    r.mutable_query()->set_prove(true);
  }));
  EXPECT_EQ(answer.query().code(), 0u) << answer.query().log();
  EXPECT_EQ(answer.query().height(), decided());
  std::vector<light::ProofOp> proof;
  for (const ProofOp& op : answer.query().proof_ops().ops()) {
    proof.push_back({op.type(), to_buffer(bytes_of(op.key())), to_buffer(bytes_of(op.data()))});
  }
  std::optional<Buffer> value;
  if (!answer.query().value().empty()) value = to_buffer(bytes_of(answer.query().value()));
  const auto held = light::verify_read(proof, family, key,
                                       value ? std::optional<Bytes>(*value) : std::nullopt, root_);
  EXPECT_TRUE(held);
  return value;
}

// The root of the last decided block is what every instance shows, whatever it has worked on since.
void Driver::expect_unchanged(DrivenInstance& instance) {
  const Response info = instance.query(request_of([](Request& r) { r.mutable_info(); }));
  EXPECT_EQ(info.info().last_block_height(), decided());
  if (decided() > 0) {
    EXPECT_TRUE(equal(bytes_of(info.info().last_block_app_hash()), root_));
  }
  (void)read(instance, ledger::Family::accounts,
             ledger::key_of(kPeople[below(kPeople.size())]).public_key());
}

// --- transactions -------------------------------------------------------------------------------

uint64_t Driver::next_nonce(const std::string& who) {
  const auto account = ledger::key_of(who).public_key();
  const auto stored = read(any(), ledger::Family::accounts, account);
  uint64_t nonce = stored ? ledger::Account::decode(*stored)->nonce : 0;
  for (const Buffer& tx : waiting_) {
    const auto opened = ledger::open_tx(tx, driven_genesis().chain_id);
    if (opened && opened->account == account) ++nonce;
  }
  return nonce;
}

template <typename Body>
void Driver::send(const std::string& who, const Body& body) {
  const uint64_t nonce = next_nonce(who);
  const bool wrong = chance(12);
  Buffer tx = ledger::make_tx(driven_genesis().chain_id, nonce + (wrong ? 2 : 0), body,
                              ledger::key_of(who));
  if (chance(20)) tx[below(tx.size())] ^= 1;
  std::set<uint32_t> codes;
  for (DrivenInstance& each : instances_) {
    const Response answer =
        each.mempool(request_of([&](Request& r) { r.mutable_check_tx()->set_tx(string_of(tx)); }));
    ASSERT_TRUE(answer.has_check_tx());
    codes.insert(answer.check_tx().code());
  }
  EXPECT_EQ(codes.size(), 1u);
  if (*codes.begin() == 0) waiting_.push_back(std::move(tx));
}

void Driver::send_something() {
  const std::string& who = kPeople[below(kPeople.size())];
  switch (below(9)) {
    case 0: {
      ledger::OperatorBond bond;
      bond.amount_micro = driven_genesis().params.validator_stake_micro;
      return send(chance(2) ? "alice" : "operator", bond);
    }
    case 1:
      return send("alice",
                  ledger::sign_join(driven_genesis().chain_id, ledger::key_of("alice").public_key(),
                                    ledger::key_of(kJoiner)));
    case 2:
      return chance(2) ? send("alice", ledger::LeaveValidators()) : void();
    case 3:
    case 4:
      if (blocks_.empty()) return;
      return send("operator",
                  ledger::registration_at(driven_genesis(), "operator", "node", 1,
                                          static_cast<uint64_t>(decided()),
                                          *to_fixed<32>(bytes_of(blocks_.back().request.hash()))));
    case 5:
    case 6:
      return send("bob", ledger::TestNetwork::open_body(100'000));
    default: {
      ledger::Transfer body;
      body.to = ledger::key_of("bob").public_key();
      body.amount_micro = 1 + below(1000);
      return send(who, body);
    }
  }
}

// After a block every engine asks again about what still waits, in the same order.
void Driver::recheck(DrivenInstance& instance) {
  for (const Buffer& tx : waiting_) {
    const Response answer = instance.mempool(request_of([&](Request& r) {
      r.mutable_check_tx()->set_tx(string_of(tx));
      r.mutable_check_tx()->set_type(CHECK_TX_RECHECK);
    }));
    EXPECT_EQ(answer.check_tx().code(), 0u) << answer.check_tx().log();
  }
}

// --- rounds -------------------------------------------------------------------------------------

light::ValidatorSet& Driver::set_of(int64_t height) {
  if (!sets_.contains(height)) sets_[height] = set_of(height - 1);
  return sets_[height];
}

light::Header Driver::header_for(const std::vector<std::string>& txs, size_t proposer) {
  light::Header h;
  h.app_version = kAppVersion;
  h.chain_id = driven_genesis().chain_id;
  h.height = decided() + 1;
  h.time = time_;
  std::vector<Buffer> bytes;
  for (const std::string& tx : txs) bytes.push_back(to_buffer(bytes_of(tx)));
  h.data_hash = to_buffer(light::data_hash(bytes));
  h.validators_hash = to_buffer(light::validators_hash(set_of(h.height)));
  h.next_validators_hash = to_buffer(light::validators_hash(set_of(h.height + 1)));
  h.consensus_hash = to_buffer(light::consensus_hash(1 << 20, -1));
  h.app_hash = to_buffer(root_);
  h.evidence_hash = to_buffer(light::evidence_hash_of_none());
  h.proposer_address = to_buffer(light::address_of(sample_.keys[proposer].public_key()));
  std::vector<light::TxOutcome> outcomes;
  if (blocks_.empty()) {
    h.last_commit_hash = to_buffer(light::evidence_hash_of_none());
  } else {
    const Block& last = blocks_.back();
    h.last_block_id = last.light.signed_header.commit.block_id;
    h.last_commit_hash = to_buffer(light::commit_hash(last.light.signed_header.commit));
    ResponseFinalizeBlock answer;
    must(answer.ParseFromString(last.answer), "an answer does not parse");
    for (const ExecTxResult& each : answer.tx_results()) {
      outcomes.push_back({each.code(), to_buffer(bytes_of(each.data())), 0, 0});
    }
  }
  h.last_results_hash = to_buffer(light::results_hash(outcomes));
  return h;
}

ExtendedCommitInfo Driver::last_votes() const {
  ExtendedCommitInfo out;
  if (blocks_.empty()) return out;
  for (const auto& sig : blocks_.back().light.signed_header.commit.signatures) {
    ExtendedVoteInfo& vote = *out.add_votes();
    vote.mutable_validator()->set_address(string_of(sig.validator_address));
    vote.set_block_id_flag(static_cast<int32_t>(sig.flag));
    const auto extension = extensions_.find(sig.validator_address);
    if (sig.flag == light::BlockIdFlag::commit && extension != extensions_.end()) {
      vote.set_vote_extension(extension->second);
    }
  }
  return out;
}

Driver::Proposal Driver::prepare(size_t proposer) {
  const Response answer = instances_[proposer].consensus(request_of([&](Request& r) {
    RequestPrepareProposal& prepare = *r.mutable_prepare_proposal();
    prepare.set_max_tx_bytes(chance(4) ? static_cast<int64_t>(below(2000)) : kProposalBytes);
    for (const Buffer& tx : waiting_) {
      if (!chance(8)) prepare.add_txs(string_of(tx));
    }
    if (prepare.txs_size() > 0 && chance(5)) prepare.add_txs(prepare.txs(0));
    if (chance(5)) prepare.add_txs("nobody's transaction");
    *prepare.mutable_local_last_commit() = last_votes();
    prepare.set_height(decided() + 1);
  }));
  if (chance(40)) disturb();
  Proposal out;
  size_t bytes = 0;
  for (const std::string& tx : answer.prepare_proposal().txs()) {
    out.txs.push_back(tx);
    bytes += proposal_size(tx.size());
  }
  EXPECT_LE(bytes, static_cast<size_t>(kProposalBytes));
  out.header = header_for(out.txs, proposer);
  out.hash = string_of(light::header_hash(out.header));
  return out;
}

void Driver::process(const Proposal& proposal, ProposalStatus want) {
  for (DrivenInstance& each : instances_) {
    if (chance(4)) continue;
    const Response answer = each.consensus(request_of([&](Request& r) {
      for (const std::string& tx : proposal.txs) r.mutable_process_proposal()->add_txs(tx);
      r.mutable_process_proposal()->set_height(decided() + 1);
      r.mutable_process_proposal()->set_hash(proposal.hash);
    }));
    EXPECT_EQ(answer.process_proposal().status(), want);
    if (want == PROPOSAL_REJECT) ++counts.refused;
  }
}

// What no proposer makes who runs the same program.
void Driver::process_a_bad_one(const Proposal& good) {
  Proposal bad = good;
  ledger::BeaconShares forged;
  forged.entries.push_back(
      {{},
       static_cast<uint64_t>(decided() + 1),
       ledger::make_beacon_share(driven_genesis().chain_id, 1, 1, sample_.secrets[0])});
  switch (below(5)) {
    case 0:
      bad.txs.insert(bad.txs.begin(), string_of(forged.encode()));
      break;
    case 1:
      bad.txs.emplace_back();
      break;
    case 2:
      bad.txs.emplace_back(ledger::kMaxTxBytes + 1, 'x');
      break;
    case 3:
      if (bad.txs.empty()) return;
      bad.txs.push_back(bad.txs.back());
      break;
    default:
      for (size_t i = 0; i < 2001; ++i) bad.txs.push_back("spam " + std::to_string(i));
  }
  process(bad, PROPOSAL_REJECT);
}

void Driver::height() {
  time_ = light::Timestamp::from_ms(time_.to_ms() + 1 + static_cast<int64_t>(below(3000)));
  for (uint64_t i = below(4); i > 0; --i) send_something();
  std::optional<Proposal> proposal;
  for (int round = 0;; ++round) {
    ++counts.rounds;
    // What was locked in an earlier round is proposed again, or something else is.
    if (!proposal || chance(2)) proposal = prepare(below(kInstances));
    if (chance(4)) process_a_bad_one(*proposal);
    process(*proposal, PROPOSAL_ACCEPT);
    expect_unchanged(any());
    if (chance(3)) disturb();
    if (!chance(4)) return decide(*proposal, round);
  }
}

// --- blocks -------------------------------------------------------------------------------------

// Who votes for the block: three or four instances. Whoever joined besides is always away.
void Driver::vote(Block& block, const Proposal& proposal, int round) {
  const light::ValidatorSet& set = set_of(decided() + 1);
  light::Commit& commit = block.light.signed_header.commit;
  commit.height = proposal.header.height;
  commit.round = round;
  commit.block_id = {to_buffer(bytes_of(proposal.hash)), 1, to_buffer(bytes_of(proposal.hash))};
  commit.signatures.resize(set.size());
  extensions_.clear();
  const size_t away = set.size() == kInstances ? below(2 * kInstances) : 2 * kInstances;
  for (size_t at = 0; at < set.size(); ++at) {
    for (size_t i = 0; i < kInstances; ++i) {
      if (sample_.keys[i].public_key() != set[at].public_key || i == away) continue;
      const Response extended = instances_[i].consensus(request_of([&](Request& r) {
        r.mutable_extend_vote()->set_height(decided() + 1);
        r.mutable_extend_vote()->set_hash(proposal.hash);
      }));
      std::string extension = extended.extend_vote().vote_extension();
      if (chance(60)) disturb();
      if (chance(10)) extension = "nothing that anybody reads";
      const Response verified = any().consensus(request_of([&](Request& r) {
        r.mutable_verify_vote_extension()->set_height(decided() + 1);
        r.mutable_verify_vote_extension()->set_vote_extension(extension);
      }));
      EXPECT_EQ(verified.verify_vote_extension().status(), PROPOSAL_ACCEPT);
      auto& sig = commit.signatures[at];
      sig.flag = light::BlockIdFlag::commit;
      sig.validator_address = to_buffer(light::address_of(set[at].public_key));
      sig.timestamp = time_;
      const Buffer bytes = light::commit_sign_bytes(commit, at, driven_genesis().chain_id);
      sig.signature = to_buffer(sample_.keys[i].sign(bytes));
      extensions_[sig.validator_address] = extension;
    }
  }
}

void Driver::decide(const Proposal& proposal, int round) {
  Block block;
  block.light.validators = set_of(decided() + 1);
  block.light.signed_header.header = proposal.header;
  vote(block, proposal, round);
  RequestFinalizeBlock& request = block.request;
  for (const std::string& tx : proposal.txs) request.add_txs(tx);
  request.set_hash(proposal.hash);
  request.set_height(proposal.header.height);
  *request.mutable_time() = form_of(proposal.header.time);
  if (chance(15)) {
    Misbehavior& fault = *request.add_misbehavior();
    fault.set_type(Misbehavior::DUPLICATE_VOTE);
    fault.set_height(proposal.header.height);
    fault.mutable_validator()->set_address(
        string_of(light::address_of(ledger::key_of(kJoiner).public_key())));
  }
  std::erase_if(waiting_, [&](const Buffer& tx) {
    return std::ranges::find(proposal.txs, string_of(tx)) != proposal.txs.end();
  });
  for (DrivenInstance& each : instances_) finalize(each, block);
  ResponseFinalizeBlock answer;
  must(answer.ParseFromString(block.answer), "an answer does not parse");
  for (const Event& event : answer.events()) counts.draws += event.type() == "session.assigned";
  light::ValidatorSet set = set_of(decided() + 2);
  for (const ValidatorUpdate& each : answer.validator_updates()) {
    const auto update = update_of(each);
    ++counts.updates;
    std::erase_if(set, [&](const auto& v) { return v.public_key == update->public_key; });
    if (update->power > 0) set.push_back({update->public_key, update->power});
  }
  light::sort_validators(set);
  sets_[decided() + 3] = set;
  root_ = block.root_after;
  blocks_.push_back(std::move(block));
  // Whoever's earlier transaction was left out waits with all later ones, which are void now.
  std::vector<Buffer> left;
  left.swap(waiting_);
  for (Buffer& tx : left) {
    const auto opened = ledger::open_tx(tx, driven_genesis().chain_id);
    std::string who;
    for (const std::string& each : kPeople) {
      if (ledger::key_of(each).public_key() == opened->account) who = each;
    }
    if (opened->nonce == next_nonce(who)) waiting_.push_back(std::move(tx));
  }
  for (DrivenInstance& each : instances_) recheck(each);
}

// FinalizeBlock and Commit on one instance, which may go down at every step of the way.
void Driver::finalize(DrivenInstance& instance, Block& block) {
  Request request;
  *request.mutable_finalize_block() = block.request;
  const bool is_new = block.request.height() == decided() + 1;
  for (int attempt = 0;; ++attempt) {
    const Response answer = instance.consensus(request);
    ASSERT_TRUE(answer.has_finalize_block()) << answer.exception().error();
    const std::string bytes = answer.finalize_block().SerializeAsString();
    if (block.answer.empty()) block.answer = bytes;
    EXPECT_EQ(bytes, block.answer) << "height " << block.request.height();
    block.root_after = *to_fixed<32>(bytes_of(answer.finalize_block().app_hash()));
    if (!is_new || attempt > 0 || !chance(12)) break;
    // Nothing was committed: everybody still sees the block before, and so does whoever starts.
    expect_unchanged(instance);
    ++counts.crashes;
    if (chance(2)) {
      instance.crash();
      instance.start();
    } else {
      instance.reconnect();
    }
    const Response info = instance.query(request_of([](Request& r) { r.mutable_info(); }));
    EXPECT_EQ(info.info().last_block_height(), decided());
    if (decided() == 0) begin(instance);
  }
  const Response committed = instance.consensus(commit_request());
  EXPECT_TRUE(committed.has_commit()) << committed.exception().error();
}

void Driver::check_headers() const {
  if (blocks_.empty()) return;
  auto trusted =
      light::verify_genesis(driven_genesis().chain_id, sets_.at(1), blocks_.front().light);
  ASSERT_TRUE(trusted) << light::describe(trusted.error());
  for (size_t i = 1; i < blocks_.size(); ++i) {
    const UnixMillis now = blocks_[i].light.signed_header.header.time.to_ms() + 1;
    trusted = light::verify_adjacent(*trusted, blocks_[i].light, now, light::TrustOptions());
    ASSERT_TRUE(trusted) << "block " << i + 1 << ": " << light::describe(trusted.error());
  }
}

}  // namespace cloister::chain::abci
