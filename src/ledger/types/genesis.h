// What a network starts from. Its hash is what clients pin.
#pragma once

#include <expected>

#include "crypto/signature.h"
#include "ledger/types/enums.h"
#include "ledger/types/params.h"

namespace cloister::ledger {

struct GenesisAccount : Record<GenesisAccount> {
  AccountId account{};
  uint64_t balance_micro = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "account", r.account);
    v(2, "balance_micro", r.balance_micro);
  }
  bool operator==(const GenesisAccount&) const = default;
};

struct Validator : Record<Validator> {
  crypto::Ed25519Public public_key{};
  uint64_t power = 0;
  // Whose stake of Params::validator_stake_micro backs it, which the genesis makes; none where one
  // sequencer orders blocks.
  std::optional<AccountId> operator_account;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "public_key", r.public_key);
    v(2, "power", r.power);
    v(3, "operator_account", r.operator_account);
  }
  bool operator==(const Validator&) const = default;
};

// Public side of the beacon: validator i (from 1, in the order of Genesis::validators) holds the
// share behind public_keys[i - 1].
struct BeaconKeys : Record<BeaconKeys> {
  BeaconSetup setup = BeaconSetup::dealer;
  uint64_t epoch = 1;
  uint16_t threshold = 1;
  std::vector<Hash32> public_keys;  // ristretto255

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "setup", r.setup);
    v(2, "epoch", r.epoch);
    v(3, "threshold", r.threshold);
    v(4, "public_keys", r.public_keys, kMaxValidators);
  }
  bool operator==(const BeaconKeys&) const = default;
};

struct Genesis : Record<Genesis> {
  std::string chain_id;
  uint64_t time_ms = 0;
  bool embedded = false;     // one local sequencer, not validators; clients show it as development
  bool development = false;  // simulated platforms may be admitted; clients say so everywhere
  std::vector<Hash32>
      development_intel;  // SHA-256 of SubjectPublicKeyInfo; only with `development`
  std::vector<Hash32> development_amd;
  std::vector<Hash32> development_nvidia;
  Params params;
  std::vector<GenesisAccount> accounts;  // ascending
  std::vector<Model> models;             // ascending by root, names unique
  NetworkPolicy policy;
  std::vector<Validator> validators;  // ascending by key, equal power
  BeaconKeys beacon;
  std::vector<AccountId> release_keys;  // ascending; who decides on releases
  uint32_t release_threshold = 0;       // how many must agree; 0 only without keys

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "chain_id", r.chain_id, kMaxChainIdBytes);
    v(2, "time_ms", r.time_ms);
    v(3, "embedded", r.embedded);
    v(4, "development", r.development);
    v(5, "development_intel", r.development_intel, kMaxAnchors);
    v(6, "development_amd", r.development_amd, kMaxAnchors);
    v(7, "params", r.params);
    v(8, "accounts", r.accounts, kMaxGenesisAccounts);
    v(9, "models", r.models, kMaxGenesisModels);
    v(10, "policy", r.policy);
    v(11, "validators", r.validators, kMaxValidators);
    v(12, "beacon", r.beacon);
    v(13, "release_keys", r.release_keys, kMaxReleaseKeys);
    v(14, "release_threshold", r.release_threshold);
    v(15, "development_nvidia", r.development_nvidia, kMaxAnchors);
  }
  bool operator==(const Genesis&) const = default;

  Hash32 hash() const;  // SHA-256("cloister genesis v1" ‖ 00 ‖ CBOR)
};

enum class GenesisError : uint8_t {
  not_json = 1,
  wrong_shape = 2,  // members missing, unknown or out of bounds
  chain_id = 3,     // empty
  params = 4,
  accounts = 5,     // not ascending, a reserved account, or a total above 64 bits
  models = 6,       // not ascending, names repeated, a share without an owner
  validators = 7,   // none, not ascending, of unequal power, or not each of an operator of its own
  beacon = 8,       // not one valid key a validator, or a threshold other than floor((n-1)/3)+1
  development = 9,  // development anchors or policy without the development mark
  release_keys = 10,  // not ascending, or a threshold outside 1..n
  policy = 11,        // it does not survive being taken apart into layers and merged again
};
std::string_view describe(GenesisError error);

// Rules that bind the members together. `genesis_from_json` and `State` apply them.
std::expected<void, GenesisError> check(const Genesis& genesis);

std::expected<Genesis, GenesisError> genesis_from_json(std::string_view text);

}  // namespace cloister::ledger
