// Random lives of a whole network: the same in every build and after a reload, and however they
// went, everything ends and nobody's money stays behind.
#include <gtest/gtest.h>

#include "base/text.h"
#include "ledger/state/commands_testing.h"
#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

Hash32 root(const RandomLife& life) {
  return life.net.state.store().sealed().app_hash();
}

TEST(Life, GoesEverywhere) {
  std::map<TxKind, size_t> accepted;
  std::map<Code, size_t> refused;
  std::map<CheckOutcome, size_t> outcomes;
  std::map<ProposalState, size_t> proposals;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    RandomLife life(seed);
    for (int i = 0; i < 200; ++i) life.step();
    for (const auto& [kind, count] : life.accepted) accepted[kind] += count;
    for (const auto& [code, count] : life.refused) refused[code] += count;
    for (const Check& check : life.all<Check>(Family::checks)) ++outcomes[check.outcome];
    for (const Proposal& each : life.all<Proposal>(Family::proposals)) ++proposals[each.state];
  }
  for (int kind = 1; kind < 100; ++kind) {
    const auto each = static_cast<TxKind>(kind);
    if (name(each).empty()) continue;
    EXPECT_GT(accepted[each], 3u) << name(each);
  }
  EXPECT_GT(refused.size(), 30u);
  for (CheckOutcome outcome : {CheckOutcome::passed, CheckOutcome::failed, CheckOutcome::unopened,
                               CheckOutcome::undecided}) {
    EXPECT_GT(outcomes[outcome], 2u) << name(outcome);
  }
  EXPECT_GT(proposals[ProposalState::executed], 10u);
  EXPECT_GT(proposals[ProposalState::rejected], 10u);
}

// No path leaves money locked after its deadlines.
TEST(Life, EverythingEndsAndNobodysMoneyStaysBehind) {
  for (uint64_t seed = 100; seed < 130; ++seed) {
    SCOPED_TRACE(seed);
    RandomLife life(seed);
    for (int i = 0; i < 150; ++i) life.step();
    life.let_everything_end();
    for (const Session& session : life.all<Session>(Family::sessions)) {
      EXPECT_TRUE(session.state == SessionState::closed || session.state == SessionState::refunded)
          << name(session.state);
      EXPECT_EQ(session.escrow_micro, 0u);
    }
    for (const Check& check : life.all<Check>(Family::checks)) {
      EXPECT_EQ(check.state, CheckState::ended);
      EXPECT_EQ(check.bond_micro, 0u);
    }
    for (const Proposal& proposal : life.all<Proposal>(Family::proposals)) {
      EXPECT_NE(proposal.state, ProposalState::open);
      EXPECT_NE(proposal.state, ProposalState::passed);
    }
    for (const Instance& instance : life.all<Instance>(Family::instances)) {
      EXPECT_EQ(instance.open_sessions, 0u);
      EXPECT_FALSE(is_live(instance));
    }
    life.net.state.store().for_each(Family::due, {}, [&](Bytes key, Bytes) {
      EXPECT_EQ(key[8], static_cast<uint8_t>(DueKind::policy));  // the end of a release, far away
      return true;
    });
    // Whoever has a stake gets all of it back.
    for (const std::string& who : RandomLife::people()) {
      if (!life.net.state.store().get(Family::operators, key_of(who).public_key())) continue;
      if (life.net.state.store().get(Family::validators, key_of(who).public_key())) {
        EXPECT_EQ(name(life.net.send(who, LeaveValidators(), 1).code), "ok");
      }
      OperatorUnbond unbond;
      unbond.amount_micro = life.net.op(who).stake_micro;
      if (unbond.amount_micro > 0) {
        EXPECT_EQ(name(life.net.send(who, unbond, 1).code), "ok");
      }
    }
    life.let_everything_end();
    uint64_t held = 0;
    for (const std::string& who : RandomLife::people()) {
      life.net.send(who, OperatorWithdraw(), 1);
      held += life.net.balance(who);
    }
    // Instances sign with keys of their own, which have received nothing.
    held += Account::decode(*life.net.state.store().get(Family::accounts, treasury_account()))
                ->balance_micro;
    EXPECT_EQ(held, RandomLife::people().size() * RandomLife::kFunds);
    // The genesis made the stake of its validator besides.
    EXPECT_EQ(total_money(life.net.state.store()),
              held + RandomLife::genesis().params.validator_stake_micro);
  }
}

TEST(Life, AReloadAtAnyHeightGoesOnInTheSameWay) {
  for (uint64_t seed = 200; seed < 210; ++seed) {
    SCOPED_TRACE(seed);
    RandomLife life(seed), other(seed);
    for (int i = 0; i < 120; ++i) {
      life.step();
      other.step();
      other.net.state = *State::from_store(other.net.state.store(), other.net.verifier);
      ASSERT_EQ(root(life), root(other)) << "block " << i;
    }
  }
}

// A database is written with the changes of each block.
TEST(Life, WhatWasSavedBlockByBlockGoesOnInTheSameWay) {
  for (uint64_t seed = 300; seed < 305; ++seed) {
    SCOPED_TRACE(seed);
    RandomLife life(seed);
    std::map<std::pair<Family, Buffer>, Buffer> saved;
    for (int i = 0; i < 120; ++i) {
      life.step();
      for (StoreChange& change : life.net.state.take_changes()) {
        if (change.value) {
          saved[{change.family, change.key}] = std::move(*change.value);
        } else {
          saved.erase({change.family, change.key});
        }
      }
    }
    std::vector<StoreChange> rows;
    for (const auto& [key, value] : saved) rows.push_back({key.first, key.second, value});
    TestNetwork again = life.net;
    again.state = *State::from_store(Store::load(rows), life.net.verifier);
    EXPECT_EQ(again.state.height(), life.net.state.height());
    EXPECT_EQ(again.state.store().sealed().app_hash(), root(life));
    EXPECT_EQ(again.block().app_hash, life.net.block().app_hash);
  }
}

// The root of one life, as every compiler, optimisation and sanitizer must compute it. It changes
// with every change of the protocol, which then belongs into CHANGELOG.md.
TEST(Life, TheRootIsTheSameInEveryBuild) {
  RandomLife life(1);
  for (int i = 0; i < 200; ++i) life.step();
  EXPECT_EQ(to_hex(root(life)), "23ff79a9229269ceeaaaa1c04b2da485bfbf0a4602cf26bd020f727a08c9d161");
}

}  // namespace
}  // namespace cloister::ledger
