// Who orders blocks, and what it costs to sign two of one height.
#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/state/context.h"
#include "ledger/state/network_testing.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kStake = 1'000'000;

Genesis genesis_of(size_t validators) {
  Genesis genesis = sample_network(validators).genesis;
  genesis.embedded = false;
  genesis.params.validator_stake_micro = kStake;
  genesis.params.unbond_blocks = genesis.params.voting_blocks = 5;
  for (size_t i = 0; i < validators; ++i) {
    const std::string who = "backer " + std::to_string(i + 1);
    genesis.validators[i].operator_account = key_of(who).public_key();
  }
  for (const char* who : {"alice", "bob"}) {
    GenesisAccount entry;
    entry.account = key_of(who).public_key();
    entry.balance_micro = 3 * kStake;
    genesis.accounts.push_back(entry);
  }
  std::ranges::sort(genesis.accounts, {}, &GenesisAccount::account);
  return genesis;
}

struct Validators {
  explicit Validators(size_t count = 4) : n(genesis_of(count)) {}

  Code bond(const std::string& who, uint64_t amount_micro) {
    OperatorBond body;
    body.amount_micro = amount_micro;
    return n.send(who, body).code;
  }
  Code unbond(const std::string& who, uint64_t amount_micro) {
    OperatorUnbond body;
    body.amount_micro = amount_micro;
    return n.send(who, body).code;
  }
  JoinValidators join_body(const std::string& who, const std::string& consensus) const {
    return sign_join(n.state.genesis().chain_id, key_of(who).public_key(), key_of(consensus));
  }
  BlockResult join(const std::string& who, const std::string& consensus) {
    return n.block({n.tx(who, join_body(who, consensus))});
  }
  BlockResult leave(const std::string& who) { return n.block({n.tx(who, LeaveValidators())}); }
  BlockResult caught(const crypto::Ed25519Public& consensus) {
    n.misbehavior.push_back({validator_address(consensus), n.state.height()});
    return n.block();
  }
  ValidatorState state_of(const crypto::Ed25519Public& consensus) const {
    const auto at = validator_key(validator_address(consensus));
    return ValidatorRecord::decode(*n.state.store().get(Family::validators, at))->state;
  }
  const crypto::Ed25519Public& founder(size_t i) const {
    return n.state.genesis().validators[i].public_key;
  }

  TestNetwork n;
};

std::vector<ValidatorUpdate> update_of(const std::string& consensus, uint64_t power) {
  return {{key_of(consensus).public_key(), power}};
}

TEST(Validators, TheGenesisMakesTheStakesOfItsOwn) {
  const Validators v;
  EXPECT_EQ(v.n.op("backer 1").stake_micro, kStake);
  EXPECT_EQ(total_money(v.n.state.store()), 4 * kStake + 6 * kStake);
  EXPECT_EQ(v.state_of(v.founder(3)), ValidatorState::active);
}

TEST(Validators, AnOperatorJoinsWithItsStakeAndLeaves) {
  Validators v;
  ASSERT_EQ(v.bond("alice", kStake), Code::ok);
  const BlockResult joined = v.join("alice", "consensus");
  ASSERT_EQ(joined.txs[0].code, Code::ok);
  EXPECT_EQ(joined.validator_updates, update_of("consensus", 10));
  EXPECT_TRUE(v.n.block().validator_updates.empty());
  const BlockResult left = v.leave("alice");
  ASSERT_EQ(left.txs[0].code, Code::ok);
  EXPECT_EQ(left.validator_updates, update_of("consensus", 0));
  EXPECT_EQ(v.state_of(key_of("consensus").public_key()), ValidatorState::left);
  EXPECT_EQ(v.join("alice", "consensus").validator_updates, update_of("consensus", 10));
}

TEST(Validators, JoiningAndLeavingInOneBlockChangesNothing) {
  Validators v;
  ASSERT_EQ(v.bond("alice", kStake), Code::ok);
  const Genesis& g = v.n.state.genesis();
  const uint64_t nonce = v.n.account("alice").nonce;
  const BlockResult result =
      v.n.block({make_tx(g.chain_id, nonce, v.join_body("alice", "consensus"), key_of("alice")),
                 make_tx(g.chain_id, nonce + 1, LeaveValidators(), key_of("alice"))});
  EXPECT_EQ(result.txs[0].code, Code::ok);
  EXPECT_EQ(result.txs[1].code, Code::ok);
  EXPECT_TRUE(result.validator_updates.empty());
  ASSERT_EQ(v.join("alice", "consensus").txs[0].code, Code::ok);
  const BlockResult back = v.n.block(
      {make_tx(g.chain_id, nonce + 3, LeaveValidators(), key_of("alice")),
       make_tx(g.chain_id, nonce + 4, v.join_body("alice", "consensus"), key_of("alice"))});
  EXPECT_EQ(back.txs[0].code, Code::ok);
  EXPECT_EQ(back.txs[1].code, Code::ok);
  EXPECT_TRUE(back.validator_updates.empty());
}

TEST(Validators, RefusedAre) {
  Validators v;
  EXPECT_EQ(v.join("alice", "consensus").txs[0].code, Code::stake_too_low);
  ASSERT_EQ(v.bond("alice", kStake - 1), Code::ok);
  EXPECT_EQ(v.join("alice", "consensus").txs[0].code, Code::stake_too_low);
  ASSERT_EQ(v.bond("alice", 1), Code::ok);
  ASSERT_EQ(v.bond("bob", kStake), Code::ok);
  EXPECT_EQ(v.n.send("alice", v.join_body("bob", "consensus")).code, Code::validator_signature);
  EXPECT_EQ(v.leave("alice").txs[0].code, Code::not_validating);
  ASSERT_EQ(v.join("alice", "consensus").txs[0].code, Code::ok);
  EXPECT_EQ(v.join("alice", "another").txs[0].code, Code::validator_exists);
  EXPECT_EQ(v.join("bob", "consensus").txs[0].code, Code::validator_exists);
  ASSERT_EQ(v.leave("alice").txs[0].code, Code::ok);
  EXPECT_EQ(v.join("bob", "consensus").txs[0].code, Code::validator_exists);
}

TEST(Validators, OneSequencerHasNoOthers) {
  TestNetwork n(TestNetwork::funded({"alice"}, 2 * kStake));
  const auto body =
      sign_join(n.state.genesis().chain_id, key_of("alice").public_key(), key_of("consensus"));
  EXPECT_EQ(n.send("alice", body).code, Code::not_replicated);
}

TEST(Validators, TheLastStays) {
  Validators v(1);
  EXPECT_EQ(v.leave("backer 1").txs[0].code, Code::last_validator);
  const BlockResult caught = v.caught(v.founder(0));
  EXPECT_TRUE(caught.validator_updates.empty());
  EXPECT_EQ(v.n.op("backer 1").stake_micro, 0u);  // but its stake does not
}

TEST(Validators, TheStakeStaysWhileItValidates) {
  Validators v;
  ASSERT_EQ(v.bond("alice", kStake + 1), Code::ok);
  ASSERT_EQ(v.join("alice", "consensus").txs[0].code, Code::ok);
  EXPECT_EQ(v.unbond("alice", 2), Code::stake_in_use);
  EXPECT_EQ(v.unbond("alice", 1), Code::ok);
  ASSERT_EQ(v.leave("alice").txs[0].code, Code::ok);
  EXPECT_EQ(v.unbond("alice", kStake), Code::ok);
}

TEST(Validators, WhoSignsTwiceLosesItsStakeOnceAndNeverReturns) {
  Validators v;
  ASSERT_EQ(v.bond("alice", 2 * kStake), Code::ok);
  ASSERT_EQ(v.join("alice", "consensus").txs[0].code, Code::ok);
  const auto key = key_of("consensus").public_key();
  const BlockResult caught = v.caught(key);
  EXPECT_EQ(caught.validator_updates, update_of("consensus", 0));
  EXPECT_EQ(v.n.op("alice").stake_micro, kStake);
  EXPECT_EQ(v.n.op("alice").slashed_micro, kStake);
  EXPECT_TRUE(v.caught(key).validator_updates.empty());
  EXPECT_EQ(v.n.op("alice").slashed_micro, kStake);
  EXPECT_EQ(v.join("alice", "consensus").txs[0].code, Code::validator_excluded);
  EXPECT_EQ(v.join("alice", "another").txs[0].code, Code::ok);  // with the stake that is left
}

TEST(Validators, WhoLeftStillAnswersWithWhatIsUnbonding) {
  Validators v;
  ASSERT_EQ(v.bond("alice", kStake), Code::ok);
  ASSERT_EQ(v.join("alice", "consensus").txs[0].code, Code::ok);
  ASSERT_EQ(v.leave("alice").txs[0].code, Code::ok);
  ASSERT_EQ(v.unbond("alice", kStake), Code::ok);
  EXPECT_TRUE(v.caught(key_of("consensus").public_key()).validator_updates.empty());
  EXPECT_EQ(v.n.op("alice").slashed_micro, kStake);
  EXPECT_EQ(v.state_of(key_of("consensus").public_key()), ValidatorState::excluded);
}

TEST(Validators, AFaultOfNobodyKnownChangesNothing) {
  Validators v;
  EXPECT_TRUE(v.caught(key_of("nobody").public_key()).validator_updates.empty());
}

TEST(Validators, WhoseStakeFellTooLowLeaves) {
  Validators v;
  ASSERT_EQ(v.bond("alice", kStake), Code::ok);
  ASSERT_EQ(v.join("alice", "first").txs[0].code, Code::ok);
  ASSERT_EQ(v.leave("alice").txs[0].code, Code::ok);
  ASSERT_EQ(v.join("alice", "second").txs[0].code, Code::ok);
  // Its earlier key is caught: the stake that backed the later one is gone.
  const BlockResult caught = v.caught(key_of("first").public_key());
  EXPECT_EQ(caught.validator_updates, update_of("second", 0));
  EXPECT_EQ(v.state_of(key_of("second").public_key()), ValidatorState::left);
}

}  // namespace
}  // namespace cloister::ledger
