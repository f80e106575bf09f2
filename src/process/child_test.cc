#include "process/child.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/temporary_folder_testing.h"

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

TEST(Child, WhatItRunsWithIsWhatWasAskedFor) {
  const TemporaryFolder folder;
  ChildOptions options;
  options.argv = {"/bin/sh", "-c", "pwd; echo $COLOUR; echo to stderr >&2"};
  options.folder = folder.path().string();
  options.environment = {"COLOUR=green"};
  options.stdout_file = folder.file("out");
  options.stderr_file = folder.file("err");
  auto child = Child::start(options);
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait_ready(5000).error(), ChildError::ended_early);
  EXPECT_EQ(child->stop(), 0);
  EXPECT_EQ(as_text(*read_file(options.stdout_file, 1000)), options.folder + "\ngreen\n");
  EXPECT_EQ(as_text(*read_file(options.stderr_file, 1000)), "to stderr\n");
}

// A program that is deaf to SIGTERM, such as one that waits for somebody who is gone.
TEST(Child, AnOrphanGetsTheSignalThatItsParentChose) {
  const TemporaryFolder folder;
  int lines[2];
  ASSERT_EQ(pipe(lines), 0);
  const pid_t parent = fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    ChildOptions options;
    options.argv = {"/bin/sh", "-c",
                    "trap '' TERM; echo $$ > pid; echo >&$CLOISTER_READY_FD; "
                    "while :; do read line < fifo; done"};
    options.folder = folder.path().string();
    options.orphaned_signal = SIGKILL;
    const bool made = mkfifo(folder.file("fifo").c_str(), 0600) == 0;
    auto child = Child::start(options);
    if (!made || !child || !child->wait_ready(5000)) _exit(1);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_TRUE(WIFSIGNALED(status));
  // The grandchild holds the pipe's other end: it is closed by its death only.
  close(lines[1]);
  pollfd fd{lines[0], POLLIN, 0};
  const bool ended = poll(&fd, 1, 5000) == 1;
  const auto pid = read_file(folder.file("pid"), 20);
  if (!ended && pid) kill(std::stoi(std::string(as_text(*pid))), SIGKILL);
  ASSERT_TRUE(ended);
  char c = 0;
  EXPECT_EQ(read(lines[0], &c, 1), 0);
  close(lines[0]);
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
