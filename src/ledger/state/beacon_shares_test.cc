// Shares of the beacon in front of a block: what a proposer makes of offers, and what it cannot.
#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/state/network_testing.h"
#include "ledger/types/keys.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 10'000'000;

struct Shares {
  Shares() : sample(sample_network(4)), n(genesis()) {
    n.bring_up("op", "node", 1);
    const TxResult opened = n.send("alice", TestNetwork::open_body());
    EXPECT_EQ(opened.code, Code::ok);
    session = *to_fixed<32>(opened.data);
    wanted = n.state.height() + 1;
  }

  Genesis genesis() const {
    Genesis g = sample.genesis;
    for (const char* who : {"alice", "op"}) {
      GenesisAccount entry;
      entry.account = key_of(who).public_key();
      entry.balance_micro = kFunds;
      g.accounts.push_back(entry);
    }
    std::ranges::sort(g.accounts, {}, &GenesisAccount::account);
    return g;
  }
  HeightShare share(size_t validator, uint64_t height) const {
    return {{},
            height,
            make_beacon_share(sample.genesis.chain_id, 1, height, sample.secrets[validator])};
  }
  static Buffer front(std::vector<HeightShare> entries) {
    BeaconShares out;
    out.entries = std::move(entries);
    return out.encode();
  }
  // The first transaction of the next block; what the check beforehand says is what comes of it.
  Code apply(const Buffer& tx) {
    const Code checked = n.state.check_front(n.state.height() + 1, tx);
    const Code code = n.block({tx}, false).txs[0].code;
    EXPECT_EQ(name(checked), name(code));
    return code;
  }
  std::optional<Beacon> beacon() const {
    const auto value = n.state.store().get(Family::beacon, number_key(wanted));
    return value ? Beacon::decode(*value) : std::nullopt;
  }

  SampleNetwork sample;
  TestNetwork n;
  SessionId session{};
  uint64_t wanted = 0;
};

TEST(BeaconShares, AsManyAsAreMissingMakeTheValueAndTheDrawOfTheSameBlock) {
  Shares s;
  s.n.block({}, false);
  const std::array offers{s.n.state.shares_of(s.n.state.height() + 1, s.sample.secrets[2]),
                          s.n.state.shares_of(s.n.state.height() + 1, s.sample.secrets[0]),
                          s.n.state.shares_of(s.n.state.height() + 1, s.sample.secrets[1])};
  const auto front = s.n.state.front(s.n.state.height() + 1, offers);
  ASSERT_TRUE(front);
  const auto made = read_beacon_shares(*front);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->entries.size(), 2u);  // the threshold, ascending
  EXPECT_EQ(made->entries[0].share.index, 1u);
  EXPECT_EQ(made->entries[1].share.index, 3u);
  EXPECT_EQ(s.apply(*front), Code::ok);
  EXPECT_TRUE(s.beacon()->value);
  EXPECT_EQ(s.n.session(s.session).state, SessionState::assigned);
}

TEST(BeaconShares, OneBlockMayBringOneAndALaterOneTheOther) {
  Shares s;
  EXPECT_EQ(s.apply(Shares::front({s.share(3, s.wanted)})), Code::ok);
  EXPECT_FALSE(s.beacon()->value);
  EXPECT_EQ(s.apply(Shares::front({s.share(0, s.wanted)})), Code::ok);
  EXPECT_TRUE(s.beacon()->value);
}

TEST(BeaconShares, NoHonestProposerMakes) {
  const Shares good;
  const uint64_t h = good.wanted;
  struct Case {
    const char* name;
    std::vector<HeightShare> entries;
    Code want;
  };
  HeightShare bad = good.share(0, h), stranger = good.share(0, h), none = good.share(0, h);
  bad.share.response[0] ^= 1;
  stranger.share.index = 5;
  none.share.index = 0;
  const Case cases[] = {
      {"nothing", {}, Code::malformed},
      {"a forged share", {bad}, Code::beacon_bad_share},
      {"a forged share behind a good one",
       {good.share(0, h),
        [&] {
          HeightShare second = good.share(1, h);
          second.share.challenge[3] ^= 1;
          return second;
        }()},
       Code::beacon_bad_share},
      {"of nobody", {stranger}, Code::beacon_bad_share},
      {"of index 0", {none}, Code::beacon_bad_share},
      {"one twice", {good.share(0, h), good.share(0, h)}, Code::malformed},
      {"not ascending", {good.share(1, h), good.share(0, h)}, Code::malformed},
      {"more than are needed",
       {good.share(0, h), good.share(1, h), good.share(2, h)},
       Code::beacon_not_wanted},
      {"of a height that nothing waits for", {good.share(0, h - 1)}, Code::beacon_not_wanted},
      {"of a height to come", {good.share(0, h + 1)}, Code::beacon_not_wanted},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Shares s;
    const std::optional<Beacon> before = s.beacon();
    EXPECT_EQ(name(s.apply(Shares::front(c.entries))), name(c.want));
    EXPECT_EQ(s.beacon(), before);
  }
  Shares s;
  ASSERT_EQ(s.apply(Shares::front({s.share(0, s.wanted)})), Code::ok);
  EXPECT_EQ(s.apply(Shares::front({s.share(0, s.wanted)})), Code::beacon_duplicate);
}

// Offers come from validators, who may send anything.
TEST(BeaconShares, WhatIsOfferedBadlyIsLeftOut) {
  const Shares s;
  const uint64_t next = s.n.state.height() + 1;
  BeaconShares forged, foreign, twice, many;
  forged.entries = {s.share(0, s.wanted)};
  forged.entries[0].share.point[0] ^= 1;
  foreign.entries = {s.share(1, s.wanted + 7)};
  twice.entries = {s.share(3, s.wanted), s.share(3, s.wanted)};
  // A second share of a height is not read: nobody makes a proposer verify a thousand.
  many.entries = {forged.entries[0], s.share(2, s.wanted)};
  const auto front =
      s.n.state.front(next, std::array{forged, foreign, many, twice, BeaconShares()});
  ASSERT_TRUE(front);
  EXPECT_EQ(read_beacon_shares(*front)->entries, (std::vector{s.share(3, s.wanted)}));
  EXPECT_FALSE(s.n.state.front(next, std::array{forged, foreign, many}));
  EXPECT_FALSE(s.n.state.front(next, {}));
}

TEST(BeaconShares, StandOnlyInFront) {
  Shares s;
  Transfer body;
  body.to = key_of("op").public_key();
  body.amount_micro = 1;
  const Buffer shares = Shares::front({s.share(0, s.wanted), s.share(1, s.wanted)});
  EXPECT_EQ(s.n.state.check(shares).code, Code::malformed);
  const BlockResult result = s.n.block({s.n.tx("alice", body), shares}, false);
  EXPECT_EQ(result.txs[0].code, Code::ok);
  EXPECT_EQ(result.txs[1].code, Code::malformed);
  EXPECT_FALSE(s.beacon()->value);
}

TEST(BeaconShares, ATransactionInFrontIsNotOneOfShares) {
  Shares s;
  Transfer body;
  body.amount_micro = 1;
  EXPECT_EQ(s.n.state.check_front(s.n.state.height() + 1, s.n.tx("alice", body)), Code::ok);
  BeaconShares other;
  other.tag = "cloister beacon shares v2";
  other.entries = {s.share(0, s.wanted)};
  EXPECT_FALSE(read_beacon_shares(other.encode()));
}

}  // namespace
}  // namespace cloister::ledger
