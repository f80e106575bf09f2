// Keeps the two processes of a validator running: the application, which holds the ledger, and the
// engine, which orders blocks and ends when its application does. Whatever ends is started again,
// later each time; an engine whose height stands still is restarted.
#pragma once

#include <expected>
#include <functional>

#include "chain/comet/probe.h"
#include "process/child.h"

namespace cloister::chain::comet {

struct SupervisorConfig {
  process::ChildOptions application;  // says that it is ready (process/child.h)
  process::ChildOptions engine;
  std::function<std::optional<EngineStatus>()> probe;
  int64_t stall_ms = 120'000;
  int probe_interval_ms = 1'000;
  std::function<void(const std::string& line)> tell;  // what happened, for the operator
  std::function<void()> on_first_answer;              // the engine serves
};

// Until `interrupt_fd` becomes readable; both processes have ended then, the engine first. The
// error says why the application could not be started at all: that is the operator's to mend.
std::expected<void, std::string> supervise(const SupervisorConfig& config, const Clock& clock,
                                           int interrupt_fd);

}  // namespace cloister::chain::comet
