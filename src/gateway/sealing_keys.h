// Which of an instance's published key epochs a session may seal to.
#pragma once

#include "base/seams.h"
#include "channel/sealed/key_config.h"
#include "ledger/types/instance.h"

namespace cloister::gateway {

// A session lives ten minutes at most, and its last request must still open.
constexpr UnixMillis kKeysNeededMs = 15 * 60 * 1000;
constexpr UnixMillis kClockSkewMs = 60 * 1000;

struct SealingKeys {
  sealed::KeyConfig config;
  Hash32 config_sha256{};
};

// The newest epoch that is valid now and long enough; nothing when there is none, or when it is not
// a key configuration as channel/sealed writes it.
std::optional<SealingKeys> choose_keys(const ledger::KeySet& published, UnixMillis now_ms);

}  // namespace cloister::gateway
