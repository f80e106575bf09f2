// Which instance a request gets: a public rule that anyone can compute again (41-consensus, 10.4).
//
// Instances that differ in nothing that a request may ask for, but their exact price, share a pool.
// A pool is a sum tree over their weights, in the order of ids. A request draws from all pools that
// suit it, as if they were one list ascending by id, without replacement, until an instance fits:
// its price is within the cap and the user has not reported it.
#pragma once

#include <tuple>

#include "ledger/types/session.h"
#include "merkle/sum.h"

namespace cloister::ledger {

struct PoolKey : Record<PoolKey> {
  ModelRoot model_root{};
  uint16_t formats = 0;      // bit f: a platform of evidence format f
  uint16_t statuses = 0;     // bit s: a platform of TCB status s
  uint8_t price_octave = 0;  // bits that the price needs

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "model_root", r.model_root);
    v(2, "formats", r.formats);
    v(3, "statuses", r.statuses);
    v(4, "price_octave", r.price_octave);
  }
  bool operator==(const PoolKey&) const = default;
  bool operator<(const PoolKey& other) const {
    return std::tie(model_root, formats, statuses, price_octave) <
           std::tie(other.model_root, other.formats, other.statuses, other.price_octave);
  }
};

PoolKey pool_of(const Instance& instance, const Offer& offer);
// Whether some of the pool may fit.
bool suits(const PoolKey& pool, const Session& session);
// Whether an instance drawn from a pool that suits fits: its price and the user's reports.
bool fits(const Session& session, const InstanceId& instance, uint64_t price_micro);

struct Pool : Record<Pool> {
  PoolKey key;
  Hash32 root{};
  uint64_t total = 0;  // of the weights; above zero

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "key", r.key);
    v(2, "root", r.root);
    v(3, "total", r.total);
  }
  bool operator==(const Pool&) const = default;
};

// All pools of one model as they were at the end of block `height`, before anybody could know the
// beacon of height + 1. The tag of a weight is the price.
struct FrozenPools : Record<FrozenPools> {
  uint64_t height = 0;
  std::vector<Pool> pools;  // ascending by key

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "height", r.height);
    v(2, "pools", r.pools, kMaxPoolsPerModel);
  }
  bool operator==(const FrozenPools&) const = default;
};

// One instance that the draw hit, with its place in each pool that suits, in their order.
struct DrawTry : Record<DrawTry> {
  InstanceId instance{};
  std::vector<Buffer> places;  // merkle::SumProof

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
    v(2, "places", r.places, kMaxPoolsPerModel, merkle::kMaxSumProofBytes);
  }
  bool operator==(const DrawTry&) const = default;
};

// How a session came to its instance: the last try fits, those before it did not.
struct Drawn : Record<Drawn> {
  uint64_t height = 0;  // of the frozen pools
  std::vector<DrawTry> tries;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "height", r.height);
    v(2, "tries", r.tries, kMaxDrawTries);
  }
  bool operator==(const Drawn&) const = default;
};

// The points that a draw takes on the line of all weights side by side, without replacement.
//
//   stream  block_j = SHA-256("cloister select v1" ‖ 00 ‖ beacon ‖ LE32(len id) ‖ request id ‖
//   LE64(j)), each
//           block four 64-bit little-endian words
//   draw    W = sum of remaining weights; words until one is below 2^64 - (2^64 mod W); v = word
//   mod W;
//           the first in order with v < weight wins, else v -= weight
class DrawPoints {
 public:
  DrawPoints(const Hash32& beacon, Bytes request_id, uint64_t total);
  std::optional<uint64_t> next();  // nothing when all weights are taken
  void take(const merkle::SumPlace& place);

 private:
  uint64_t word();
  Buffer prefix_;
  Hash32 block_{};
  uint64_t counter_ = 0;
  size_t used_ = 4;
  uint64_t left_;
  std::vector<merkle::SumPlace> taken_;  // ascending
};

// The same rule over a plain list: indices into `weights` of up to k different winners, in the
// order in which they are drawn. Weights must be above zero and their sum below 2^64; otherwise
// nothing.
std::vector<size_t> select(const Hash32& beacon, Bytes request_id,
                           std::span<const uint64_t> weights, size_t k);

enum class DrawError : uint8_t {
  no_tries = 1,
  other_height = 2,  // the pools are not those of the session's request
  places = 3,        // a place is missing, malformed or not of its pool
  not_hit = 4,       // the beacon's point lies elsewhere
  passed_over = 5,   // an instance that fits was passed over
  unfit = 6,         // the winner does not fit
  other_winner = 7,  // the session has another instance
  left_out = 8,      // pools were left out, and the session has no twin to be apart from
};
std::string_view describe(DrawError error);

// Computes a session's draw again from proven records: `session` as it was assigned, the pools at
// its request, the beacon of the height after, and the way to its instance.
std::expected<void, DrawError> verify_draw(const Session& session, const FrozenPools& frozen,
                                           const Hash32& beacon, const Drawn& drawn);

}  // namespace cloister::ledger
