#include "channel/sealed/key_config.h"

namespace cloister::sealed {
namespace {

using crypto::KemKind;

constexpr size_t kAlgorithmsBytes = 4;

void write_one(ByteWriter& out, KemKind kem, uint8_t id, Bytes key) {
  out.u16_be(static_cast<uint16_t>(1 + 2 + key.size() + 2 + kAlgorithmsBytes));
  out.u8(id).u16_be(static_cast<uint16_t>(kem)).bytes(key).u16_be(kAlgorithmsBytes);
  out.u16_be(crypto::kHpkeKdfSha256).u16_be(static_cast<uint16_t>(kAead));
}

struct OneKey {
  uint8_t id = 0;
  Buffer key;
};

std::optional<OneKey> read_one(ByteReader& r, KemKind kem) {
  const size_t key_size = crypto::kem_public_size(kem);
  if (r.u16_be() != 1 + 2 + key_size + 2 + kAlgorithmsBytes) return std::nullopt;
  const auto id = r.u8();
  const auto kind = r.u16_be();
  const auto key = r.take(key_size);
  if (!key || *kind != static_cast<uint16_t>(kem)) return std::nullopt;
  const bool ours = r.u16_be() == kAlgorithmsBytes && r.u16_be() == crypto::kHpkeKdfSha256 &&
                    r.u16_be() == static_cast<uint16_t>(kAead);
  if (!ours) return std::nullopt;
  return OneKey{*id, to_buffer(*key)};
}

}  // namespace

Buffer encode_key_config(const KeyConfig& config) {
  ByteWriter out;
  write_one(out, KemKind::x_wing, config.x_wing_id, config.x_wing);
  write_one(out, KemKind::x25519, config.x25519_id, config.x25519);
  return out.take();
}

Result<KeyConfig> decode_key_config(Bytes encoded) {
  ByteReader r(encoded);
  auto x_wing = read_one(r, KemKind::x_wing);
  auto x25519 = x_wing ? read_one(r, KemKind::x25519) : std::nullopt;
  if (!x25519 || !r.done() || x_wing->id == x25519->id) {
    return std::unexpected(SealedError::key_config_malformed);
  }
  return KeyConfig{x_wing->id, std::move(x_wing->key), x25519->id, std::move(x25519->key)};
}

}  // namespace cloister::sealed
