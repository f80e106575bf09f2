// A session that may be used: drawn by the ledger, its instance attested on this very connection,
// judged, and confirmed on the ledger. Only SessionOpener makes one.
#pragma once

#include "gateway/sealing_keys.h"
#include "http/client.h"
#include "ledger/types/session.h"
#include "trust/bundle.h"

namespace cloister::gateway {

struct ReadySession {
  ReadySession(http::Client http_over_atls) : http(std::move(http_over_atls)) {}

  ledger::Session record;     // as confirmed
  ledger::Instance instance;  // as proven
  http::Client http;          // inside the attested connection
  SealingKeys keys;           // that requests are sealed to, as the ledger proves them
  trust::Bundle bundle;       // everything but a receipt; already evaluated and trusted
  uint64_t last_sequence = 0;
  uint64_t used_units = 0;
  UnixMillis opened_ms = 0;

  uint64_t units_left() const { return record.max_units - std::min(record.max_units, used_units); }
};

}  // namespace cloister::gateway
