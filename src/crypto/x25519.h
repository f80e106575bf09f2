// X25519 (RFC 7748) over OpenSSL.
#pragma once

#include <memory>
#include <optional>

#include "base/seams.h"
#include "base/secret.h"

namespace cloister::crypto {

using X25519Public = Fixed<32>;

class X25519Key {
 public:
  static X25519Key generate(Random& random);
  // Any 32 bytes are a key: the function clamps them.
  explicit X25519Key(const Secret<32>& secret);
  ~X25519Key();
  X25519Key(X25519Key&&) noexcept;
  X25519Key& operator=(X25519Key&&) noexcept;

  const X25519Public& public_key() const { return public_; }
  // The shared secret; nothing when it is all zeros, as it is for a peer's key of small order
  // (RFC 7748, 6.1): such a peer chose the secret alone.
  std::optional<Secret<32>> agree(const X25519Public& peer) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  X25519Public public_{};
};

}  // namespace cloister::crypto
