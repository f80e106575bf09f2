// SIGINT and SIGTERM as something that can be waited for.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace cloister::cli {

class Interrupt {
 public:
  Interrupt() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  }
  ~Interrupt() { close(fd_); }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  int fd() const { return fd_; }
  bool raised(int wait_ms) const {
    pollfd fd{fd_, POLLIN, 0};
    return poll(&fd, 1, wait_ms) == 1;
  }

 private:
  int fd_;
};

}  // namespace cloister::cli
