// The key encapsulation mechanisms of HPKE that Cloister uses: DHKEM(X25519, HKDF-SHA256)
// (RFC 9180, 4.1) and X-Wing (draft-connolly-cfrg-xwing-kem), which stays secret as long as either
// X25519 or ML-KEM-768 holds.
#pragma once

#include <memory>
#include <optional>

#include "base/seams.h"
#include "base/secret.h"

namespace cloister::crypto {

// The registry's numbers.
enum class KemKind : uint16_t { x25519 = 0x0020, x_wing = 0x647a };
constexpr size_t kem_public_size(KemKind kind) {
  return kind == KemKind::x25519 ? 32 : 1216;
}
constexpr size_t kem_encapsulated_size(KemKind kind) {
  return kind == KemKind::x25519 ? 32 : 1120;
}

struct Encapsulated {
  Buffer encapsulated;  // travels: `enc`
  Secret<32> shared;
};

// A fresh secret for the owner of `public_key`. Nothing when the key has another size or is one
// that the mechanism refuses: a point of small order, a coefficient of ML-KEM that is not reduced.
std::optional<Encapsulated> encapsulate(KemKind kind, Bytes public_key, Random& random);

class KemKey {
 public:
  static KemKey generate(KemKind kind, Random& random);
  // X25519's scalar, or X-Wing's seed.
  static KemKey from_secret(KemKind kind, const Secret<32>& secret);
  ~KemKey();
  KemKey(KemKey&&) noexcept;
  KemKey& operator=(KemKey&&) noexcept;

  KemKind kind() const { return kind_; }
  Bytes public_key() const { return public_; }
  // Nothing when `encapsulated` has another size or its point is of small order. A wrong one of the
  // right shape gives a secret that nobody else knows: only the first AEAD tag tells.
  std::optional<Secret<32>> decapsulate(Bytes encapsulated) const;

 private:
  struct Parts;
  KemKey(KemKind kind, std::unique_ptr<Parts> parts);

  KemKind kind_;
  std::unique_ptr<Parts> parts_;
  Buffer public_;
};

}  // namespace cloister::crypto
