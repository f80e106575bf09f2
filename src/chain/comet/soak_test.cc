// A hundred transactions a second for a while: none is lost, and memory does not grow with them.
// A minute here, or what CLOISTER_SOAK_S says.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "chain/comet/network_testing.h"
#include "chain/comet/program.h"

namespace cloister::chain::comet {
namespace {

constexpr int kPerSecond = 100;
const std::vector<size_t> kAll = {0, 1, 2, 3};
const std::vector<std::string> kSenders = {"alice", "bob", "operator"};

int seconds() {
  const char* text = std::getenv("CLOISTER_SOAK_S");
  return text ? std::atoi(text) : 60;
}

// Resident memory of a process, MiB.
int64_t resident_mib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) >> 20;
}

class Soak {
 public:
  Soak() {
    network_.start_all();
    EXPECT_TRUE(network_[0].wait_height(3)) << network_[0].engine_log();
    // Each sender talks to one validator, so that its nonces arrive in their order.
    for (size_t i = 0; i < kSenders.size(); ++i)
      clients_.push_back(network_.client(std::vector<size_t>{i}));
  }

  // Sends the next of a sender; what the mempool has no room for is sent again later.
  void send(size_t sender) {
    ledger::Transfer body;
    body.to = ledger::hash_of("somebody");
    body.amount_micro = 1;
    const Buffer tx = ledger::make_tx(network_.genesis().chain_id, nonces_[sender], body,
                                      ledger::key_of(kSenders[sender]));
    const auto answer = clients_[sender].run((*clients_[sender]).broadcast(tx));
    if (!answer || answer->code != 0) {
      ++put_off_;
      return;
    }
    ++nonces_[sender];
  }

  void run(int for_seconds) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < for_seconds * kPerSecond; ++i) {
      std::this_thread::sleep_until(began + std::chrono::milliseconds(1000 / kPerSecond) * i);
      send(static_cast<size_t>(i) % kSenders.size());
    }
  }

  // What was accepted stands in blocks: the senders' proven nonces say so.
  void expect_all_included() {
    TestClient client = network_.client(kAll);
    uint64_t sent = 0;
    for (size_t i = 0; i < kSenders.size(); ++i) {
      sent += nonces_[i];
      const auto key = ledger::key_of(kSenders[i]).public_key();
      for (;;) {
        const auto account = client.read<ledger::Account>(ledger::Family::accounts, key);
        ASSERT_TRUE(account);
        if (account->nonce == nonces_[i]) break;
        const int64_t height = network_[0].height();
        ASSERT_TRUE(network_[0].wait_height(height + 1));
      }
    }
    const auto somebody =
        client.read<ledger::Account>(ledger::Family::accounts, ledger::hash_of("somebody"));
    ASSERT_TRUE(somebody);
    EXPECT_EQ(somebody->balance_micro, sent);
    network_.expect_agreement(kAll, network_[0].height());
    std::printf("%lu transactions in %ld blocks, %d put off\n", sent, network_[0].height(),
                put_off_);
  }

  int64_t engines_mib() {
    int64_t out = 0;
    for (const size_t i : kAll) out += resident_mib(network_[i].engine_pid());
    return out;
  }

 private:
  TestCometNetwork network_;
  std::vector<TestClient> clients_;
  std::array<uint64_t, 3> nonces_{};
  int put_off_ = 0;
};

TEST(CometSoak, NothingIsLostAndMemoryStaysFlat) {
  CLOISTER_NEEDS_COMETBFT();
  Soak soak;
  soak.run(seconds() / 2);
  const int64_t engines_half = soak.engines_mib(), ours_half = resident_mib(::getpid());
  soak.run(seconds() - seconds() / 2);
  const int64_t engines = soak.engines_mib(), ours = resident_mib(::getpid());
  std::printf(
      "MiB at half time and at the end: four engines %ld, %ld; four applications %ld, %ld\n",
      engines_half, engines, ours_half, ours);
  // A collector's heap breathes; what grows with the transactions does not fit in here.
  EXPECT_LE(engines, engines_half + engines_half / 4 + 32);
  EXPECT_LE(ours, ours_half + ours_half / 4 + 16);
  soak.expect_all_included();
}

}  // namespace
}  // namespace cloister::chain::comet
