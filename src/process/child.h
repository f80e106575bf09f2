// Child processes of `cloister up` and of tests: started with a pipe on which they say that they
// are ready, never outliving their parent, and ended in order.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "base/seams.h"

namespace cloister::process {

enum class ChildError {
  cannot_start,  // fork, pipe or exec failed
  ended_early,   // the child ended before it said that it was ready
  not_ready,     // the deadline passed
  interrupted,   // a stop was asked for meanwhile
};
std::string_view describe(ChildError error);

struct ChildOptions {
  std::vector<std::string> argv;         // argv[0] is the program's path
  std::string stderr_file;               // appended to; empty: inherited
  std::string stdout_file;               // likewise
  std::string folder;                    // where it runs; empty: here
  std::vector<std::string> environment;  // NAME=VALUE, besides what this process has
  int orphaned_signal = SIGTERM;         // what it gets when this process dies, however it dies
};

// Owns one child. Destruction ends it: SIGTERM, then SIGKILL after `kGraceMs`.
class Child {
 public:
  static constexpr int kGraceMs = 10'000;

  // The child finds its end of the ready pipe in the environment variable CLOISTER_READY_FD.
  static std::expected<Child, ChildError> start(const ChildOptions& options);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  // Waits for the one line that the child writes when it serves; returns it without the line's end.
  // `interrupt_fd`: becomes readable when waiting should stop; -1 for none.
  std::expected<std::string, ChildError> wait_ready(int timeout_ms, int interrupt_fd = -1);

  pid_t pid() const { return pid_; }
  int end_fd() const { return pid_fd_; }  // becomes readable when the child ends
  // Set once the child has ended; reaps it. The shell's convention: 128 + signal.
  std::optional<int> exit_code();
  void ask_to_stop();  // SIGTERM
  int stop();          // SIGTERM, wait, SIGKILL; returns the exit code

 private:
  Child(pid_t pid, int pid_fd, int ready_fd) : pid_(pid), pid_fd_(pid_fd), ready_fd_(ready_fd) {}
  bool wait_end(int timeout_ms);
  void release();

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int ready_fd_ = -1;
  std::optional<int> exit_code_;
};

// For the child: writes `line` to the ready pipe when there is one, and closes it.
void announce_ready(std::string_view line);

}  // namespace cloister::process
