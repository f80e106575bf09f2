// Values of each record with every member filled, for tests of this folder and of those above.
#pragma once

#include "ledger/types/beacon.h"
#include "ledger/types/genesis.h"
#include "ledger/types/session.h"

namespace cloister::ledger {

Hash32 hash_of(std::string_view text);  // SHA-256
// The key whose seed is hash_of(text): made once, or for who keeps it.
const crypto::Ed25519Key& key_of(std::string_view text);
crypto::Ed25519Key make_key(std::string_view text);

Instance sample_instance();
Session sample_session();

// A valid development network of `validators` with keys key_of("validator 1"), …, dealt from a
// seed, and one model named "model".
struct SampleNetwork {
  Genesis genesis;
  std::vector<BeaconSecret> secrets;     // by validator
  std::vector<crypto::Ed25519Key> keys;  // by validator
};
SampleNetwork sample_network(size_t validators);

}  // namespace cloister::ledger
