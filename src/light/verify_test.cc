#include "light/verify.h"

#include <gtest/gtest.h>

#include "light/light_testing.h"

namespace cloister::light {
namespace {

const TrustOptions kOptions;

// Four validators of equal power sign blocks 1..9; block 10 is signed by three of them and a new
// one.
class LightClient : public testing::Test {
 protected:
  LightClient() {
    for (uint64_t i = 0; i < 8; ++i) validators_.push_back(test_validator(i + 1, 10));
    const TestChain::Members old = {&validators_[0], &validators_[1], &validators_[2],
                                    &validators_[3]};
    const TestChain::Members changed = {&validators_[0], &validators_[1], &validators_[2],
                                        &validators_[4]};
    for (int i = 1; i <= 9; ++i) chain_.append(old, i < 9 ? old : changed);
    chain_.append(changed, changed);
    members_ = old;
  }
  VerifiedBlock trusted() const {
    return *verify_genesis("c", chain_.at(1).validators, chain_.at(1));
  }
  Verification adjacent(const LightBlock& block) const {
    return verify_adjacent(trusted(), block, chain_.now_ms(), kOptions);
  }
  Verification skipping(const LightBlock& block) const {
    return verify_non_adjacent(trusted(), block, chain_.now_ms(), kOptions);
  }

  std::vector<TestValidator> validators_;
  TestChain::Members members_;
  TestChain chain_{"c"};
};

TEST_F(LightClient, AcceptsTheGenuineChain) {
  const auto second = adjacent(chain_.at(2));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->height(), 2);
  EXPECT_EQ(second->hash(), header_hash(chain_.at(2).signed_header.header));
  EXPECT_TRUE(skipping(chain_.at(9)));
  EXPECT_TRUE(skipping(chain_.at(10)));  // three of four known ones signed
  const TrustRoot root{"c", 5, header_hash(chain_.at(5).signed_header.header)};
  EXPECT_TRUE(verify_root(root, chain_.at(5)));
}

TEST_F(LightClient, EachSingleFaultOfABlockIsRefusedByItsOwnError) {
  struct Case {
    const char* name;
    void (*spoil)(LightBlock&);
    LightError want;
  };
  using B = LightBlock&;
  const Case cases[] = {
      {"protocol", [](B b) { b.signed_header.header.block_version = 12; },
       LightError::wrong_protocol_version},
      {"chain", [](B b) { b.signed_header.header.chain_id = "d"; }, LightError::wrong_chain},
      {"short hash", [](B b) { b.signed_header.header.data_hash.pop_back(); },
       LightError::bad_field},
      {"no set hash", [](B b) { b.signed_header.header.validators_hash.clear(); },
       LightError::bad_field},
      {"long app hash", [](B b) { b.signed_header.header.app_hash.resize(65); },
       LightError::bad_field},
      {"nanos", [](B b) { b.signed_header.header.time.nanos = 1'000'000'000; },
       LightError::bad_field},
      {"no parent", [](B b) { b.signed_header.header.last_block_id = {}; }, LightError::bad_field},
      {"commit height", [](B b) { b.signed_header.commit.height = 3; },
       LightError::wrong_commit_height},
      {"negative round", [](B b) { b.signed_header.commit.round = -1; }, LightError::bad_field},
      {"no parts", [](B b) { b.signed_header.commit.block_id.parts_total = 0; },
       LightError::bad_field},
      {"app hash", [](B b) { b.signed_header.header.app_hash[0] ^= 1; },
       LightError::wrong_header_hash},
      {"block id", [](B b) { b.signed_header.commit.block_id.hash[0] ^= 1; },
       LightError::wrong_header_hash},
      {"short signature", [](B b) { b.signed_header.commit.signatures[1].signature.pop_back(); },
       LightError::bad_signature_entry},
      {"absent with an address",
       [](B b) { b.signed_header.commit.signatures[1].flag = BlockIdFlag::absent; },
       LightError::bad_signature_entry},
      {"unknown flag",
       [](B b) { b.signed_header.commit.signatures[1].flag = static_cast<BlockIdFlag>(7); },
       LightError::bad_signature_entry},
      {"fewer signatures", [](B b) { b.signed_header.commit.signatures.pop_back(); },
       LightError::wrong_signature_count},
      {"swapped signatures",
       [](B b) {
         std::swap(b.signed_header.commit.signatures[0], b.signed_header.commit.signatures[1]);
       },
       LightError::wrong_validator_address},
      {"one signature four times",
       [](B b) {
         auto& all = b.signed_header.commit.signatures;
         for (auto& sig : all) sig = all[0];
       },
       LightError::wrong_validator_address},
      {"address", [](B b) { b.signed_header.commit.signatures[2].validator_address[0] ^= 1; },
       LightError::wrong_validator_address},
      {"round", [](B b) { b.signed_header.commit.round = 1; }, LightError::not_enough_power},
      {"parts", [](B b) { b.signed_header.commit.block_id.parts_hash[0] ^= 1; },
       LightError::not_enough_power},
      {"nil votes",
       [](B b) {
         b.signed_header.commit.signatures[0].flag = BlockIdFlag::nil;
         b.signed_header.commit.signatures[1].flag = BlockIdFlag::nil;
       },
       LightError::not_enough_power},
      {"two bad signatures",
       [](B b) {
         b.signed_header.commit.signatures[0].signature[0] ^= 1;
         b.signed_header.commit.signatures[1].timestamp.nanos += 1;
       },
       LightError::not_enough_power},
      {"no set", [](B b) { b.validators.clear(); }, LightError::too_many_validators},
      {"huge set", [](B b) { b.validators.resize(kMaxValidators + 1, b.validators[0]); },
       LightError::too_many_validators},
      {"zero power", [](B b) { b.validators[0].power = 0; }, LightError::bad_power},
      {"negative power", [](B b) { b.validators[0].power = -1; }, LightError::bad_power},
      {"too much power", [](B b) { b.validators[0].power = kMaxTotalPower; },
       LightError::bad_power},
      {"twice", [](B b) { b.validators[1] = b.validators[0]; }, LightError::duplicate_validator},
      {"other power", [](B b) { b.validators[0].power = 11; }, LightError::wrong_validators_hash},
      {"other order", [](B b) { std::swap(b.validators[0], b.validators[1]); },
       LightError::wrong_validators_hash},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    LightBlock block = chain_.at(2);
    c.spoil(block);
    const auto got = adjacent(block);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), c.want) << describe(got.error());
  }
}

TEST_F(LightClient, OneOddSignatureCannotDenyService) {
  LightBlock block = chain_.at(2);
  block.signed_header.commit.signatures[0].signature[0] ^= 1;
  EXPECT_TRUE(adjacent(block));
}

TEST_F(LightClient, RelationToTheTrustedBlock) {
  const VerifiedBlock at5 = *skipping(chain_.at(5));
  const UnixMillis now = chain_.now_ms();
  const auto error_of = [](const Verification& v) { return v.error(); };
  EXPECT_EQ(error_of(verify(at5, chain_.at(5), now, kOptions)), LightError::height_not_newer);
  EXPECT_EQ(error_of(verify(at5, chain_.at(4), now, kOptions)), LightError::height_not_newer);
  EXPECT_EQ(error_of(verify_adjacent(at5, chain_.at(7), now, kOptions)), LightError::not_adjacent);
  const UnixMillis before = chain_.at(6).signed_header.header.time.to_ms() - 10'000;
  EXPECT_EQ(error_of(verify(at5, chain_.at(6), before, kOptions)), LightError::from_the_future);
  EXPECT_TRUE(verify(at5, chain_.at(6), before + 1, kOptions));
  const UnixMillis expiry = at5.time_ms() + kOptions.trusting_period_s * 1000;
  EXPECT_EQ(error_of(verify(at5, chain_.at(6), expiry, kOptions)), LightError::trust_expired);
  EXPECT_TRUE(verify(at5, chain_.at(6), expiry - 1, kOptions));
}

TEST_F(LightClient, SignedButWrongBlocks) {
  const auto resigned = [&](auto spoil) {
    Header header = chain_.at(2).signed_header.header;
    spoil(header);
    return adjacent(chain_.sign(std::move(header), members_));
  };
  EXPECT_TRUE(resigned([](Header&) {}));
  EXPECT_EQ(resigned([](Header& h) { h.time = Timestamp::from_ms(kTestStartMs + 1000); }).error(),
            LightError::time_not_newer);
  EXPECT_EQ(resigned([](Header& h) { h.last_block_id.hash[0] ^= 1; }).error(),
            LightError::wrong_last_block);
  // A set of the attacker's own that signs its own header.
  Header header = chain_.at(2).signed_header.header;
  const TestChain::Members theirs = {&validators_[5], &validators_[6], &validators_[7]};
  header.validators_hash = to_buffer(validators_hash(set_of(theirs)));
  EXPECT_EQ(adjacent(chain_.sign(header, theirs)).error(), LightError::wrong_next_validators);
  header.height = 3;
  EXPECT_EQ(skipping(chain_.sign(header, theirs)).error(), LightError::not_enough_trusted_power);
  // One third of the trusted power is not more than a third.
  const TestChain::Members one_known = {&validators_[0], &validators_[6], &validators_[7]};
  header.validators_hash = to_buffer(validators_hash(set_of(one_known)));
  EXPECT_EQ(skipping(chain_.sign(header, one_known)).error(), LightError::not_enough_trusted_power);
}

TEST_F(LightClient, OptionsOutOfRangeAreRefused) {
  const auto with = [&](auto spoil) {
    TrustOptions options;
    spoil(options);
    return verify(trusted(), chain_.at(2), chain_.now_ms(), options).error();
  };
  EXPECT_EQ(with([](TrustOptions& o) { o.trusting_period_s = 0; }), LightError::bad_options);
  EXPECT_EQ(with([](TrustOptions& o) { o.trust_denominator = 4; }), LightError::bad_options);
  EXPECT_EQ(with([](TrustOptions& o) { o.trust_numerator = 4; }), LightError::bad_options);
  EXPECT_EQ(with([](TrustOptions& o) { o.max_clock_drift_s = -1; }), LightError::bad_options);
}

TEST_F(LightClient, StartingPoints) {
  TrustRoot root{"c", 5, header_hash(chain_.at(5).signed_header.header)};
  EXPECT_EQ(verify_root(root, chain_.at(6)).error(), LightError::wrong_trust_root);
  root.header_hash[0] ^= 1;
  EXPECT_EQ(verify_root(root, chain_.at(5)).error(), LightError::wrong_trust_root);
  const ValidatorSet& genesis = chain_.at(1).validators;
  EXPECT_EQ(verify_genesis("d", genesis, chain_.at(1)).error(), LightError::wrong_chain);
  EXPECT_EQ(verify_genesis("c", genesis, chain_.at(2)).error(), LightError::wrong_trust_root);
  EXPECT_EQ(verify_genesis("c", chain_.at(10).validators, chain_.at(1)).error(),
            LightError::wrong_trust_root);
  EXPECT_EQ(verify_genesis("c", {}, chain_.at(1)).error(), LightError::wrong_trust_root);
}

TEST_F(LightClient, Freshness) {
  const VerifiedBlock block = *skipping(chain_.at(9));
  EXPECT_TRUE(check_fresh(block, block.time_ms() + 5000, 5000));
  EXPECT_EQ(check_fresh(block, block.time_ms() + 5001, 5000).error(), LightError::stale);
}

TEST_F(LightClient, MutatedBlocksAreNeverAccepted) {
  const VerifiedBlock start = trusted();
  SeededRandom random(41);
  int accepted = 0;
  for (int i = 0; i < mutations(); ++i) {
    LightBlock block = chain_.at(9);
    Header& h = block.signed_header.header;
    Commit& c = block.signed_header.commit;
    Buffer* const fields[] = {&h.last_block_id.hash,      &h.last_block_id.parts_hash,
                              &h.last_commit_hash,        &h.data_hash,
                              &h.validators_hash,         &h.next_validators_hash,
                              &h.consensus_hash,          &h.app_hash,
                              &h.last_results_hash,       &h.evidence_hash,
                              &h.proposer_address,        &c.block_id.hash,
                              &c.block_id.parts_hash,     &c.signatures[0].signature,
                              &c.signatures[1].signature, &c.signatures[2].validator_address};
    const uint64_t draw = random.next() % 20;
    const uint64_t bit = random.next();
    if (draw < std::size(fields)) {
      Buffer& field = *fields[draw];
      field[bit / 8 % field.size()] ^= static_cast<uint8_t>(1U << bit % 8);
    } else if (draw == 16) {
      h.time.nanos += static_cast<int32_t>(bit % 999 + 1);
    } else if (draw == 17) {
      h.height += static_cast<int64_t>(bit % 5) + 1;
    } else if (draw == 18) {
      c.round += static_cast<int32_t>(bit % 9) + 1;
    } else {
      block.validators[bit % 4].public_key[bit / 4 % 32] ^= static_cast<uint8_t>(1U << bit % 8);
    }
    // A single broken signature leaves three of four: break another one with it.
    if (draw == 13 || draw == 14) c.signatures[3].signature[5] ^= 1;
    if (verify(start, block, chain_.now_ms(), kOptions)) ++accepted;
  }
  EXPECT_EQ(accepted, 0);
}

// --- the way to a far block
// -------------------------------------------------------------------------

// The set turns over by one of four validators every four blocks.
class Turnover : public testing::Test {
 protected:
  Turnover() {
    for (uint64_t i = 0; i < 20; ++i) validators_.push_back(test_validator(100 + i, 10));
    for (size_t h = 1; h <= 60; ++h) chain_.append(members(h), members(h + 1));
  }
  TestChain::Members members(size_t height) const {
    TestChain::Members out;
    for (size_t i = 0; i < 4; ++i) out.push_back(&validators_[height / 4 + i]);
    return out;
  }
  VerifiedBlock start() const {
    return *verify_genesis("t", chain_.at(1).validators, chain_.at(1));
  }

  std::vector<TestValidator> validators_;
  TestChain chain_{"t"};
};

TEST_F(Turnover, BisectionFindsTheWay) {
  EXPECT_EQ(verify(start(), chain_.at(60), chain_.now_ms(), kOptions).error(),
            LightError::not_enough_trusted_power);
  const auto got = verify_to_height(start(), 60, chain_, chain_.now_ms(), kOptions);
  ASSERT_TRUE(got) << describe(got.error());
  EXPECT_EQ(got->hash(), header_hash(chain_.at(60).signed_header.header));
  EXPECT_GT(chain_.fetched(), 5U);
  EXPECT_LT(chain_.fetched(), 40U);
}

TEST_F(Turnover, BisectionRefusesABlockOfAnotherHeight) {
  Bisection way(start(), 60, kOptions);
  EXPECT_EQ(way.wanted(), 60);
  EXPECT_EQ(way.feed(chain_.at(59), chain_.now_ms()).error(), LightError::wrong_height);
}

TEST_F(Turnover, BisectionEndsWhenTheProviderLies) {
  struct Liar : Provider {
    std::expected<LightBlock, LightError> light_block(int64_t height) override {
      Header header = (*source).at(2).signed_header.header;
      header.height = height;
      header.time = Timestamp::from_ms(kTestStartMs + height * 1000);
      header.validators_hash = to_buffer(validators_hash(set_of(members)));
      return source->sign(header, members);
    }
    const TestChain* source;
    TestChain::Members members;
  };
  Liar liar;
  liar.source = &chain_;
  liar.members = {&validators_[18], &validators_[19]};
  const auto got = verify_to_height(start(), 60, liar, chain_.now_ms(), kOptions);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), LightError::wrong_next_validators);
}

TEST_F(Turnover, NothingIsFetchedForABlockThatIsAlreadyTrusted) {
  EXPECT_TRUE(verify_to_height(start(), 1, chain_, chain_.now_ms(), kOptions));
  EXPECT_EQ(chain_.fetched(), 0U);
}

}  // namespace
}  // namespace cloister::light
