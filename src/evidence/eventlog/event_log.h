// Logs of measured events, which explain what the registers of evidence hold: each event says what
// was measured, and extending the digests in order must give the register's value. A log is as
// good as the registers that it is compared with: those come from VerifiedEvidence.
#pragma once

#include <map>

#include "crypto/hash.h"
#include "evidence/common/fault.h"

namespace cloister::evidence::eventlog {

constexpr size_t kMaxLogBytes = 1 << 20;
constexpr size_t kMaxEvents = 4096;
constexpr size_t kMaxEventBytes = 64 * 1024;

struct Event {
  // PCR; in a TDX guest's CC log 1 to 4 for RTMR 0 to 3; in a dstack log 0 to 3 for RTMR 0 to 3.
  uint32_t register_index = 0;
  uint32_t type = 0;
  std::string name;  // dstack's events have one
  Buffer digest;
  Buffer data;
  // The digest is that of `data` (for dstack's own events, of type, name and data together). When
  // false the log's word about what was measured is not proven, only that this digest was.
  bool proven = false;
};

struct EventLog {
  crypto::HashKind bank{};
  std::vector<Event> events;     // those that extend a register
  uint8_t startup_locality = 0;  // the last byte of PCR 0 before its first event
};

// A TCG_PCR_EVENT2 log of any spec version 2 header (TCG PC Client Platform Firmware
// Profile, 10.2), also as a TDX guest's CCEL table points at it. `malformed`: another shape, past a
// limit, bytes after the end other than the table's filling of FF or 00. `unsupported`: the log has
// no digests of `bank`. `measurement_mismatch`: an event of a type whose digest is by definition
// that of its data, and is not.
Result<EventLog> parse_tcg2(Bytes log, crypto::HashKind bank);

// dstack's JSON log of a TDX guest: an array of {imr, event_type, digest, event, event_payload},
// SHA-384. Refuses as parse_tcg2 does.
Result<EventLog> parse_dstack(Bytes json);

// What the registers hold after all events, from zeros (PCRs 17 to 22: from ones).
std::map<uint32_t, Buffer> replay(const EventLog& log);

// Every register that the log extends is among `registers` and holds what the replay gives; else
// `measurement_mismatch`.
Result<std::monostate> check_replay(const EventLog& log,
                                    const std::map<uint32_t, Buffer>& registers);

}  // namespace cloister::evidence::eventlog
