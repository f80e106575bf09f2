#include <sodium.h>

#include <cstring>

#include "crypto/openssl.h"
#include "crypto/signature.h"

namespace cloister::crypto {

Ed25519Key Ed25519Key::generate(Random& random) {
  Secret<32> seed;
  random.fill(seed.reveal_mutable());
  return from_seed(seed);
}

Ed25519Key Ed25519Key::from_seed(const Secret<32>& seed) {
  Ed25519Key key;
  require(crypto_sign_seed_keypair(key.public_.data(), key.secret_.reveal_mutable().data(),
                                   seed.reveal().data()) == 0);
  return key;
}

Secret<32> Ed25519Key::seed() const {
  Secret<32> out;
  std::memcpy(out.reveal_mutable().data(), secret_.reveal().data(), 32);
  return out;
}

Ed25519Signature Ed25519Key::sign(Bytes message) const {
  Ed25519Signature out;
  require(crypto_sign_detached(out.data(), nullptr, message.data(), message.size(),
                               secret_.reveal().data()) == 0);
  return out;
}

bool verify_ed25519(const Ed25519Public& key, Bytes message, const Ed25519Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

}  // namespace cloister::crypto
