#include "process/child.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace cloister::process {
namespace {

std::expected<Child, ChildError> shell(const char* script) {
  ChildOptions options;
  options.argv = {"/bin/sh", "-c", script};
  return Child::start(options);
}

TEST(Child, SaysReadyAndStopsOnRequest) {
  auto child = shell("echo port 42 >&$CLOISTER_READY_FD; exec sleep 1000");
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait_ready(5000), "port 42");
  EXPECT_FALSE(child->exit_code());
  EXPECT_EQ(child->stop(), 128 + SIGTERM);
}

TEST(Child, AnEarlyEndIsNotReady) {
  auto child = shell("exit 3");
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait_ready(5000).error(), ChildError::ended_early);
  EXPECT_EQ(child->stop(), 3);
}

TEST(Child, SilenceMeetsTheDeadline) {
  auto child = shell("exec sleep 1000");
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait_ready(20).error(), ChildError::not_ready);
}

TEST(Child, DestructionLeavesNoProcess) {
  pid_t pid = 0;
  {
    auto child = shell("echo >&$CLOISTER_READY_FD; exec sleep 1000");
    ASSERT_TRUE(child);
    ASSERT_TRUE(child->wait_ready(5000));
    pid = child->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Child, AMissingProgramEndsEarly) {
  ChildOptions options;
  options.argv = {"/nonexistent/program"};
  auto child = Child::start(options);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait_ready(5000).error(), ChildError::ended_early);
  EXPECT_EQ(child->stop(), 127);
}

}  // namespace
}  // namespace cloister::process
