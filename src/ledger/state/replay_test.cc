// Random commands against the ledger, from a printed seed: an independent account of the money and
// of what each session may do agrees after every block; a second run and a reload from what was
// saved reach the same root.
#include <gtest/gtest.h>

#include <functional>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 5'000'000;
const std::vector<std::string> kUsers = {"alice", "bob"};
const std::vector<std::string> kOperators = {"op", "op2"};

Genesis genesis() {
  Genesis g = TestNetwork::funded({"alice", "bob", "op", "op2"}, kFunds);
  g.params.request_lifetime_blocks = 6;
  g.params.confirm_deadline_blocks = 6;
  g.params.settle_window_blocks = 4;
  g.params.instance_lifetime_blocks = 15;
  g.params.evidence_max_age_blocks = 3;
  g.params.history_blocks = 12;
  g.params.max_redraws = 2;
  return g;
}

// What a careful reader of the rules expects, from results and session records alone: money per
// person in plain integers, moved by the transactions that succeeded and by how sessions ended.
class Book {
 public:
  Book() {
    for (const auto& who : {"alice", "bob", "op", "op2"}) balance_[who] = kFunds;
  }
  void bonded(const std::string& op, uint64_t amount) {
    balance_[op] -= static_cast<int64_t>(amount);
    stake_[op] += static_cast<int64_t>(amount);
  }
  void transferred(const std::string& from, const std::string& to, uint64_t amount) {
    balance_[from] -= static_cast<int64_t>(amount);
    balance_[to] += static_cast<int64_t>(amount);
  }
  void opened(const std::string& user, const SessionId& id, uint64_t deposit) {
    balance_[user] -= static_cast<int64_t>(deposit);
    sessions_[id] = {user, deposit, 0, false};
  }
  void settled(const SessionId& id, const std::string& op, uint64_t units, uint64_t price) {
    Entry& entry = sessions_.at(id);
    const uint64_t cost = (units * price + 999'999) / 1'000'000;
    const uint64_t amount = cost - entry.paid;
    const uint64_t network = amount * 50 / 1000;
    entry.paid = cost;
    treasury_ += static_cast<int64_t>(network);
    balance_[op] += static_cast<int64_t>(amount - network);
  }
  void compare(const TestNetwork& n) {
    int64_t escrow = 0;
    for (auto& [id, entry] : sessions_) {
      const Session session = n.session(id);
      const bool ended =
          session.state == SessionState::closed || session.state == SessionState::refunded;
      if (ended && !entry.ended) {
        balance_[entry.user] += static_cast<int64_t>(entry.deposit - entry.paid);
        entry.ended = true;
      }
      ASSERT_FALSE(entry.ended && !ended) << "an ended session came back";
      ASSERT_EQ(session.paid_micro, entry.paid);
      ASSERT_EQ(session.escrow_micro, ended ? 0 : entry.deposit - entry.paid);
      ASSERT_EQ(session.due_height > n.state.height(), !ended) << "a state that waits for ever";
      escrow += static_cast<int64_t>(session.escrow_micro);
    }
    int64_t total = escrow + treasury_;
    for (const auto& [who, balance] : balance_) {
      ASSERT_EQ(static_cast<int64_t>(n.balance(who)), balance) << who;
      total += balance + stake_[who];
    }
    ASSERT_EQ(total, static_cast<int64_t>(4 * kFunds));
    ASSERT_EQ(total_money(n.state.store()), 4 * kFunds);
  }
  struct Entry {
    std::string user;
    uint64_t deposit = 0, paid = 0;
    bool ended = false;
  };
  const std::map<SessionId, Entry>& sessions() const { return sessions_; }
  const std::string& user_of(const SessionId& id) const { return sessions_.at(id).user; }

 private:
  std::map<std::string, int64_t> balance_, stake_;
  std::map<SessionId, Entry> sessions_;
  int64_t treasury_ = 0;
};

struct Sent {
  Buffer tx;
  std::function<void(const TxResult&)> then;  // when it succeeded
};

class Stream {
 public:
  explicit Stream(uint64_t seed) : random_(seed), n_(genesis()) {}

  void run(int blocks) {
    n_.block();
    carry_out(bond("op"));
    carry_out(bond("op2"));
    for (int i = 0; i < blocks && !::testing::Test::HasFatalFailure(); ++i) step();
  }
  const TestNetwork& network() const { return n_; }
  void count(std::map<SessionState, size_t>& states, uint64_t& paid_micro) const {
    for (const auto& [id, entry] : book_.sessions()) {
      const Session session = n_.session(id);
      ++states[session.state];
      paid_micro += session.paid_micro;
    }
  }

 private:
  uint64_t below(uint64_t bound) { return random_.next() % bound; }
  const std::string& any(const std::vector<std::string>& list) { return list[below(list.size())]; }

  void step() {
    // One machine in eight fails now, so that renewals and reports meet it.
    n_.verifier->refused.clear();
    if (below(8) == 0) {
      n_.verifier->refused[static_cast<uint8_t>(1 + below(3))] = Code::evidence_tcb_status;
    }
    carry_out(command());
    ASSERT_NO_FATAL_FAILURE(book_.compare(n_));
    check_instances();
  }

  void carry_out(const Sent& sent) {
    std::vector<Buffer> txs;
    if (!sent.tx.empty()) txs.push_back(sent.tx);
    const BlockResult result = n_.block(txs, below(8) != 0);
    if (txs.empty()) return;
    const TxResult& own = result.txs.back();
    if (own.code == Code::ok) sent.then(own);
    EXPECT_EQ(own.code == Code::ok, own.log.empty());
  }

  // Every instance counts exactly the sessions that name it and have not ended.
  void check_instances() {
    std::map<InstanceId, uint32_t> open;
    for (const auto& [id, entry] : book_.sessions()) {
      const Session session = n_.session(id);
      const bool holds = session.state == SessionState::assigned ||
                         session.state == SessionState::confirmed ||
                         session.state == SessionState::closing;
      if (holds) ++open[*session.instance];
    }
    n_.state.store().for_each(Family::instances, {}, [&](Bytes, Bytes value) {
      const Instance instance = *Instance::decode(value);
      EXPECT_EQ(instance.open_sessions, open[instance.id]);
      EXPECT_LE(instance.open_sessions, instance.capacity);
      return true;
    });
  }

  Sent command() {
    const uint64_t pick = below(16);
    if (pick < 1) return bond(any(kOperators));
    if (pick < 3) return register_one();
    if (pick < 4) return renew_one();
    if (pick < 7) return open_one();
    if (pick < 10) return settle_one();
    if (pick < 11) return transfer_one();
    return answer_session();
  }
  Sent bond(const std::string& op) {
    OperatorBond body;
    body.amount_micro = 1'000'000;
    return {n_.tx(op, body), [=, this](const TxResult&) { book_.bonded(op, 1'000'000); }};
  }
  Sent transfer_one() {
    const std::string from = any(kUsers), to = any(kOperators);
    Transfer body;
    body.to = key_of(to).public_key();
    body.amount_micro = below(kFunds);
    return {n_.tx(from, body),
            [=, this](const TxResult&) { book_.transferred(from, to, body.amount_micro); }};
  }
  std::string identity(const std::string& op, uint64_t i) { return op + "-" + std::to_string(i); }
  Sent register_one() {
    const std::string op = any(kOperators);
    const auto platform = static_cast<uint8_t>(1 + below(3));
    const std::string name = identity(op, below(3));
    return {n_.tx(op, n_.register_body(op, name, platform)),
            [=, this](const TxResult&) { operators_[TestNetwork::id_of(name)] = {op, name}; }};
  }
  Sent renew_one() {
    if (operators_.empty()) return {};
    auto one = operators_.begin();
    std::advance(one, static_cast<long>(below(operators_.size())));
    const auto platform = static_cast<uint8_t>(1 + below(3));
    return {n_.tx(one->second.first, n_.renew_body(one->second.second, platform)),
            [](const TxResult&) {}};
  }
  Sent open_one() {
    const std::string user = any(kUsers);
    const OpenSession body = TestNetwork::open_body(1 + below(2'000'000));
    return {n_.tx(user, body), [=, this](const TxResult& result) {
              book_.opened(user, *to_fixed<32>(result.data), body.deposit_micro);
            }};
  }
  // Mostly one that still lives.
  std::optional<Session> any_session() {
    std::vector<Session> living, all;
    for (const auto& [id, entry] : book_.sessions()) {
      all.push_back(n_.session(id));
      if (!entry.ended) living.push_back(all.back());
    }
    const auto& from = living.empty() || below(8) == 0 ? all : living;
    if (from.empty()) return std::nullopt;
    return from[below(from.size())];
  }
  Sent settle_one() {
    const auto session = any_session();
    if (!session || !session->instance) return {};
    const std::string op = operators_.at(*session->instance).first;
    const std::string name = operators_.at(*session->instance).second;
    const uint64_t units = below(session->max_units + 2);
    return {n_.tx(op, n_.settle_body(session->id, name, units)), [=, this](const TxResult&) {
              book_.settled(session->id, op, units, session->price_micro);
            }};
  }
  Sent answer_session() {
    const auto session = any_session();
    if (!session) return {};
    const std::string& user = book_.user_of(session->id);
    if (session->state == SessionState::assigned && below(3) > 0) {
      ConfirmAttestation body;
      body.session = session->id;
      body.instance = *session->instance;
      body.policy_version = 1;
      return {n_.tx(user, body), [](const TxResult&) {}};
    }
    if (below(2) == 0) {
      ReportAttestation body;
      body.session = session->id;
      return {n_.tx(user, body), [](const TxResult&) {}};
    }
    CloseSession body;
    body.session = session->id;
    return {n_.tx(user, body), [](const TxResult&) {}};
  }

  SeededRandom random_;
  TestNetwork n_;
  Book book_;
  std::map<InstanceId, std::pair<std::string, std::string>> operators_;  // operator, identity
};

TEST(Replay, RandomCommandsAgreeWithThePlainBook) {
  std::map<SessionState, size_t> states;
  uint64_t paid_micro = 0;
  for (uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    Stream stream(seed);
    stream.run(30);
    if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << "seed " << seed;
    stream.count(states, paid_micro);
  }
  // The streams went everywhere.
  for (uint8_t state = 1; state <= 6; ++state) {
    EXPECT_GT(states[static_cast<SessionState>(state)], 100u) << int{state};
  }
  EXPECT_GT(paid_micro, 1'000'000u);
}

TEST(Replay, TheSameCommandsGiveTheSameRootAndSavedChangesReload) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Stream first(seed), second(seed);
    first.run(60);
    second.run(60);
    const Hash32 root = first.network().state.store().sealed().app_hash();
    EXPECT_EQ(second.network().state.store().sealed().app_hash(), root);
    TestNetwork saved = first.network();
    std::vector<StoreChange> rows = saved.state.take_changes();  // all since genesis
    const uint64_t height = saved.state.height();
    auto again = State::from_store(Store::load(rows), saved.verifier);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->height(), height);
    EXPECT_EQ(again->store().sealed().app_hash(), root);
    saved.state = std::move(*again);
    TestNetwork original = first.network();
    EXPECT_EQ(saved.block().app_hash, original.block().app_hash);
  }
}

}  // namespace
}  // namespace cloister::ledger
