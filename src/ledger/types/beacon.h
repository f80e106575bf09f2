// The network's randomness: a threshold coin on ristretto255 (Cachin, Kursawe, Shoup;
// 41-consensus, 10.1). Any `threshold` validators make the value of a height, nobody can bias it,
// and fewer learn nothing before it is public. Its message is (chain id, key epoch, height) and
// nothing else: neither a round nor a block hash, or whoever fails a round could roll again.
#pragma once

#include "base/seams.h"
#include "ledger/types/genesis.h"

namespace cloister::ledger {

constexpr std::string_view kBeaconSharesTag = "cloister beacon shares v1";

struct BeaconShare : Record<BeaconShare> {
  uint16_t index = 0;  // of the validator, from 1
  Hash32 point{};      // S_i = x_i P
  Hash32 challenge{};  // of the proof that S_i and X_i hide the same x_i
  Hash32 response{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "index", r.index);
    v(2, "point", r.point);
    v(3, "challenge", r.challenge);
    v(4, "response", r.response);
  }
  bool operator==(const BeaconShare&) const = default;
};

// What the ledger keeps of one height.
struct Beacon : Record<Beacon> {
  uint64_t height = 0;
  std::vector<BeaconShare> shares;  // ascending by index, verified; at most `threshold`
  std::optional<Hash32> value;      // set once there are enough

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "height", r.height);
    v(2, "shares", r.shares, kMaxValidators);
    v(3, "value", r.value);
  }
  bool operator==(const Beacon&) const = default;
};

struct HeightShare : Record<HeightShare> {
  uint64_t height = 0;
  BeaconShare share;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "height", r.height);
    v(2, "share", r.share);
  }
  bool operator==(const HeightShare&) const = default;
};

// Shares that a proposer puts in front of a block, as its first transaction. Nobody signs them:
// each proves itself. Whoever keeps some back delays a value and cannot choose it.
struct BeaconShares : Record<BeaconShares> {
  std::string tag{kBeaconSharesTag};
  std::vector<HeightShare> entries;  // ascending by height and index

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "tag", r.tag, kBeaconSharesTag.size());
    v(2, "entries", r.entries, kMaxBeaconShares);
  }
  bool operator==(const BeaconShares&) const = default;
};
// Nothing when the bytes are anything else, such as a transaction.
std::optional<BeaconShares> read_beacon_shares(Bytes tx);

struct BeaconSecret {
  uint16_t index = 0;
  Secret<32> scalar;
};

// floor((n - 1) / 3) + 1
uint16_t beacon_threshold(size_t validators);

// The dealer's set-up: development and tests. Whoever calls this could predict every value; the
// secrets are handed out and nothing else is kept.
struct Dealt {
  BeaconKeys keys;
  std::vector<BeaconSecret> secrets;  // one a validator
};
Dealt deal_beacon(size_t validators, Random& random);

// Whether it is the secret behind the public key of its index.
bool is_beacon_secret(const Genesis& genesis, const BeaconSecret& secret);

bool valid_beacon_key(const Hash32& public_key);  // a point other than the identity

BeaconShare make_beacon_share(std::string_view chain_id, uint64_t epoch, uint64_t height,
                              const BeaconSecret& secret);

// Whether the share proves itself against the public key of its index.
bool verify_beacon_share(std::string_view chain_id, const BeaconKeys& keys, uint64_t height,
                         const BeaconShare& share);

// The height's value out of the first `threshold` of `shares`, which must be verified, of different
// indices. Nothing when there are too few.
std::optional<Hash32> combine_beacon(std::string_view chain_id, const BeaconKeys& keys,
                                     uint64_t height, std::span<const BeaconShare> shares);

// Whether the value is the one that the threshold of its shares makes, each of which proves itself:
// then nobody chose it, not even whoever keeps the ledger.
bool verify_beacon(std::string_view chain_id, const BeaconKeys& keys, const Beacon& beacon);

}  // namespace cloister::ledger
