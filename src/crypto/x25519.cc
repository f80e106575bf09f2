#include "crypto/x25519.h"

#include "crypto/openssl.h"

namespace cloister::crypto {

struct X25519Key::Impl {
  Owned<EVP_PKEY> key;
};

X25519Key X25519Key::generate(Random& random) {
  return X25519Key(Secret<32>(random.fixed<32>()));
}

X25519Key::X25519Key(const Secret<32>& secret) : impl_(std::make_unique<Impl>()) {
  impl_->key.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.reveal().data(), 32));
  size_t size = public_.size();
  require(impl_->key != nullptr &&
          EVP_PKEY_get_raw_public_key(impl_->key.get(), public_.data(), &size) == 1);
}

X25519Key::~X25519Key() = default;
X25519Key::X25519Key(X25519Key&&) noexcept = default;
X25519Key& X25519Key::operator=(X25519Key&&) noexcept = default;

std::optional<Secret<32>> X25519Key::agree(const X25519Public& peer) const {
  const ClearErrors clear;
  Owned<EVP_PKEY> other{EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), 32)};
  Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new(impl_->key.get(), nullptr)};
  require(other != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
          EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1);
  Secret<32> shared;
  size_t size = 32;
  const bool made = EVP_PKEY_derive(context.get(), shared.reveal_mutable().data(), &size) == 1;
  if (!made || size != 32 || equal_constant_time(shared.reveal(), Fixed<32>{})) return std::nullopt;
  return shared;
}

}  // namespace cloister::crypto
