// The ledger killed at every moment of writing that has a name. What it left opens, and going on
// from there makes the same blocks, to the bit, as a ledger that nobody killed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "chain/chain_testing.h"
#include "chain/ledger_chain_testing.h"
#include "chain/persist_points.h"
#include "ledger/state/network_testing.h"
#include "ledger/types/keys.h"

namespace cloister::chain {
namespace {

constexpr int64_t kBlocks = 24, kKept = 5;
const std::vector<std::string> kPeople = {"alice", "bob", "operator"};

const ledger::Genesis& genesis() {
  static const ledger::Genesis made = ledger::TestNetwork::funded(kPeople, 1'000'000'000);
  return made;
}

Hash32 hash_of_last(const LocalChain& chain) {
  return *to_fixed<32>(chain.last()->signed_header.commit.block_id.hash);
}

class Writer {
 public:
  explicit Writer(LocalChain& chain) : chain_(chain) {}

  // What block `height` holds follows from the chain before it: money, stakes, collateral, an
  // instance, sessions with their draws.
  bool next() {
    const int64_t height = chain_.height() + 1;
    if (height == 3) {
      ledger::OperatorBond bond;
      bond.amount_micro = genesis().params.min_stake_micro;
      send("operator", bond);
    }
    if (height == 5) send("operator", registration());
    if (height > 6 && height % 2 == 0) send("alice", ledger::TestNetwork::open_body(100'000));
    if (height % 5 == 0) send("bob", collateral(static_cast<uint64_t>(height)));
    ledger::Transfer transfer;
    transfer.to = ledger::key_of("alice").public_key();
    transfer.amount_micro = static_cast<uint64_t>(height) * 1000;
    if (height > 1 && height % 5 != 0) send("bob", transfer);
    return chain_.produce(static_cast<UnixMillis>(genesis().time_ms) + height * 1000).has_value();
  }

 private:
  template <typename Body>
  void send(const std::string& who, const Body& body) {
    const auto key = ledger::key_of(who).public_key();
    const auto read = chain_.view_at(chain_.height())->read("accounts", key);
    const uint64_t nonce = read->value ? ledger::Account::decode(*read->value)->nonce : 0;
    const Buffer tx = ledger::make_tx(genesis().chain_id, nonce, body, ledger::key_of(who),
                                      genesis().params.min_fee_micro);
    EXPECT_EQ(chain_.submit(tx).admission, Admission::accepted);
  }
  ledger::RegisterInstance registration() const {
    return ledger::registration_at(genesis(), "operator", "node", 1,
                                   static_cast<uint64_t>(chain_.height()), hash_of_last(chain_));
  }
  static ledger::PutCollateral collateral(uint64_t number) {
    ledger::PutCollateral body;
    ByteWriter file;
    file.u8(1).u8(1).u64_be(number * 10).u64_be(number).u64_be(UINT64_MAX);
    body.files = {file.take()};
    return body;
  }
  LocalChain& chain_;
};

struct End {
  Hash32 root{}, block{};
  bool operator==(const End&) const = default;
};

// Opens, goes on to the last block, and says what it came to.
std::optional<End> go_on(const std::string& path, int64_t keep_blocks) {
  auto chain = open_ledger(genesis(), path, keep_blocks);
  if (!chain) {
    ADD_FAILURE() << describe(chain.error());
    return std::nullopt;
  }
  Writer writer(*chain);
  while (chain->height() < kBlocks) {
    if (!writer.next()) {
      ADD_FAILURE() << "block " << chain->height() + 1;
      return std::nullopt;
    }
  }
  return End{chain->last()->app_hash, hash_of_last(*chain)};
}

PersistPoint killed_at;
int passes_left = 0;

void kill_there(PersistPoint point) {
  if (point == killed_at && passes_left-- == 0) ::kill(::getpid(), SIGKILL);
}

// A child process that dies when it reaches the point for the n-th time. True if it died of it.
bool write_until(const std::string& path, PersistPoint point, int n) {
  const pid_t child = ::fork();
  if (child == 0) {
    killed_at = point;
    passes_left = n;
    on_persist_points_for_testing(&kill_there);
    (void)go_on(path, kKept);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(KilledLedger, AtEveryPersistPointGoesOnToTheSameRoot) {
  const TemporaryFolder folder;
  const auto want = go_on(folder.file("undisturbed.db"), 0);
  ASSERT_TRUE(want);
  for (int i = 0; i < kPersistPoints; ++i) {
    const auto point = static_cast<PersistPoint>(i);
    const bool of_creation = point < PersistPoint::block_begun;
    // In a block that moves money, in the one that registers, in one that draws, in the last.
    for (const int n : of_creation ? std::vector{0} : std::vector{1, 4, 12, 23}) {
      SCOPED_TRACE("point " + std::to_string(i) + ", block " + std::to_string(n + 1));
      const std::string path = folder.file(std::to_string(i) + "-" + std::to_string(n));
      ASSERT_TRUE(write_until(path, point, n)) << "the point was not reached";
      // Killed again at the same place of its second life, if it gets there.
      write_until(path, point, of_creation ? 0 : 2);
      EXPECT_EQ(go_on(path, kKept), want);
    }
  }
}

// What the block holds must be worth killing in.
TEST(KilledLedger, ItsLifeHasDrawsAndCollateralInIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("ledger.db");
  ASSERT_TRUE(go_on(path, 0));
  auto chain = open_ledger(genesis(), path, 0);
  ASSERT_TRUE(chain);
  std::map<std::string, int> families;
  const auto rows = chain->store_for_testing().state_rows();
  for (const StateRow& row : *rows) ++families[row.family];
  for (const char* family : {"accounts", "operators", "collateral", "instances", "standings",
                             "sessions", "assignments", "draws", "beacon", "due"}) {
    EXPECT_GT(families[family], 0) << family;
  }
  int refused = 0;
  for (int64_t h = 1; h <= kBlocks; ++h) {
    const auto block = chain->block(h);
    ASSERT_TRUE(block);
    for (const auto& result : block->results) refused += result.outcome.code != 0;
  }
  EXPECT_EQ(refused, 0);
}

}  // namespace
}  // namespace cloister::chain
