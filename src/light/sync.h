// The way from a trusted block to a target, over as few blocks in between as the signatures allow:
// try the target; where too little of the trusted power signed it, go to 9/16 of the way first.
//
// Bisection is the algorithm with the fetching left out: it says which height it wants and is fed
// what came. `verify_to_height` drives it over a synchronous provider, light::Client over the
// network.
#pragma once

#include "light/verify.h"

namespace cloister::light {

constexpr size_t kMaxBisectionSteps = 128;  // blocks fetched on one way, the target included

class Bisection {
 public:
  // `target_height` at or below the trusted one: nothing is wanted.
  Bisection(VerifiedBlock trusted, int64_t target_height, const TrustOptions& options);

  // The height of the block to feed next; nothing when the target is reached.
  std::optional<int64_t> wanted() const;
  // Verifies as far as `block` allows. After an error the object may not be used any further.
  [[nodiscard]] std::expected<void, LightError> feed(LightBlock block, UnixMillis now_ms);
  // The highest block verified so far: sound even when the way is not finished.
  const VerifiedBlock& trusted() const { return trusted_; }

 private:
  VerifiedBlock trusted_;
  TrustOptions options_;
  std::vector<LightBlock> waiting_;  // the target at the front, the nearest at the back
  std::optional<int64_t> wanted_;
  size_t steps_ = 0;
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::expected<LightBlock, LightError> light_block(int64_t height) = 0;
};

[[nodiscard]] Verification verify_to_height(const VerifiedBlock& trusted, int64_t height,
                                            Provider& provider, UnixMillis now_ms,
                                            const TrustOptions& options);

}  // namespace cloister::light
