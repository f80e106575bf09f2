#include "light/sync.h"

namespace cloister::light {
namespace {

// Blocks that are far ahead are likelier to have another set, those near ones fetched in vain; 9/16
// is what CometBFT settled on. The result lies strictly between the two heights.
int64_t pivot_between(int64_t low, int64_t high) {
  const int64_t way = high - low;
  const int64_t pivot = low + way / 16 * 9 + way % 16 * 9 / 16;
  return pivot > low ? pivot : low + 1;
}

}  // namespace

Bisection::Bisection(VerifiedBlock trusted, int64_t target_height, const TrustOptions& options)
    : trusted_(std::move(trusted)), options_(options) {
  if (target_height > trusted_.height()) wanted_ = target_height;
}

std::optional<int64_t> Bisection::wanted() const {
  return wanted_;
}

std::expected<void, LightError> Bisection::feed(LightBlock block, UnixMillis now_ms) {
  if (!wanted_ || block.signed_header.header.height != *wanted_) {
    return std::unexpected(LightError::wrong_height);
  }
  if (++steps_ > kMaxBisectionSteps) return std::unexpected(LightError::too_many_steps);
  waiting_.push_back(std::move(block));
  wanted_.reset();
  while (!waiting_.empty()) {
    auto verified = verify(trusted_, waiting_.back(), now_ms, options_);
    if (verified) {
      trusted_ = std::move(*verified);
      waiting_.pop_back();
      continue;
    }
    if (verified.error() != LightError::not_enough_trusted_power) {
      return std::unexpected(verified.error());
    }
    wanted_ = pivot_between(trusted_.height(), waiting_.back().signed_header.header.height);
    return {};
  }
  return {};
}

Verification verify_to_height(const VerifiedBlock& trusted, int64_t height, Provider& provider,
                              UnixMillis now_ms, const TrustOptions& options) {
  Bisection way(trusted, height, options);
  while (const auto wanted = way.wanted()) {
    auto block = provider.light_block(*wanted);
    if (!block) return std::unexpected(block.error());
    const auto fed = way.feed(std::move(*block), now_ms);
    if (!fed) return std::unexpected(fed.error());
  }
  return way.trusted();
}

}  // namespace cloister::light
