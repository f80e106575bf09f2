// A chain of genuine light blocks signed by keys of the test, and the names of what may go wrong.
#pragma once

#include "light/encoding.h"
#include "light/sync.h"

namespace cloister::light {

// A validator whose key the test holds.
struct TestValidator {
  crypto::Ed25519Key key;
  int64_t power;
};
TestValidator test_validator(uint64_t seed, int64_t power);
ValidatorSet set_of(const std::vector<const TestValidator*>& members);

constexpr UnixMillis kTestStartMs = 1'700'000'000'000;

// Blocks 1..n of one chain. Each block's set is chosen by the caller; the block before announces
// it.
class TestChain : public Provider {
 public:
  using Members = std::vector<const TestValidator*>;

  explicit TestChain(std::string chain_id) : chain_id_(std::move(chain_id)) {}
  // `app_hash` is the state after the block before.
  void append(const Members& members, const Members& next, const Hash32& app_hash = {});
  // Signs a header of the caller's making by `members`, all of them.
  LightBlock sign(Header header, const Members& members) const;

  const LightBlock& at(int64_t height) const { return blocks_[static_cast<size_t>(height - 1)]; }
  int64_t height() const { return static_cast<int64_t>(blocks_.size()); }
  UnixMillis now_ms() const { return kTestStartMs + height() * 1000 + 500; }
  std::expected<LightBlock, LightError> light_block(int64_t height) override;
  size_t fetched() const { return fetched_; }

 private:
  std::string chain_id_;
  std::vector<LightBlock> blocks_;
  size_t fetched_ = 0;
};

// How many mutations a test tries: 10,000, or what CLOISTER_MUTATIONS says for a longer night.
int mutations();

}  // namespace cloister::light
