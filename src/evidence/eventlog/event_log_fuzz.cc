// A log that parses has its events within their bounds and replays to registers of the bank's size.
#include <cstdlib>

#include "evidence/eventlog/event_log.h"

using namespace cloister;
using namespace cloister::evidence::eventlog;

namespace {

void check(const cloister::evidence::Result<EventLog>& log) {
  if (!log) return;
  if (log->events.size() > kMaxEvents) abort();
  for (const auto& [index, value] : replay(*log)) {
    if (value.size() != cloister::crypto::size_bytes(log->bank)) abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  check(parse_dstack(bytes));
  check(parse_tcg2(bytes, cloister::crypto::HashKind::sha256));
  check(parse_tcg2(bytes, cloister::crypto::HashKind::sha384));
  return 0;
}
