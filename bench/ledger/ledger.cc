// Measures the ledger with a given number of instances and accounts.
//
//   bench_ledger COUNT…   one line of JSON each: times in microseconds, sizes in bytes
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "ledger/state/context.h"
#include "ledger/types/receipt.h"
#include "ledger/types/samples_testing.h"
#include "sim/chain.h"

namespace {

using namespace cloister;
using namespace cloister::ledger;
using SteadyClock = std::chrono::steady_clock;

constexpr uint64_t kFunds = 1'000'000'000;
constexpr size_t kInstancesAnOperator = 100;
constexpr size_t kUsers = 200;  // send a transaction of each kind in each round
constexpr int kRounds = 10;

void must(bool held, const char* what) {
  if (held) return;
  fmt::print(stderr, "bench_ledger: {}\n", what);
  std::exit(1);
}

double micros_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count();
}

template <typename Work>
double micros(Work&& work) {
  const auto start = SteadyClock::now();
  work();
  return micros_since(start);
}

// No evidence is brought here.
class NoVerifier final : public AdmissionVerifier {
 public:
  std::expected<Admitted, Code> admit(const AdmissionInput&) const override {
    return std::unexpected(Code::evidence_unsupported);
  }
  Code reassess(const Platform&, const NetworkPolicy&, uint64_t) const override { return Code::ok; }
  std::expected<CollateralRecord, Code> verify_collateral(std::span<const Buffer>, const Genesis&,
                                                          UnixSeconds) const override {
    return std::unexpected(Code::collateral_malformed);
  }
  bool changes_standing(const CollateralRecord&, const CollateralRecord&) const override {
    return false;
  }
  StandingJudge standing_judge(CollateralLookup) const override {
    return [](Platform&, Bytes) { return StandingVerdict(); };
  }
};

std::string user(size_t i) {
  return "user " + std::to_string(i);
}

Genesis genesis() {
  Genesis g = sample_network(1).genesis;
  for (size_t i = 0; i < kUsers; ++i) {
    GenesisAccount entry;
    entry.account = key_of(user(i)).public_key();
    entry.balance_micro = kFunds;
    g.accounts.push_back(entry);
  }
  std::sort(g.accounts.begin(), g.accounts.end(),
            [](const auto& a, const auto& b) { return a.account < b.account; });
  return g;
}

// --- a state of `count` instances, as it lies in a database -------------------------------------

AccountId operator_account(size_t i) {
  return hash_of("operator " + std::to_string(i));
}

Instance instance(size_t i) {
  Instance out = sample_instance();
  out.id = hash_of("instance " + std::to_string(i));
  out.operator_account = operator_account(i / kInstancesAnOperator);
  out.identity_key = key_of("identity").public_key();
  out.platforms[0].id_hash = hash_of("platform " + std::to_string(i));
  out.platforms[0].tcb_status = static_cast<uint8_t>(1 + i % 2);
  out.offers[0].price_micro = 100'000 + 1'000 * (i % 100);
  out.capacity = kMaxCapacity;  // so that nobody fills up in the middle of a round
  out.open_sessions = 0;
  out.expires_height = 1'000'000;
  return out;
}

std::vector<StoreChange> rows_of(const State& base, size_t count) {
  std::vector<StoreChange> rows;
  for (size_t f = 0; f < kFamilyCount; ++f) {
    base.store().for_each(static_cast<Family>(f), {}, [&](Bytes key, Bytes value) {
      rows.push_back({static_cast<Family>(f), to_buffer(key), to_buffer(value)});
      return true;
    });
  }
  const auto put = [&](Family family, Buffer key, Buffer value) {
    rows.push_back({family, std::move(key), std::move(value)});
  };
  Operator op;
  op.stake_micro = 1'000'000;
  op.reputation = 500;
  op.live_instances = kInstancesAnOperator;
  const Buffer op_bytes = op.encode();
  Account account;
  account.balance_micro = 1;
  for (size_t i = 0; i < count; ++i) {
    const Instance one = instance(i);
    put(Family::instances, id_key(one.id), one.encode());
    put(Family::platforms, id_key(one.platforms[0].id_hash), id_key(one.id));
    put(Family::due, due_key(one.expires_height, DueKind::instance, one.id), {});
    put(Family::operators, operator_instance_key(one.operator_account, one.id), {});
    put(Family::accounts, id_key(hash_of("account " + std::to_string(i))), account.encode());
    const uint64_t weight = draw_weight(one, op, base.genesis().params);
    put(Family::draws, weight_key(pool_of(one, one.offers[0]), one.id),
        weight_value({one.id, weight, one.offers[0].price_micro}));
    if (i % kInstancesAnOperator == 0) {
      put(Family::operators, id_key(one.operator_account), op_bytes);
    }
  }
  // As the database hands them out.
  std::sort(rows.begin(), rows.end(), [](const StoreChange& a, const StoreChange& b) {
    return a.family != b.family ? a.family < b.family : a.key < b.key;
  });
  return rows;
}

// --- rounds of sessions, from opening to close --------------------------------------------------

// Time of a block in which every transaction must be accepted.
double block(sim::Chain& chain) {
  BlockResult result;
  const double took = micros([&] { result = chain.block(); });
  for (const TxResult& tx : result.txs) must(tx.code == Code::ok, tx.log.c_str());
  return took;
}

constexpr size_t kTxsARound = 5 * kUsers;

// Five kinds of transactions from kUsers each, and the two blocks of the draw between them.
double round(sim::Chain& chain) {
  const std::string& chain_id = chain.state().genesis().chain_id;
  std::vector<SessionId> ids;
  const auto session = [&](size_t i) { return *chain.read<Session>(Family::sessions, ids[i]); };
  for (size_t i = 0; i < kUsers; ++i) {
    Transfer body;
    body.to = key_of(user((i + 1) % kUsers)).public_key();
    body.amount_micro = 1;
    chain.send(key_of(user(i)), body);
  }
  double took = block(chain);
  for (size_t i = 0; i < kUsers; ++i) {
    OpenSession body;
    body.model_root = hash_of("model");
    body.max_units = 1'000;
    body.price_cap_micro = 300'000;
    body.deposit_micro = 300;
    body.lifetime_blocks = 100;
    const auto& key = key_of(user(i));
    ids.push_back(session_id(chain_id, key.public_key(), chain.nonce(key.public_key())));
    chain.send(key, body);
  }
  took += block(chain);
  took += block(chain);
  took += block(chain);
  for (size_t i = 0; i < kUsers; ++i) {
    ConfirmAttestation body;
    body.session = ids[i];
    body.instance = *session(i).instance;
    body.policy_version = 1;
    chain.send(key_of(user(i)), body);
  }
  took += block(chain);
  // One key speaks for all instances here, so their settlements are one account's.
  const auto& identity = key_of("identity");
  for (size_t i = 0; i < kUsers; ++i) {
    Receipt receipt;
    receipt.chain_id = chain_id;
    receipt.session = ids[i];
    receipt.instance_id = *session(i).instance;
    receipt.model_root = hash_of("model");
    receipt.cumulative_units = 500;
    Settle body;
    body.session = ids[i];
    body.receipt = sign_receipt(receipt, identity).encode();
    chain.send(identity, body);
  }
  took += block(chain);
  for (size_t i = 0; i < kUsers; ++i) {
    CloseSession body;
    body.session = ids[i];
    chain.send(key_of(user(i)), body);
  }
  took += block(chain);
  return took;
}

// --- single operations --------------------------------------------------------------------------

// As a session is drawn: the point, the instance that holds it, and the proof for the user.
double draw_micros(const Store& store) {
  Pools pools = Pools::load(store);
  const Pools::Members& members = pools.hold(1, hash_of("model"));
  std::vector<const merkle::SumTree*> trees;
  uint64_t total = 0;
  for (const Pools::Member& member : members) {
    trees.push_back(&member.tree);
    total += member.tree.total();
  }
  constexpr int kDraws = 2'000;
  size_t bytes = 0;
  const double took = micros([&] {
    for (int i = 0; i < kDraws; ++i) {
      DrawPoints points(hash_of("beacon"), ByteWriter().u64_be(static_cast<uint64_t>(i)).view(),
                        total);
      const auto hit = merkle::SumTree::locate(trees, *points.next());
      for (const merkle::SumTree* tree : trees) bytes += tree->prove(hit.weight.id).encode().size();
    }
  });
  must(bytes > 0, "no proofs");
  return took / kDraws;
}

struct ProofCost {
  double micros;
  size_t bytes;
};
ProofCost proof_cost(const Snapshot& snapshot, size_t count) {
  constexpr size_t kProofs = 2'000;
  size_t bytes = 0;
  const double took = micros([&] {
    for (size_t i = 0; i < kProofs; ++i) {
      const Hash32 id = hash_of("instance " + std::to_string(i * 7919 % count));
      const StoreProof proof = snapshot.prove(Family::instances, id);
      bytes = std::max(bytes, proof.smt_op().size() + proof.simple_op(Family::instances).size());
    }
  });
  return {took / kProofs, bytes};
}

double ed25519_micros() {
  const auto& key = key_of("someone");
  const Buffer message(200, 1);
  const auto signature = key.sign(message);
  constexpr int kTimes = 2'000;
  bool held = true;
  const double took = micros([&] {
    for (int i = 0; i < kTimes; ++i) {
      held = held && crypto::verify_ed25519(key.public_key(), message, signature);
    }
  });
  must(held, "a good signature was refused");
  return took / kTimes;
}

// Everything but opening is measured on one core.
class OneCore {
 public:
  OneCore() {
    must(sched_getaffinity(0, sizeof(all_), &all_) == 0, "no cores");
    cpu_set_t one;
    CPU_ZERO(&one);
    size_t last = 0;
    for (size_t i = 0; i < CPU_SETSIZE; ++i) last = CPU_ISSET(i, &all_) ? i : last;
    CPU_SET(last, &one);
    must(sched_setaffinity(0, sizeof(one), &one) == 0, "the core is refused");
  }
  ~OneCore() { sched_setaffinity(0, sizeof(all_), &all_); }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t all_{};
};

void measure(size_t count) {
  const auto verifier = std::make_shared<const NoVerifier>();
  auto base = State::from_genesis(genesis(), verifier);
  must(base.has_value(), "the genesis is refused");
  const std::vector<StoreChange> rows = rows_of(*base, count);
  std::optional<State> state;
  const double open = micros([&] {
    auto opened = State::from_store(Store::load(rows), verifier);
    must(opened.has_value(), "the state is refused");
    state = std::move(*opened);
  });
  const OneCore pinned;
  const double draw = draw_micros(state->store());
  const ProofCost proof = proof_cost(state->store().sealed(), count);
  SampleNetwork sample = sample_network(1);
  sim::Chain chain(std::move(*state), std::move(sample.keys[0]), std::move(sample.secrets[0]));
  round(chain);
  std::vector<double> rounds;
  std::vector<double> verify;
  for (int i = 0; i < kRounds; ++i) {
    verify.push_back(ed25519_micros());
    rounds.push_back(round(chain) / kTxsARound);
  }
  std::sort(rounds.begin(), rounds.end());
  std::sort(verify.begin(), verify.end());
  fmt::print(R"({{"count": {}, "open_us": {:.0f}, "draw_us": {:.2f}, "proof_us": {:.2f}, )"
             R"("proof_bytes": {}, "tx_us": {:.2f}, "ed25519_us": {:.2f}}})"
             "\n",
             count, open, draw, proof.micros, proof.bytes, rounds[kRounds / 2],
             verify[kRounds / 2]);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  must(argc > 1, "how many instances?");
  for (int i = 1; i < argc; ++i) measure(std::strtoul(argv[i], nullptr, 10));
}
