// A hundred transactions a second for a while: none is lost, and memory does not grow with them.
// A minute here, or what CLOISTER_SOAK_S says.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "chain/comet/network_testing.h"
#include "chain/comet/program.h"

namespace cloister::chain::comet {
namespace {

constexpr size_t kSenders = 20;
constexpr int kPerSender = 5;  // a second: a hundred of all
const std::vector<size_t> kAll = {0, 1, 2, 3};

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

// One account, and the validator that it talks to, so that its nonces arrive in their order. A
// transaction waits twenty milliseconds or more for its answer: many accounts make the rate.
struct Sender {
  const crypto::Ed25519Key* key;
  uint64_t nonce = 0;  // of the next
  TestClient client;
};

class Soak {
 public:
  Soak() : network_(options()) {
    network_.start_all();
    EXPECT_TRUE(network_[0].wait_height(3)) << network_[0].engine_log();
    for (size_t i = 0; i < kSenders; ++i) {
      senders_.push_back(
          {&ledger::key_of(name_of(i)), 0, network_.client(std::vector<size_t>{i % kAll.size()})});
    }
  }

  // Each sender on a thread of its own, at its share of the rate.
  void run(int for_seconds) {
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (Sender& sender : senders_) {
      threads.emplace_back([&, for_seconds] {
        for (int i = 0; i < for_seconds * kPerSender; ++i) {
          std::this_thread::sleep_until(began + std::chrono::milliseconds(1000 / kPerSender) * i);
          send(sender);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    took_ += std::chrono::steady_clock::now() - began;
  }

  // What was accepted stands in blocks: the senders' proven nonces say so.
  void expect_all_included() {
    TestClient client = network_.client(kAll);
    uint64_t sent = 0;
    // What was lost would never come.
    const int64_t last = network_[0].height() + 100;
    for (const Sender& sender : senders_) {
      sent += sender.nonce;
      for (;;) {
        const auto account =
            client.read<ledger::Account>(ledger::Family::accounts, sender.key->public_key());
        ASSERT_TRUE(account);
        if (account->nonce == sender.nonce) break;
        const int64_t height = network_[0].height();
        ASSERT_LT(height, last) << "lost: " << account->nonce << " of " << sender.nonce;
        ASSERT_TRUE(network_[0].wait_height(height + 1));
      }
    }
    const auto somebody =
        client.read<ledger::Account>(ledger::Family::accounts, ledger::hash_of("somebody"));
    ASSERT_TRUE(somebody);
    EXPECT_EQ(somebody->balance_micro, sent);
    network_.expect_agreement(kAll, network_[0].height());
    const double seconds = std::chrono::duration<double>(took_).count();
    std::printf("%lu transactions, %.0f a second, in %ld blocks; %d were put off\n", sent,
                static_cast<double>(sent) / seconds, network_[0].height(), put_off_.load());
  }

  int64_t engines_mib() {
    int64_t out = 0;
    for (const size_t i : kAll) out += resident_mib(network_[i].engine_pid());
    return out;
  }

 private:
  static std::string name_of(size_t i) { return "sender " + std::to_string(i); }
  static NetworkOptions options() {
    NetworkOptions out;
    out.change_genesis = [](ledger::Genesis& g) {
      for (size_t i = 0; i < kSenders; ++i) {
        g.accounts.push_back({{}, ledger::key_of(name_of(i)).public_key(), 1'000'000'000});
      }
      std::ranges::sort(g.accounts, {}, &ledger::GenesisAccount::account);
    };
    return out;
  }

  // The next of a sender; what the mempool has no room for is sent again later.
  void send(Sender& sender) {
    ledger::Transfer body;
    body.to = ledger::hash_of("somebody");
    body.amount_micro = 1;
    const Buffer tx = ledger::make_tx(network_.genesis().chain_id, sender.nonce, body, *sender.key);
    const auto answer = sender.client.run((*sender.client).broadcast(tx));
    if (answer && answer->code == 0) {
      ++sender.nonce;
    } else {
      ++put_off_;
    }
  }

  TestCometNetwork network_;
  std::vector<Sender> senders_;
  std::chrono::steady_clock::duration took_{};
  std::atomic<int> put_off_ = 0;
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
