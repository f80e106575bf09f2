#include "channel/sealed/key_epochs.h"

#include "crypto/hash.h"

namespace cloister::sealed {

using crypto::KemKey;
using crypto::KemKind;

const KeyEpoch& KeyEpochs::begin(Random& random, UnixMillis now_ms) {
  auto x_wing = KemKey::generate(KemKind::x_wing, random);
  auto x25519 = KemKey::generate(KemKind::x25519, random);
  KeyEpoch epoch;
  epoch.number = ++last_;
  epoch.valid_from_ms = now_ms;
  epoch.valid_until_ms = now_ms + kEpochLifeMs;
  epoch.config =
      encode_key_config({key_id_of(epoch.number, KemKind::x_wing), to_buffer(x_wing.public_key()),
                         key_id_of(epoch.number, KemKind::x25519), to_buffer(x25519.public_key())});
  epoch.config_sha256 = crypto::sha256(epoch.config);
  epochs_.push_back({std::move(epoch), std::move(x_wing), std::move(x25519), {}});
  while (epochs_.size() > kMaxLiveEpochs) epochs_.pop_front();
  return epochs_.back().epoch;
}

void KeyEpochs::expire(UnixMillis now_ms) {
  std::erase_if(epochs_, [&](const Entry& e) { return e.epoch.valid_until_ms <= now_ms; });
}

const KeyEpoch* KeyEpochs::newest() const {
  return epochs_.empty() ? nullptr : &epochs_.back().epoch;
}

std::optional<KeyEpochs::Found> KeyEpochs::find(uint8_t key_id, UnixMillis now_ms) {
  for (Entry& e : epochs_) {
    if (e.epoch.valid_until_ms <= now_ms) continue;
    for (const KemKey* key : {&e.x_wing, &e.x25519}) {
      if (key_id_of(e.epoch.number, key->kind()) == key_id) return Found{e.epoch, *key, e.opened};
    }
  }
  return std::nullopt;
}

}  // namespace cloister::sealed
