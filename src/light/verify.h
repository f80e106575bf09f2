// Decides whether a header belongs to the chain that the caller trusts (CometBFT light client,
// `docs/consensus-encodings.md`). Pure: time and blocks are arguments, nothing is fetched or kept.
//
// Trusted: one starting point (a header hash, or the genesis validator set), and that at every
// later time less than a third of the power that signed a trusted header colludes within the
// trusting period. Order of the checks: bounds, chain, header hash, heights and times, validator
// set, one third of the trusted power (cheap), two thirds of the own power. Nothing of a block is
// used before all of them.
#pragma once

#include <expected>
#include <map>

#include "light/error.h"
#include "light/types.h"

namespace cloister::light {

constexpr int64_t kMaxPeriodSeconds = int64_t{100} * 366 * 24 * 3600;

struct TrustOptions {
  int64_t trusting_period_s = 14 * 24 * 3600;  // less than the unbonding period
  int64_t max_clock_drift_s = 10;              // how far in the future a header may be
  int64_t trust_numerator = 1;                 // trust level in [1/3, 1], denominator up to 7
  int64_t trust_denominator = 3;
};

// A block that passed verification; nothing else can make one.
class VerifiedBlock {
 public:
  const Header& header() const { return header_; }
  const Hash32& hash() const { return hash_; }
  const ValidatorSet& validators() const { return validators_; }
  int64_t height() const { return header_.height; }
  UnixMillis time_ms() const { return header_.time.to_ms(); }

 private:
  friend class Verifier;
  VerifiedBlock(Header header, const Hash32& hash, ValidatorSet validators)
      : header_(std::move(header)), hash_(hash), validators_(std::move(validators)) {}
  Header header_;
  Hash32 hash_;
  ValidatorSet validators_;
};

using Verification = std::expected<VerifiedBlock, LightError>;

// Where trust starts: a header that the caller knows by its hash …
struct TrustRoot {
  std::string chain_id;
  int64_t height = 0;
  Hash32 header_hash{};
  bool operator==(const TrustRoot&) const = default;
};
[[nodiscard]] Verification verify_root(const TrustRoot& root, const LightBlock& block);

// … or the validators of the genesis, whose block 1 must be signed by them.
[[nodiscard]] Verification verify_genesis(std::string_view chain_id, const ValidatorSet& validators,
                                          const LightBlock& block);

// `block` directly follows `trusted`: its set must be the one that `trusted` announced.
[[nodiscard]] Verification verify_adjacent(const VerifiedBlock& trusted, const LightBlock& block,
                                           UnixMillis now_ms, const TrustOptions& options);
// `block` is further away: the trust level of the trusted set's power must have signed it too.
[[nodiscard]] Verification verify_non_adjacent(const VerifiedBlock& trusted,
                                               const LightBlock& block, UnixMillis now_ms,
                                               const TrustOptions& options);
// Whichever of the two applies. `not_enough_trusted_power` asks for a block in between.
[[nodiscard]] Verification verify(const VerifiedBlock& trusted, const LightBlock& block,
                                  UnixMillis now_ms, const TrustOptions& options);

// An endpoint can hide new blocks but not date old ones: refuses when `block` is older than
// max_age.
[[nodiscard]] std::expected<void, LightError> check_fresh(const VerifiedBlock& block,
                                                          UnixMillis now_ms, int64_t max_age_ms);

}  // namespace cloister::light
