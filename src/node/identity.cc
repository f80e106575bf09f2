#include "node/identity.h"

#include "crypto/hash.h"

namespace cloister::node {

Identity make_identity(Random& random, UnixSeconds now) {
  auto leaf = atls::make_leaf(random, now);
  auto spki_sha256 = leaf.certificate.spki_sha256();
  return {crypto::Ed25519Key::generate(random), std::move(leaf), spki_sha256, random.fixed<32>(),
          Secret<32>(random.fixed<32>())};
}

ledger::Claims claims_of(const Identity& identity, const Hash32& first_key_config,
                         const Measured& measured, const ledger::ModelRoot& model) {
  ledger::Claims claims;
  claims.instance_id = identity.instance_id();
  claims.spki_sha256 = identity.spki_sha256;
  claims.key_config_sha256 = first_key_config;
  claims.image_digest = crypto::sha256(measured.image);
  claims.config_digest = measured.config;
  claims.boot_id = identity.boot_id;
  claims.models = {model};
  return claims;
}

}  // namespace cloister::node
