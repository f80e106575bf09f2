// The private keys of an instance for sealed messages, by epoch, and what was opened with each. Two
// epochs live at once, so that a request made just before a change still opens; an older one is
// wiped, and with it everything that was ever sealed to it becomes unreadable for good.
#pragma once

#include <deque>
#include <set>

#include "base/seams.h"
#include "channel/sealed/key_config.h"

namespace cloister::sealed {

constexpr int64_t kEpochLifeMs = 60 * 60 * 1000;
constexpr size_t kMaxLiveEpochs = 2;
constexpr size_t kMaxRemembered = size_t{1} << 20;  // messages an epoch; 80 bytes or so each

// SHA-256 of what each message had encapsulated. Ordered: senders choose what goes in, and could
// make a table of hashes slow.
using OpenedSet = std::set<Hash32>;

struct KeyEpoch {
  uint64_t number = 0;
  UnixMillis valid_from_ms = 0;
  UnixMillis valid_until_ms = 0;
  Buffer config;  // encoded; what is published
  Hash32 config_sha256{};
};

class KeyEpochs {
 public:
  explicit KeyEpochs(Hash32 instance) : instance_(instance) {}

  // Makes the keys of the next epoch, valid from now on for kEpochLifeMs, and wipes those of the
  // oldest when there are more than kMaxLiveEpochs.
  const KeyEpoch& begin(Random& random, UnixMillis now_ms);
  // Wipes what has expired.
  void expire(UnixMillis now_ms);
  const KeyEpoch* newest() const;
  const Hash32& instance() const { return instance_; }

  // One live private key.
  struct Found {
    const KeyEpoch& epoch;
    const crypto::KemKey& key;
    OpenedSet& opened;
  };
  std::optional<Found> find(uint8_t key_id, UnixMillis now_ms);

 private:
  struct Entry {
    KeyEpoch epoch;
    crypto::KemKey x_wing, x25519;
    OpenedSet opened;
  };
  const Hash32 instance_;
  std::deque<Entry> epochs_;  // ascending
  uint64_t last_ = 0;
};

}  // namespace cloister::sealed
