#include "gateway/sealing_keys.h"

#include <algorithm>
#include <ranges>

#include "crypto/hash.h"

namespace cloister::gateway {

std::optional<SealingKeys> choose_keys(const ledger::KeySet& published, UnixMillis now_ms) {
  const auto begun = static_cast<uint64_t>(now_ms + kClockSkewMs);
  const auto needed = static_cast<uint64_t>(now_ms + kKeysNeededMs);
  for (const ledger::KeyConfig& keys : std::views::reverse(published.epochs)) {
    if (keys.valid_from_ms > begun || keys.valid_until_ms < needed) continue;
    auto config = sealed::decode_key_config(keys.config);
    if (!config) return std::nullopt;
    return SealingKeys{std::move(*config), crypto::sha256(keys.config)};
  }
  return std::nullopt;
}

}  // namespace cloister::gateway
