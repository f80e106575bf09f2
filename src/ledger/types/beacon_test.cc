#include "ledger/types/beacon.h"

#include <gtest/gtest.h>

#include <functional>

namespace cloister::ledger {
namespace {

struct Fixture {
  Dealt dealt;
  std::vector<BeaconShare> shares;
};

Fixture make(size_t validators, uint64_t height) {
  SeededRandom random(validators);
  Fixture out{deal_beacon(validators, random), {}};
  for (const BeaconSecret& secret : out.dealt.secrets) {
    out.shares.push_back(make_beacon_share("chain", 1, height, secret));
  }
  return out;
}

TEST(Beacon, AnyThresholdManySharesGiveTheSameValue) {
  for (size_t n : {1u, 2u, 4u, 7u, 10u}) {
    SCOPED_TRACE(n);
    const Fixture f = make(n, 9);
    const size_t t = f.dealt.keys.threshold;
    EXPECT_EQ(t, (n - 1) / 3 + 1);
    std::optional<Hash32> value;
    for (size_t first = 0; first + t <= n; ++first) {
      const auto some = std::span(f.shares).subspan(first, t);
      const auto got = combine_beacon("chain", f.dealt.keys, 9, some);
      ASSERT_TRUE(got);
      EXPECT_EQ(got, value.value_or(*got));
      value = got;
    }
    EXPECT_FALSE(combine_beacon("chain", f.dealt.keys, 9, std::span(f.shares).first(t - 1)));
    EXPECT_NE(combine_beacon("chain", make(n, 10).dealt.keys, 10, make(n, 10).shares), value);
  }
}

TEST(Beacon, EachSingleFaultOfAShareIsRefused) {
  const Fixture f = make(4, 9);
  const BeaconShare good = f.shares[1];
  ASSERT_TRUE(verify_beacon_share("chain", f.dealt.keys, 9, good));
  EXPECT_FALSE(verify_beacon_share("chain", f.dealt.keys, 10, good));
  EXPECT_FALSE(verify_beacon_share("other", f.dealt.keys, 9, good));
  struct Case {
    const char* name;
    void (*spoil)(BeaconShare&);
  };
  const Case cases[] = {
      {"index 0", [](BeaconShare& s) { s.index = 0; }},
      {"index past the end", [](BeaconShare& s) { s.index = 5; }},
      {"another's index", [](BeaconShare& s) { s.index = 1; }},
      {"identity", [](BeaconShare& s) { s.point = {}; }},
      {"not a point", [](BeaconShare& s) { s.point.fill(0xff); }},
      {"challenge", [](BeaconShare& s) { s.challenge[0] ^= 1; }},
      {"response", [](BeaconShare& s) { s.response[0] ^= 1; }},
      {"response zero", [](BeaconShare& s) { s.response = {}; }},
      {"challenge zero", [](BeaconShare& s) { s.challenge = {}; }},
      {"challenge not canonical", [](BeaconShare& s) { s.challenge.fill(0xff); }},
      {"response not canonical", [](BeaconShare& s) { s.response.fill(0xff); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    BeaconShare share = good;
    c.spoil(share);
    EXPECT_FALSE(verify_beacon_share("chain", f.dealt.keys, 9, share));
  }
}

TEST(Beacon, AValueThatItsSharesDoNotMakeIsNoBeacon) {
  const Fixture f = make(4, 9);
  ASSERT_EQ(f.dealt.keys.threshold, 2);
  Beacon good;
  good.height = 9;
  good.shares = {f.shares[1], f.shares[3]};
  good.value = combine_beacon("chain", f.dealt.keys, 9, good.shares);
  EXPECT_TRUE(verify_beacon("chain", f.dealt.keys, good));
  struct Case {
    const char* name;
    std::function<void(Beacon&)> spoil;
  };
  const Case cases[] = {
      {"no value", [](Beacon& b) { b.value.reset(); }},
      {"another value", [](Beacon& b) { b.value->back() ^= 1; }},
      {"too few shares", [](Beacon& b) { b.shares.pop_back(); }},
      {"a share twice", [](Beacon& b) { b.shares[1] = b.shares[0]; }},
      {"shares out of order", [](Beacon& b) { std::swap(b.shares[0], b.shares[1]); }},
      {"a share that proves nothing", [](Beacon& b) { b.shares[1].response.back() ^= 1; }},
      {"another height", [](Beacon& b) { b.height = 10; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Beacon beacon = good;
    c.spoil(beacon);
    EXPECT_FALSE(verify_beacon("chain", f.dealt.keys, beacon));
  }
  EXPECT_FALSE(verify_beacon("other", f.dealt.keys, good));
}

TEST(Beacon, AScalarPlusTheGroupOrderIsNotASecondForm) {
  const Fixture f = make(1, 9);
  BeaconShare share = f.shares[0];
  const Hash32 order = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                        0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                        0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    carry += static_cast<unsigned>(share.response[i]) + order[i];
    share.response[i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(verify_beacon_share("chain", f.dealt.keys, 9, share));
}

}  // namespace
}  // namespace cloister::ledger
