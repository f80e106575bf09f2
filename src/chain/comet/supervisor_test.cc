#include "chain/comet/supervisor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "chain/chain_testing.h"
#include "chain/comet/restart.h"

namespace cloister::chain::comet {
namespace {

TEST(Backoff, DoublesUntilSomebodyRanForLong) {
  Backoff backoff;
  UnixMillis now = 1'000'000;
  for (const int64_t want : {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000}) {
    backoff.started(now);
    EXPECT_EQ(backoff.ended(now + 10), want);
  }
  backoff.started(now);
  EXPECT_EQ(backoff.ended(now + kHealthyMs - 1), 60'000);
  backoff.started(now);
  EXPECT_EQ(backoff.ended(now + kHealthyMs), 1'000);
}

TEST(StallWatch, RestartsAfterItsPatienceAndHasMoreEachTime) {
  StallWatch watch(100);
  watch.begin(0);
  EXPECT_FALSE(watch.stalled(50, 5));
  EXPECT_FALSE(watch.stalled(149, 5));
  EXPECT_TRUE(watch.stalled(150, 5));
  watch.begin(150);
  EXPECT_FALSE(watch.stalled(349, std::nullopt));  // silence is no progress
  EXPECT_TRUE(watch.stalled(350, std::nullopt));
  watch.begin(350);
  EXPECT_FALSE(watch.stalled(740, 6));  // it moves: everything begins anew
  EXPECT_FALSE(watch.stalled(839, 6));
  EXPECT_TRUE(watch.stalled(840, 6));
  EXPECT_EQ(watch.height(), 6);
}

// Processes that the tests command: each is a shell that does what its folder says.
class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() : interrupt_(::eventfd(0, EFD_CLOEXEC)) {}
  ~SupervisorTest() override { ::close(interrupt_); }

  static process::ChildOptions shell(const std::string& script) {
    process::ChildOptions out;
    out.argv = {"/bin/sh", "-c", script};
    return out;
  }
  void interrupt() const {
    const uint64_t one = 1;
    ASSERT_EQ(::write(interrupt_, &one, sizeof(one)), ssize_t{sizeof(one)});
  }
  // Supervises until `done` is true of what has been told.
  std::vector<std::string> run_until(const std::function<bool(const std::string& line)>& done) {
    std::vector<std::string> told;
    config_.tell = [&](const std::string& line) {
      told.push_back(line);
      if (done(line)) interrupt();
    };
    config_.probe_interval_ms = 20;
    const auto ended = supervise(config_, clock_, interrupt_);
    EXPECT_TRUE(ended) << ended.error();
    return told;
  }

  const std::string kReady = "eval \"echo ready >&$CLOISTER_READY_FD\"; ";
  const TemporaryFolder folder_;
  const SystemClock clock_;
  const int interrupt_;
  SupervisorConfig config_;
};

TEST_F(SupervisorTest, AnEngineThatEndsIsStartedAgain) {
  config_.application = shell(kReady + "exec sleep 1000");
  config_.engine = shell("exit 3");
  config_.probe = [] { return std::nullopt; };
  int started = 0;
  const auto told = run_until([&](const std::string& line) {
    started += line.starts_with("the engine is started");
    return started == 2;
  });
  EXPECT_EQ(told[2], "the engine ended with 3; again in 1 s");
}

TEST_F(SupervisorTest, AnApplicationThatIsKilledIsStartedAgain) {
  config_.application = shell(kReady + "echo $$ > " + folder_.file("pid") + "; exec sleep 1000");
  config_.engine = shell("exec sleep 1000");
  bool killed = false;
  config_.probe = [&]() -> std::optional<EngineStatus> {
    if (!std::exchange(killed, true)) {
      FILE* file = std::fopen(folder_.file("pid").c_str(), "r");
      int pid = 0;
      EXPECT_EQ(std::fscanf(file, "%d", &pid), 1);
      std::fclose(file);
      ::kill(pid, SIGKILL);
    }
    return EngineStatus{1, false, 0, 0};
  };
  int ready = 0;
  const auto told = run_until([&](const std::string& line) {
    ready += line == "the application is ready";
    return ready == 2;
  });
  EXPECT_EQ(told[2], "the application ended with 137; again in 1 s");
}

TEST_F(SupervisorTest, AnEngineEndsWithItsApplication) {
  const std::string pids = folder_.file("pids");
  config_.application = shell(kReady + "read line < " + folder_.file("fifo"));
  config_.stall_ms = 10'000;
  config_.engine = shell("echo $$ >> " + pids + "; exec sleep 1000");
  ASSERT_EQ(::mkfifo(folder_.file("fifo").c_str(), 0600), 0);
  bool ended = false;
  config_.probe = [&]() -> std::optional<EngineStatus> {
    if (!std::exchange(ended, true)) std::ofstream(folder_.file("fifo")) << "end\n";
    return EngineStatus{1, false, 0, 0};
  };
  int engines = 0;
  const auto told = run_until([&](const std::string& line) {
    engines += line.starts_with("the engine is started");
    return engines == 2;
  });
  EXPECT_EQ(told[2], "the application ended with 0; again in 1 s");
  EXPECT_EQ(told[3], "the application is ready");
  EXPECT_TRUE(told[4].starts_with("the engine is started")) << told[4];  // nobody waited for it
  int first = 0;
  std::ifstream(pids) >> first;
  EXPECT_EQ(::kill(first, 0), -1);
}

TEST_F(SupervisorTest, AnEngineThatStandsStillIsRestarted) {
  config_.application = shell(kReady + "exec sleep 1000");
  config_.engine = shell("exec sleep 1000");
  config_.stall_ms = 100;
  bool answered = false;
  config_.on_first_answer = [&] { answered = true; };
  config_.probe = [] { return EngineStatus{7, false, 3, 10}; };
  const auto told = run_until([&](const std::string& line) {
    return line == "the height stands at 7: the engine is restarted";
  });
  EXPECT_TRUE(answered);
}

TEST_F(SupervisorTest, AnApplicationThatNeverComesUpIsAnErrorOfTheOperator) {
  config_.application = shell("exit 1");
  config_.engine = shell("exit 0");
  config_.probe = [] { return std::nullopt; };
  const auto ended = supervise(config_, clock_, interrupt_);
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().find("ended before it was ready"), std::string::npos);
}

TEST_F(SupervisorTest, BothHaveEndedWhenItIsInterrupted) {
  const std::string pids = folder_.file("pids");
  config_.application = shell(kReady + "echo $$ >> " + pids + "; exec sleep 1000");
  config_.engine = shell("echo $$ >> " + pids + "; exec sleep 1000");
  config_.probe = [] { return EngineStatus{1, false, 0, 0}; };
  config_.on_first_answer = [&] { interrupt(); };
  ASSERT_TRUE(supervise(config_, clock_, interrupt_));
  FILE* file = std::fopen(pids.c_str(), "r");
  ASSERT_TRUE(file);
  int pid = 0, count = 0;
  while (std::fscanf(file, "%d", &pid) == 1) {
    ++count;
    EXPECT_EQ(::kill(pid, 0), -1) << pid;
  }
  std::fclose(file);
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace cloister::chain::comet
