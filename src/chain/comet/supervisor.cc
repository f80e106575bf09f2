#include "chain/comet/supervisor.h"

#include <fmt/format.h>
#include <poll.h>

#include <array>

#include "chain/comet/restart.h"

namespace cloister::chain::comet {
namespace {

constexpr int kApplicationPatienceMs = 600'000;  // a large state is read and its root is checked

// One process: running, or due to be started at a time.
struct Ward {
  const char* name;
  const process::ChildOptions& options;
  std::optional<process::Child> child;
  Backoff backoff;
  UnixMillis due_ms = 0;
};

class Supervisor {
 public:
  Supervisor(const SupervisorConfig& config, const Clock& clock, int interrupt_fd)
      : config_(config),
        clock_(clock),
        interrupt_fd_(interrupt_fd),
        application_{"application", config.application, {}, {}, 0},
        engine_{"engine", config.engine, {}, {}, 0},
        stall_(config.stall_ms) {}

  std::expected<void, std::string> run() {
    if (auto began = start_application(); !began) {
      return interrupted_ ? std::expected<void, std::string>() : began;
    }
    while (!interrupted_) {
      if (!application_.child && now() >= application_.due_ms) (void)start_application();
      if (application_.child && !engine_.child && now() >= engine_.due_ms) start_engine();
      wait();
      bury(engine_);
      if (bury(application_)) stop_engine();
      if (engine_.child) watch_engine();
    }
    if (engine_.child) engine_.child->stop();
    if (application_.child) application_.child->stop();
    return {};
  }

 private:
  UnixMillis now() const { return clock_.now_ms(); }
  void tell(const std::string& line) const {
    if (config_.tell) config_.tell(line);
  }

  std::expected<void, std::string> start_application() {
    auto started = process::Child::start(application_.options);
    if (!started) return std::unexpected(std::string(describe(started.error())));
    application_.backoff.started(now());
    auto ready = started->wait_ready(kApplicationPatienceMs, interrupt_fd_);
    if (ready) {
      application_.child.emplace(std::move(*started));
      tell("the application is ready");
      return {};
    }
    interrupted_ = ready.error() == process::ChildError::interrupted;
    if (!interrupted_) schedule(application_, "did not come up");
    return std::unexpected(fmt::format("the application: {}", describe(ready.error())));
  }

  void start_engine() {
    auto started = process::Child::start(engine_.options);
    if (!started) return schedule(engine_, "cannot be started");
    engine_.backoff.started(now());
    stall_.begin(now());
    engine_.child.emplace(std::move(*started));
    tell(fmt::format("the engine is started, process {}", engine_.child->pid()));
  }

  // Until something ends, somebody interrupts, or it is time to look again.
  void wait() {
    std::array<pollfd, 3> fds{};
    fds[0] = {interrupt_fd_, POLLIN, 0};
    fds[1] = {application_.child ? application_.child->end_fd() : -1, POLLIN, 0};
    fds[2] = {engine_.child ? engine_.child->end_fd() : -1, POLLIN, 0};
    if (poll(fds.data(), fds.size(), config_.probe_interval_ms) > 0 && fds[0].revents != 0) {
      interrupted_ = true;
    }
  }

  bool bury(Ward& ward) {
    const auto code = ward.child ? ward.child->exit_code() : std::nullopt;
    if (!code) return false;
    ward.child.reset();
    schedule(ward, fmt::format("ended with {}", *code));
    return true;
  }

  // It never asks for another application than its first, and may wait for that one for ever.
  void stop_engine() {
    if (engine_.child) engine_.child->stop();
    engine_.child.reset();
    engine_.due_ms = now();
  }

  void schedule(Ward& ward, const std::string& why) {
    const int64_t delay_ms = ward.backoff.ended(now());
    ward.due_ms = now() + delay_ms;
    tell(fmt::format("the {} {}; again in {} s", ward.name, why, delay_ms / 1000));
  }

  void watch_engine() {
    const auto status = config_.probe();
    if (status && !answered_) {
      answered_ = true;
      if (config_.on_first_answer) config_.on_first_answer();
    }
    if (!stall_.stalled(now(), status ? std::optional(status->height) : std::nullopt)) return;
    tell(fmt::format("the height stands at {}: the engine is restarted", stall_.height()));
    stop_engine();
  }

  const SupervisorConfig& config_;
  const Clock& clock_;
  const int interrupt_fd_;
  Ward application_, engine_;
  StallWatch stall_;
  bool interrupted_ = false, answered_ = false;
};

}  // namespace

std::expected<void, std::string> supervise(const SupervisorConfig& config, const Clock& clock,
                                           int interrupt_fd) {
  return Supervisor(config, clock, interrupt_fd).run();
}

}  // namespace cloister::chain::comet
