#include "gateway/sealing_keys.h"

#include <gtest/gtest.h>

#include "channel/sealed/key_epochs.h"

namespace cloister::gateway {
namespace {

constexpr UnixMillis kNow = 1'800'000'000'000;

ledger::KeyConfig published(const sealed::KeyEpoch& epoch) {
  ledger::KeyConfig out;
  out.epoch = epoch.number;
  out.valid_from_ms = static_cast<uint64_t>(epoch.valid_from_ms);
  out.valid_until_ms = static_cast<uint64_t>(epoch.valid_until_ms);
  out.config = epoch.config;
  return out;
}

struct Scene {
  SeededRandom random{1};
  sealed::KeyEpochs keys{Hash32{}};
  ledger::KeySet set;
  Hash32 begin(UnixMillis at_ms) {
    const auto& epoch = keys.begin(random, at_ms);
    set.epochs.push_back(published(epoch));
    return epoch.config_sha256;
  }
};

TEST(ChooseKeys, TheNewestThatIsValidForLongEnough) {
  Scene s;
  EXPECT_FALSE(choose_keys(s.set, kNow));
  const Hash32 old = s.begin(kNow), fresh = s.begin(kNow + sealed::kEpochLifeMs / 2);
  EXPECT_EQ(choose_keys(s.set, kNow)->config_sha256, old);  // the next has not begun
  EXPECT_EQ(choose_keys(s.set, kNow + sealed::kEpochLifeMs / 2)->config_sha256, fresh);
  const UnixMillis end = kNow + sealed::kEpochLifeMs / 2 + sealed::kEpochLifeMs;
  EXPECT_TRUE(choose_keys(s.set, end - kKeysNeededMs));
  EXPECT_FALSE(choose_keys(s.set, end - kKeysNeededMs + 1));
}

// A configuration that is none is not passed over for an older one.
TEST(ChooseKeys, WhatIsNoConfigurationIsRefused) {
  Scene s;
  s.begin(kNow);
  s.begin(kNow);
  s.set.epochs.back().config.pop_back();
  EXPECT_FALSE(choose_keys(s.set, kNow));
}

}  // namespace
}  // namespace cloister::gateway
