// The application is killed at each moment of writing its state: the engine finds it at the block
// before or at the block itself, plays the rest again, and the end is the same.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/temporary_folder_testing.h"
#include "chain/abci/convert.h"
#include "chain/abci/instance_testing.h"
#include "chain/persist_points.h"
#include "ledger/state/network_testing.h"

namespace cloister::chain::abci {
namespace {

constexpr int64_t kBlocks = 6;

Buffer transfer(uint64_t nonce) {
  ledger::Transfer body;
  body.to = ledger::key_of("bob").public_key();
  body.amount_micro = 1 + nonce;
  return ledger::make_tx(driven_genesis().chain_id, nonce, body, ledger::key_of("alice"));
}

// What an engine does with an application that has just started. The root after the last block;
// nothing when something was answered wrongly.
std::optional<std::string> go_on(const std::string& dir) {
  std::filesystem::create_directories(dir);
  auto host = open_driven(dir, 0);
  if (!host) return std::nullopt;
  if ((*host)->height() == 0 && !(*host)->handle(init_request()).has_init_chain()) {
    return std::nullopt;
  }
  while ((*host)->height() < kBlocks) {
    const int64_t height = (*host)->height() + 1;
    const auto nonce = static_cast<uint64_t>(height - 1);
    const Response block = (*host)->handle(block_request(height, {transfer(nonce)}));
    if (!block.has_finalize_block() || block.finalize_block().tx_results(0).code() != 0) {
      return std::nullopt;
    }
    if (!(*host)->handle(commit_request()).has_commit()) return std::nullopt;
  }
  Request info;
  info.mutable_info();
  return (*host)->handle(info).info().last_block_app_hash();
}

std::set<PersistPoint> reached;
PersistPoint killed_at;
int passes_left = 0;

void kill_there(PersistPoint point) {
  if (point == killed_at && passes_left-- == 0) ::kill(::getpid(), SIGKILL);
}

// A process that dies when it reaches the point for the n-th time. True if it died of it.
bool run_until(const std::string& dir, PersistPoint point, int n) {
  const pid_t child = ::fork();
  if (child == 0) {
    killed_at = point;
    passes_left = n;
    on_persist_points_for_testing(&kill_there);
    (void)go_on(dir);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

TEST(KilledHost, AtEveryPersistPointGoesOnToTheSameRoot) {
  const TemporaryFolder folder;
  on_persist_points_for_testing([](PersistPoint point) { reached.insert(point); });
  const auto want = go_on(folder.file("undisturbed"));
  on_persist_points_for_testing(nullptr);
  ASSERT_TRUE(want);
  // Six of a new file, four of a block: the others are of a driver that keeps blocks itself.
  ASSERT_EQ(reached.size(), 10u);
  for (const PersistPoint point : reached) {
    const bool of_creation = point < PersistPoint::block_begun;
    for (const int n : of_creation ? std::vector{0} : std::vector{0, 2, 5}) {
      const std::string name = std::to_string(static_cast<int>(point)) + "-" + std::to_string(n);
      SCOPED_TRACE(name);
      ASSERT_TRUE(run_until(folder.file(name), point, n)) << "the point was not reached";
      EXPECT_EQ(go_on(folder.file(name)), want);
    }
  }
}

}  // namespace
}  // namespace cloister::chain::abci
