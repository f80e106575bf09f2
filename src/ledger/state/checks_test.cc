#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"
#include "merkle/sum_tree.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;
constexpr int kOthers = 9;

std::string op(int i) {
  return "op" + std::to_string(i);
}
std::string node(int i) {
  return "node" + std::to_string(i);
}

// `node` of `op` answers alice; nine other operators serve the same model, three of them on another
// kind of platform.
struct Scene {
  TestNetwork n;
  SessionId session{};
  uint64_t answered = 0;         // units of the session
  std::vector<Buffer> receipts;  // of this epoch
  merkle::SumTree tree;

  static Genesis genesis(uint32_t check_permille = 1000) {
    std::vector<std::string> names = {"op", "alice", "bob"};
    for (int i = 0; i < kOthers; ++i) names.push_back(op(i));
    Genesis g = TestNetwork::funded(names, kFunds);
    Params& p = g.params;
    p.epoch_blocks = 50;
    p.check_permille = check_permille;
    p.reference_units = 100;
    p.open_blocks = p.appeal_blocks = 4;
    p.verdict_blocks = p.reveal_blocks = 8;
    p.request_lifetime_blocks = 6;
    return g;
  }
  explicit Scene(const Genesis& genesis = Scene::genesis(), int others = kOthers) : n(genesis) {
    n.bring_up("op", "node", 1);
    OpenSession open = TestNetwork::open_body();
    open.allow_audit = true;
    open.lifetime_blocks = genesis.params.max_session_lifetime_blocks;
    session = *to_fixed<32>(n.send("alice", open).data);
    n.block();
    n.block();
    ConfirmAttestation confirm;
    confirm.session = session;
    confirm.instance = TestNetwork::id_of("node");
    confirm.policy_version = 1;
    EXPECT_EQ(n.send("alice", confirm).code, Code::ok);
    for (int i = 0; i < others; ++i) {
      const auto platform = static_cast<uint8_t>((i < 3 ? kOtherVendor : 2) + i);
      n.bring_up(op(i), node(i), platform);
    }
  }
  void blocks(int count) {
    for (int i = 0; i < count; ++i) n.block();
  }
  // Settles what was answered in the epoch that ends.
  void to_next_epoch() {
    const uint64_t now = (n.state.height() + 1) / 50;
    if (answered > n.session(session).cumulative_units) settle(answered);
    while ((n.state.height() + 1) / 50 == now) n.block();
  }
  void settle(uint64_t units) {
    EXPECT_EQ(name(n.send("node", n.settle_body(session, "node", units)).code), "ok");
  }
  void answer(uint64_t units, const std::function<void(Receipt&)>& bend = {}) {
    answered += units;
    Receipt receipt;
    receipt.chain_id = n.state.genesis().chain_id;
    receipt.session = session;
    receipt.sequence = answered;
    receipt.instance_id = TestNetwork::id_of("node");
    receipt.model_root = hash_of("model");
    receipt.prompt_units = units / 2;
    receipt.completion_units = units - units / 2;
    receipt.cumulative_units = answered;
    if (bend) bend(receipt);
    receipts.push_back(sign_receipt(receipt, key_of("node")).encode());
    tree.update({{crypto::sha256(receipts.back()), units, 0}});
  }
  void forget_answers() {
    receipts.clear();
    tree = {};
  }
  // Of the epoch before.
  CommitReceipts batch_body() const {
    CommitReceipts body;
    body.instance = TestNetwork::id_of("node");
    body.model_root = hash_of("model");
    body.epoch = (n.state.height() + 1) / 50 - 1;
    body.root = tree.root().hash;
    body.units = tree.total();
    return body;
  }
  std::vector<Check> checks() const {
    std::vector<Check> out;
    n.state.store().for_each(Family::checks, {}, [&](Bytes, Bytes value) {
      out.push_back(*Check::decode(value));
      return true;
    });
    return out;
  }
  Check check(const CheckId& id) const {
    return *Check::decode(*n.state.store().get(Family::checks, id));
  }
  // One answer, committed in the next epoch and drawn.
  CheckId drawn() {
    answer(100);
    to_next_epoch();
    EXPECT_EQ(name(n.send("node", batch_body()).code), "ok");
    blocks(2);
    EXPECT_EQ(checks().size(), 1u);
    return checks().at(0).id;
  }
  OpenReceipt opening(const CheckId& id) const {
    OpenReceipt body;
    body.check = id;
    for (const Buffer& receipt : receipts) {
      const Hash32 leaf = crypto::sha256(receipt);
      const auto place = *merkle::verify_place(tree.root(), leaf, tree.prove(leaf));
      const uint64_t point = check(id).point;
      if (point < place.before || point - place.before >= place.weight) continue;
      body.receipt = receipt;
      body.place = tree.prove(leaf).encode();
    }
    return body;
  }
  std::string name_of(const InstanceId& id) const {
    for (int i = 0; i < kOthers; ++i) {
      if (TestNetwork::id_of(node(i)) == id) return node(i);
    }
    return "node";
  }
  CommitVerdict commitment(const CheckId& id, const InstanceId& checker,
                           CheckVerdict verdict) const {
    CommitVerdict body;
    body.check = id;
    body.checker = checker;
    body.commitment = verdict_commitment(id, checker, verdict, hash_of("salt"));
    return body;
  }
  RevealVerdict reveal(const CheckId& id, const InstanceId& checker, CheckVerdict verdict) const {
    RevealVerdict body;
    body.check = id;
    body.checker = checker;
    body.verdict = verdict;
    body.salt = hash_of("salt");
    return body;
  }
  // Every checker commits and reveals; `silent` of them, the last, do neither.
  void judge(const CheckId& id, const std::vector<CheckVerdict>& verdicts) {
    const std::vector<Checker> committee = check(id).committee;
    ASSERT_GE(committee.size(), verdicts.size());
    for (size_t i = 0; i < verdicts.size(); ++i) {
      const InstanceId& checker = committee[i].instance;
      ASSERT_EQ(n.send(name_of(checker), commitment(id, checker, verdicts[i])).code, Code::ok);
    }
    while (check(id).state == CheckState::committing) n.block();
    for (size_t i = 0; i < verdicts.size(); ++i) {
      const InstanceId& checker = committee[i].instance;
      ASSERT_EQ(n.send(name_of(checker), reveal(id, checker, verdicts[i])).code, Code::ok);
    }
  }
  void to_end(const CheckId& id) {
    for (int i = 0; i < 30 && check(id).state != CheckState::ended; ++i) n.block();
    EXPECT_EQ(check(id).state, CheckState::ended);
  }
  uint64_t lost(const std::string& who) const { return n.op(who).slashed_micro; }
};

constexpr CheckVerdict kMatch = CheckVerdict::match, kMismatch = CheckVerdict::mismatch;

TEST(Checks, AnHonestAnswerPassesAndItsCheckersArePaidFromItsReserve) {
  Scene s;
  ASSERT_EQ(s.n.send("node", s.n.settle_body(s.session, "node", 1'000'000)).code, Code::ok);
  EXPECT_EQ(s.n.op("op").check_reserve_micro, 12'500u);  // a twentieth of 250,000
  EXPECT_EQ(s.n.balance("op"), kFunds - 1'000'000 + 250'000 - 2 * 12'500);
  s.answer(1'000'000);
  const CheckId id = [&] {
    s.to_next_epoch();
    EXPECT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
    s.blocks(2);
    return s.checks().at(0).id;
  }();
  EXPECT_EQ(s.checks().size(), kMaxChecksPerBatch);
  ASSERT_EQ(name(s.n.send("node", s.opening(id)).code), "ok");
  std::map<std::string, uint64_t> before;
  for (int i = 0; i < kOthers; ++i) before[op(i)] = s.n.balance(op(i));
  s.judge(id, {kMatch, kMatch, kMatch});
  EXPECT_EQ(s.check(id).state, CheckState::decided);
  EXPECT_EQ(s.check(id).outcome, CheckOutcome::passed);
  s.blocks(4);  // unopened, the others fail meanwhile
  EXPECT_EQ(s.check(id).state, CheckState::ended);
  for (const Checker& checker : s.check(id).committee) {
    EXPECT_EQ(s.n.balance("op" + s.name_of(checker.instance).substr(4)),
              before["op" + s.name_of(checker.instance).substr(4)] + 2'000);
  }
  EXPECT_EQ(s.n.op("op").check_reserve_micro, 12'500u - 3 * 2'000);
}

TEST(Checks, AWrongAnswerIsSlashedAndItsUserPaid) {
  Scene s;
  const CheckId id = s.drawn();
  ASSERT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
  const uint64_t alice = s.n.balance("alice");
  s.judge(id, {kMismatch, kMatch, CheckVerdict::unavailable});
  const Check judged = s.check(id);
  EXPECT_EQ(judged.outcome, CheckOutcome::failed);
  EXPECT_EQ(s.lost("op"), 0u);  // it may be appealed
  s.to_end(id);
  EXPECT_EQ(s.lost("op"), 400'000u);
  EXPECT_EQ(s.n.balance("alice"), alice + 200'000);
  EXPECT_EQ(s.lost("op" + s.name_of(judged.committee[1].instance).substr(4)), 50'000u);
  EXPECT_EQ(s.lost("op" + s.name_of(judged.committee[0].instance).substr(4)), 0u);
}

TEST(Checks, AReceiptThatIsNotShownCountsAsALie) {
  Scene s;
  const CheckId id = s.drawn();
  const std::vector<Checker> committee = s.check(id).committee;
  s.blocks(4);
  EXPECT_EQ(s.check(id).state, CheckState::ended);
  EXPECT_EQ(s.check(id).outcome, CheckOutcome::unopened);
  EXPECT_EQ(s.lost("op"), 400'000u);
  for (const Checker& checker : committee) {
    EXPECT_EQ(s.lost("op" + s.name_of(checker.instance).substr(4)), 0u);
  }
}

TEST(Checks, WhoIsSilentPaysAndTheCheckEndsAllTheSame) {
  for (size_t speak = 0; speak <= 2; ++speak) {
    SCOPED_TRACE(speak);
    Scene s;
    const CheckId id = s.drawn();
    ASSERT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
    s.judge(id, std::vector<CheckVerdict>(speak, kMatch));
    const std::vector<Checker> committee = s.check(id).committee;
    s.to_end(id);
    EXPECT_EQ(s.check(id).outcome, speak == 0 ? CheckOutcome::undecided : CheckOutcome::passed);
    EXPECT_EQ(s.lost("op"), 0u);
    for (size_t i = 0; i < committee.size(); ++i) {
      EXPECT_EQ(s.lost("op" + s.name_of(committee[i].instance).substr(4)),
                i < speak ? 0u : 20'000u);
    }
  }
}

TEST(Checks, WhoCommitsAndDoesNotRevealIsSilent) {
  Scene s;
  const CheckId id = s.drawn();
  ASSERT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
  const std::vector<Checker> committee = s.check(id).committee;
  for (const Checker& checker : committee) {
    const auto body = s.commitment(id, checker.instance, kMismatch);
    ASSERT_EQ(s.n.send(s.name_of(checker.instance), body).code, Code::ok);
  }
  EXPECT_EQ(s.check(id).state, CheckState::revealing);  // at once when all have committed
  s.to_end(id);
  EXPECT_EQ(s.check(id).outcome, CheckOutcome::undecided);
  EXPECT_EQ(s.lost("op"), 0u);
  EXPECT_EQ(s.lost("op" + s.name_of(committee[0].instance).substr(4)), 20'000u);
}

// Atoma: a node could be drawn to check itself, and twice for the same answer.
TEST(Checks, CommitteesAreOfOtherOperatorsEachOnceAndOfAnotherVendorFirst) {
  Scene s;
  s.n.bring_up("op", "twin", 99);  // another instance of the checked operator
  for (uint64_t i = 1; i <= 16; ++i) s.answer(100);
  s.to_next_epoch();
  ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
  s.blocks(2);
  ASSERT_EQ(s.checks().size(), 16u);
  std::set<std::string> seen;
  for (const Check& check : s.checks()) {
    std::set<AccountId> operators;
    for (const Checker& checker : check.committee) {
      EXPECT_NE(checker.operator_account, key_of("op").public_key());
      EXPECT_TRUE(operators.insert(checker.operator_account).second);
      EXPECT_EQ(s.n.instance(checker.instance).platforms[0].format, 3);
      seen.insert(s.name_of(checker.instance));
    }
    EXPECT_EQ(check.committee.size(), 3u);
  }
  EXPECT_EQ(seen.size(), 3u);  // all that are of another vendor, and only those
}

TEST(Checks, AnAppealIsHeardByTwiceAsManyOthersAndDecidesTheMoney) {
  for (bool overturn : {true, false}) {
    SCOPED_TRACE(overturn);
    Scene s;
    const CheckId id = s.drawn();
    ASSERT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
    s.judge(id, {kMismatch, kMismatch, kMismatch});
    const std::vector<Checker> first = s.check(id).committee;
    Appeal appeal;
    appeal.check = id;
    const uint64_t before = s.n.balance("op");
    ASSERT_EQ(s.n.send("op", appeal).code, Code::ok);
    EXPECT_EQ(s.n.balance("op"), before - 100'000);
    EXPECT_EQ(s.check(id).state, CheckState::appealed);
    s.blocks(2);
    const std::vector<Checker> second = s.check(id).committee;
    ASSERT_EQ(second.size(), 6u);
    for (const Checker& a : first) {
      for (const Checker& b : second) EXPECT_NE(a.operator_account, b.operator_account);
    }
    s.judge(id, std::vector<CheckVerdict>(6, overturn ? kMatch : kMismatch));
    EXPECT_EQ(s.check(id).state, CheckState::ended);  // its majority is final
    EXPECT_EQ(s.lost("op"), overturn ? 0u : 400'000u);
    EXPECT_EQ(s.n.balance("op"), overturn ? before : before - 100'000);
    const std::string judge = "op" + s.name_of(first[0].instance).substr(4);
    EXPECT_EQ(s.lost(judge), overturn ? 50'000u : 0u);
    EXPECT_EQ(s.n.send("op", appeal).code, Code::wrong_check_state);
  }
}

TEST(Checks, AnAppealThatNobodyHearsLeavesTheOutcomeAndReturnsTheBond) {
  Scene s(Scene::genesis(), 3);  // the first committee takes all
  const CheckId id = s.drawn();
  ASSERT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
  s.judge(id, {kMismatch, kMismatch, kMismatch});
  const uint64_t before = s.n.balance("op");
  Appeal appeal;
  appeal.check = id;
  ASSERT_EQ(s.n.send("op", appeal).code, Code::ok);
  s.blocks(2);
  EXPECT_EQ(s.check(id).state, CheckState::ended);
  EXPECT_EQ(s.check(id).outcome, CheckOutcome::failed);
  EXPECT_EQ(s.n.balance("op"), before);
}

TEST(Checks, AnAppealThatNobodyAnswersLeavesTheOutcomeAndReturnsTheBond) {
  Scene s;
  const CheckId id = s.drawn();
  ASSERT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
  s.judge(id, {kMismatch, kMismatch, kMismatch});
  const uint64_t before = s.n.balance("op");
  Appeal appeal;
  appeal.check = id;
  ASSERT_EQ(s.n.send("op", appeal).code, Code::ok);
  s.blocks(2);
  ASSERT_EQ(s.check(id).committee.size(), 6u);
  s.judge(id, {kMatch, kMismatch});  // the others say nothing
  s.to_end(id);
  EXPECT_EQ(s.check(id).outcome, CheckOutcome::failed);
  EXPECT_EQ(s.n.balance("op"), before);
  EXPECT_EQ(s.lost("op"), 400'000u);
}

TEST(Checks, AnInstanceThatWasPaidForWhatItDidNotCommitIsSlashed) {
  Genesis genesis = Scene::genesis(100);
  genesis.params.reference_units = 1'000'000;  // nothing is drawn here
  for (uint64_t committed : {499u, 500u}) {
    SCOPED_TRACE(committed);
    Scene s(genesis);
    ASSERT_EQ(s.n.send("node", s.n.settle_body(s.session, "node", 500)).code, Code::ok);
    s.answer(committed);
    s.to_next_epoch();
    ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
    s.to_next_epoch();
    EXPECT_EQ(s.lost("op"), 0u);
    s.n.block();
    EXPECT_EQ(s.lost("op"), committed == 500 ? 0u : 400'000u);
    s.to_next_epoch();
    s.n.block();
    EXPECT_EQ(s.lost("op"), committed == 500 ? 0u : 400'000u);  // once for the same units
  }
}

TEST(Checks, WhoCommitsEachEpochInTheNextOwesNothing) {
  Genesis genesis = Scene::genesis(100);
  genesis.params.reference_units = 1'000'000;
  Scene s(genesis);
  for (uint64_t epoch = 1; epoch <= 4; ++epoch) {
    ASSERT_EQ(s.n.send("node", s.n.settle_body(s.session, "node", 500 * epoch)).code, Code::ok);
    s.forget_answers();
    s.answer(500);
    s.to_next_epoch();
    ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
    EXPECT_EQ(s.lost("op"), 0u) << epoch;
  }
}

// Atoma: sampled about 99 of 100 where one of 100 was meant.
TEST(Checks, AsManyAreDrawnAsTheParameterSays) {
  Scene s(Scene::genesis(100));  // one in ten
  size_t drawn = 0;
  constexpr size_t kRounds = 60;
  for (size_t round = 0; round < kRounds; ++round) {
    s.forget_answers();
    for (uint64_t i = 1; i <= 25; ++i) s.answer(100);
    s.to_next_epoch();
    ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
    const size_t before = s.checks().size();
    s.blocks(2);
    drawn += s.checks().size() - before;
    EXPECT_GE(s.checks().size() - before, 2u);  // 2.5 on average, never outside 2 and 3
    EXPECT_LE(s.checks().size() - before, 3u);
    OperatorBond bond;  // what unopened checks cost
    bond.amount_micro = 1'500'000;
    s.n.send("op", bond);
  }
  // 150 expected; the standard deviation of the random half is below 4.
  EXPECT_GT(drawn, 134u);
  EXPECT_LT(drawn, 166u);
}

TEST(Checks, WithoutABeaconNothingIsDrawnAndNothingWaits) {
  Scene s;
  s.answer(100);
  s.to_next_epoch();
  ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
  for (int i = 0; i < 7; ++i) s.n.block({}, false);
  EXPECT_TRUE(s.checks().empty());
  const Buffer id = id_key(batch_id(s.n.state.genesis().chain_id, TestNetwork::id_of("node"),
                                    s.batch_body().epoch, hash_of("model")));
  EXPECT_EQ(Batch::decode(*s.n.state.store().get(Family::batches, id))->due_height, 0u);
}

// Whatever people do, every check ends in bounded time, money is conserved (asserted in every
// block) and a store read again goes on in the same way.
TEST(Checks, EveryPathEnds) {
  std::map<CheckOutcome, size_t> outcomes;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Scene s;
    SeededRandom random(seed);
    for (uint64_t i = 1; i <= 1 + random.next() % 4; ++i) s.answer(100);
    s.to_next_epoch();
    ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
    s.blocks(2);
    for (int step = 0; step < 70; ++step) {
      std::map<std::string, Buffer> txs;  // at most one of each sender
      for (const Check& check : s.checks()) {
        if (check.state == CheckState::opening && random.next() % 2 == 0) {
          txs["node"] = s.n.tx("node", s.opening(check.id));
        }
        for (const Checker& checker : check.committee) {
          if (random.next() % (seed % 4 == 0 ? 40 : 3) > 0) continue;  // some are slow
          // Most of a committee agree, some do not.
          const bool match = (check.id[0] % 2 == 0) != (checker.instance[0] % 4 == 0);
          const CheckVerdict verdict = match ? kMatch : kMismatch;
          const std::string who = s.name_of(checker.instance);
          if (check.state == CheckState::committing) {
            txs[who] = s.n.tx(who, s.commitment(check.id, checker.instance, verdict));
          } else if (check.state == CheckState::revealing) {
            txs[who] = s.n.tx(who, s.reveal(check.id, checker.instance, verdict));
          }
        }
        Appeal appeal;
        appeal.check = check.id;
        if (check.state == CheckState::decided && random.next() % 2 == 0) {
          const std::string loser = check.outcome == CheckOutcome::failed ? "op" : "alice";
          txs[loser] = s.n.tx(loser, appeal);
        }
      }
      std::vector<Buffer> list;
      for (auto& [who, tx] : txs) list.push_back(std::move(tx));
      s.n.block(list, random.next() % 4 > 0);
      if (step == 8) {
        TestNetwork again = s.n;
        again.state = *State::from_store(s.n.state.store(), s.n.verifier);
        TestNetwork same = s.n;
        for (int i = 0; i < 6; ++i) ASSERT_EQ(again.block().app_hash, same.block().app_hash);
      }
    }
    for (const Check& check : s.checks()) {
      EXPECT_EQ(check.state, CheckState::ended);
      EXPECT_EQ(check.bond_micro, 0u);
      EXPECT_EQ(check.due_height, 0u);
      ++outcomes[check.outcome];
    }
    EXPECT_EQ(total_money(s.n.state.store()), (3 + kOthers) * kFunds);
  }
  for (CheckOutcome outcome : {CheckOutcome::passed, CheckOutcome::failed, CheckOutcome::unopened,
                               CheckOutcome::undecided}) {
    EXPECT_GT(outcomes[outcome], 5u) << name(outcome);
  }
}

TEST(Checks, EachRefusalHasItsCode) {
  struct Case {
    const char* name;
    Code want;
    std::function<Code(Scene&, const CheckId&)> send;
  };
  const auto committing = [](const std::function<Buffer(Scene&, const CheckId&)>& tx) {
    return [=](Scene& s, const CheckId& id) {
      EXPECT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
      return s.n.run(tx(s, id)).code;
    };
  };
  const auto batch = [](const std::function<void(CommitReceipts&)>& bend,
                        const std::string& who = "node") {
    return [=](Scene& s, const CheckId&) {
      s.forget_answers();
      s.answer(100);
      s.to_next_epoch();
      CommitReceipts body = s.batch_body();
      bend(body);
      return s.n.send(who, body).code;
    };
  };
  const auto opening = [](const std::function<void(Scene&, OpenReceipt&)>& bend,
                          const std::string& who = "node") {
    return [=](Scene& s, const CheckId& id) {
      OpenReceipt body = s.opening(id);
      bend(s, body);
      return s.n.send(who, body).code;
    };
  };
  const auto first = [](Scene& s, const CheckId& id) { return s.check(id).committee[0].instance; };
  const Case cases[] = {
      {"a batch of nobody", Code::instance_unknown,
       batch([](CommitReceipts& b) { b.instance = hash_of("x"); })},
      {"a batch by another", Code::not_of_instance, batch([](CommitReceipts&) {}, "alice")},
      {"a batch of an unknown model", Code::model_unknown,
       batch([](CommitReceipts& b) { b.model_root = hash_of("x"); })},
      {"a batch of this epoch", Code::epoch_invalid,
       batch([](CommitReceipts& b) { b.epoch += 1; })},
      {"a batch of long ago", Code::epoch_invalid, batch([](CommitReceipts& b) { b.epoch -= 1; })},
      {"an empty batch", Code::units_invalid, batch([](CommitReceipts& b) { b.units = 0; })},
      {"one unit more than was paid", Code::units_invalid,
       batch([](CommitReceipts& b) { b.units += 1; })},
      {"more units than there are", Code::units_invalid,
       batch([](CommitReceipts& b) { b.units = UINT64_MAX; })},
      {"a second batch", Code::batch_exists,
       [](Scene& s, const CheckId&) { return s.n.send("node", s.batch_body()).code; }},
      {"opening nothing", Code::check_unknown,
       opening([](Scene&, OpenReceipt& o) { o.check = hash_of("x"); })},
      {"opened by another", Code::not_of_instance, opening([](Scene&, OpenReceipt&) {}, "op0")},
      {"no receipt", Code::receipt_malformed,
       opening([](Scene&, OpenReceipt& o) { o.receipt.pop_back(); })},
      {"a receipt that was not committed", Code::receipt_not_drawn,
       opening([](Scene& s, OpenReceipt& o) {
         s.answer(100);
         o.receipt = s.receipts.back();
       })},
      {"a receipt of other units than committed", Code::receipt_not_drawn,
       opening([](Scene& s, OpenReceipt& o) {
         s.tree.update({{crypto::sha256(o.receipt), 99, 0}});
         o.place = s.tree.prove(crypto::sha256(o.receipt)).encode();
       })},
      {"no place", Code::receipt_not_drawn,
       opening([](Scene&, OpenReceipt& o) { o.place.clear(); })},
      {"a receipt of another key", Code::receipt_signature, opening([](Scene&, OpenReceipt& o) {
         o.receipt = sign_receipt(SignedReceipt::decode(o.receipt)->receipt, key_of("op")).encode();
       })},
      {"opened twice", Code::wrong_check_state,
       [](Scene& s, const CheckId& id) {
         EXPECT_EQ(s.n.send("node", s.opening(id)).code, Code::ok);
         return s.n.send("node", s.opening(id)).code;
       }},
      {"a verdict before there is a receipt", Code::wrong_check_state,
       [=](Scene& s, const CheckId& id) {
         return s.n.send("node0", s.commitment(id, first(s, id), kMatch)).code;
       }},
      {"a verdict of nobody drawn", Code::not_on_committee,
       committing([](Scene& s, const CheckId& id) {
         return s.n.tx("node", s.commitment(id, TestNetwork::id_of("node"), kMatch));
       })},
      {"a verdict for another", Code::not_of_instance, committing([=](Scene& s, const CheckId& id) {
         return s.n.tx("alice", s.commitment(id, first(s, id), kMatch));
       })},
      // Atoma: an attester could submit twice.
      {"a second commitment", Code::committed_before, committing([=](Scene& s, const CheckId& id) {
         const std::string who = s.name_of(first(s, id));
         EXPECT_EQ(s.n.send(who, s.commitment(id, first(s, id), kMatch)).code, Code::ok);
         return s.n.tx(who, s.commitment(id, first(s, id), kMismatch));
       })},
      {"a reveal too early", Code::wrong_check_state, committing([=](Scene& s, const CheckId& id) {
         return s.n.tx(s.name_of(first(s, id)), s.reveal(id, first(s, id), kMatch));
       })},
      {"a reveal without a commitment", Code::not_committed,
       committing([=](Scene& s, const CheckId& id) {
         const InstanceId second = s.check(id).committee[1].instance;
         s.n.send(s.name_of(second), s.commitment(id, second, kMatch));
         while (s.check(id).state == CheckState::committing) s.n.block();
         return s.n.tx(s.name_of(first(s, id)), s.reveal(id, first(s, id), kMatch));
       })},
      {"another verdict than committed to", Code::commitment_mismatch,
       committing([=](Scene& s, const CheckId& id) {
         s.n.send(s.name_of(first(s, id)), s.commitment(id, first(s, id), kMatch));
         while (s.check(id).state == CheckState::committing) s.n.block();
         return s.n.tx(s.name_of(first(s, id)), s.reveal(id, first(s, id), kMismatch));
       })},
      {"a second reveal", Code::revealed_before, committing([=](Scene& s, const CheckId& id) {
         const InstanceId second = s.check(id).committee[1].instance;
         for (const InstanceId& each : {first(s, id), second}) {
           s.n.send(s.name_of(each), s.commitment(id, each, kMatch));
         }
         while (s.check(id).state == CheckState::committing) s.n.block();
         s.n.send(s.name_of(second), s.reveal(id, second, kMatch));
         return s.n.tx(s.name_of(second), s.reveal(id, second, kMatch));
       })},
      {"an appeal of what is not decided", Code::wrong_check_state,
       [](Scene& s, const CheckId& id) {
         Appeal appeal;
         appeal.check = id;
         return s.n.send("op", appeal).code;
       }},
      {"an appeal by the winner", Code::may_not_appeal, committing([](Scene& s, const CheckId& id) {
         s.judge(id, {kMatch, kMatch, kMatch});
         Appeal appeal;
         appeal.check = id;
         return s.n.tx("op", appeal);
       })},
      {"an appeal by a stranger", Code::may_not_appeal, committing([](Scene& s, const CheckId& id) {
         s.judge(id, {kMatch, kMatch, kMatch});
         Appeal appeal;
         appeal.check = id;
         return s.n.tx("bob", appeal);
       })},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Scene s;
    const CheckId id = s.drawn();
    EXPECT_EQ(name(c.send(s, id)), name(c.want));
  }
}

TEST(Checks, AReceiptOfASessionThatMayNotBeCheckedIsRefused) {
  Scene s;
  OpenSession open = TestNetwork::open_body();
  const SessionId silent = *to_fixed<32>(s.n.send("bob", open).data);
  s.answer(100, [&](Receipt& r) { r.session = silent; });
  s.to_next_epoch();
  ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
  s.blocks(2);
  const CheckId id = s.checks().at(0).id;
  const bool own = s.n.session(silent).instance == TestNetwork::id_of("node");
  EXPECT_EQ(s.n.send("node", s.opening(id)).code, own ? Code::not_audited : Code::wrong_instance);
}

// An honest answer of long ago must not stand for a dishonest one of today, nor one answer twice.
TEST(Checks, AReceiptStandsForTheEpochInWhichItWasPaidAndNoOther) {
  struct Case {
    const char* name;
    Code want;
    std::function<void(Receipt&)> bend;
  };
  const Case cases[] = {
      {"what was paid", Code::ok, [](Receipt&) {}},
      {"a receipt of the epoch before", Code::receipt_of_another_epoch,
       [](Receipt& r) { r.cumulative_units = 100; }},
      {"units of which a part was paid before", Code::receipt_of_another_epoch,
       [](Receipt& r) { r.cumulative_units -= 1; }},
      {"units that were not paid yet", Code::receipt_of_another_epoch,
       [](Receipt& r) { r.cumulative_units += 1; }},
      {"more units than the session has", Code::receipt_of_another_epoch,
       [](Receipt& r) { r.cumulative_units = 99; }},
      {"a receipt of another form", Code::receipt_mismatch, [](Receipt& r) { r.version = 2; }},
      {"units whose sum does not fit", Code::receipt_not_drawn,
       [](Receipt& r) { r.prompt_units = r.completion_units = (uint64_t{1} << 63) + 50; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Scene s;
    s.answer(100);
    s.to_next_epoch();
    s.forget_answers();
    s.answer(100, c.bend);
    s.to_next_epoch();
    ASSERT_EQ(s.n.send("node", s.batch_body()).code, Code::ok);
    s.blocks(2);
    ASSERT_EQ(s.checks().size(), 1u);
    const CheckId id = s.checks()[0].id;
    EXPECT_EQ(name(s.n.send("node", s.opening(id)).code), name(c.want));
  }
}

TEST(Checks, ASessionRemembersWhatItPaidAsLongAsACheckMayAskForIt) {
  Scene s;
  for (uint64_t epoch = 1; epoch <= 5; ++epoch) {
    s.forget_answers();
    s.answer(10);
    s.answer(20);
    s.to_next_epoch();
  }
  const auto& settled = s.n.session(s.session).settled;
  ASSERT_EQ(settled.size(), kEpochsOpen + 1);
  EXPECT_EQ(settled.back().from_units, 120u);
  EXPECT_EQ(settled.back().until_units, 150u);
  EXPECT_EQ(settled.front().epoch + kEpochsOpen, settled.back().epoch);
}

TEST(Checks, ParametersUnderWhichACheckWouldOutliveItsReceiptsAreRefused) {
  Params p;
  p.epoch_blocks = p.request_lifetime_blocks + p.open_blocks;
  EXPECT_TRUE(valid(p));
  p.open_blocks += 1;
  EXPECT_FALSE(valid(p));
  p.open_blocks = 1;
  p.request_lifetime_blocks = p.epoch_blocks + 1;
  EXPECT_FALSE(valid(p));
}

TEST(Deterrence, ParametersUnderWhichLyingPaysAreRefused) {
  Params p;
  EXPECT_TRUE(deterrent(p));
  // p > C / ((1 - r)(R + S)): with R = 1.2 C, r = 1/2, S = 250 C that is 0.8 per cent.
  p.answer_cost_micro = 1'000;
  p.answer_pay_micro = 1'200;
  p.mismatch_slash_micro = p.unopened_slash_micro = p.uncommitted_slash_micro = 250'000;
  p.check_permille = 8;
  EXPECT_TRUE(deterrent(p));
  p.check_permille = 7;
  EXPECT_FALSE(deterrent(p));
  EXPECT_FALSE(valid(p));
  p.check_permille = 8;
  p.unopened_slash_micro = 200'000;  // a liar would not open
  EXPECT_FALSE(deterrent(p));
  // Atoma: no slash at all.
  p.mismatch_slash_micro = p.unopened_slash_micro = p.uncommitted_slash_micro = 0;
  p.check_permille = 1000;
  EXPECT_FALSE(deterrent(p));
}

}  // namespace
}  // namespace cloister::ledger
