// The keys of an instance: made inside the TEE at start, never written, never imported. A restart
// makes new ones, and with them a new instance.
#pragma once

#include "channel/atls/leaf.h"
#include "ledger/types/binding.h"
#include "node/tee.h"

namespace cloister::node {

struct Identity {
  crypto::Ed25519Key identity;  // signs registrations and receipts
  atls::Leaf leaf;              // of TLS
  Hash32 spki_sha256{};
  Hash32 boot_id{};
  Secret<32> sampling_secret;  // the node's share of every seed

  ledger::InstanceId instance_id() const { return ledger::instance_id_of(identity.public_key()); }
};

Identity make_identity(Random& random, UnixSeconds now);

// What the evidence of this instance commits to. `first_key_config` is the hash of the key
// configuration that the first epoch of sealed messages publishes.
ledger::Claims claims_of(const Identity& identity, const Hash32& first_key_config,
                         const Measured& measured, const ledger::ModelRoot& model);

}  // namespace cloister::node
