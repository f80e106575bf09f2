#include "ledger/types/genesis.h"

#include <gtest/gtest.h>

#include "ledger/types/account.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

TEST(Genesis, JsonAndHash) {
  const Genesis genesis = sample_network(4).genesis;
  const auto read = genesis_from_json(genesis.to_json().dump_pretty());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, genesis);
  EXPECT_EQ(read->hash(), genesis.hash());
  Genesis other = genesis;
  other.time_ms += 1;
  EXPECT_NE(other.hash(), genesis.hash());
  EXPECT_EQ(genesis_from_json("{").error(), GenesisError::not_json);
  EXPECT_EQ(genesis_from_json("{}").error(), GenesisError::wrong_shape);
}

TEST(Genesis, EachSingleFaultHasItsError) {
  ASSERT_TRUE(check(sample_network(4).genesis));
  struct Case {
    const char* name;
    void (*spoil)(Genesis&);
    GenesisError want;
  };
  const Case cases[] = {
      {"no chain id", [](Genesis& g) { g.chain_id.clear(); }, GenesisError::chain_id},
      {"zero deadline", [](Genesis& g) { g.params.settle_window_blocks = 0; },
       GenesisError::params},
      {"history too short", [](Genesis& g) { g.params.history_blocks = 10; }, GenesisError::params},
      {"a stake that could vote twice",
       [](Genesis& g) { g.params.unbond_blocks = g.params.voting_blocks - 1; },
       GenesisError::params},
      {"release keys that are not sorted",
       [](Genesis& g) {
         g.release_keys = {hash_of("b"), hash_of("b")};
         g.release_threshold = 1;
       },
       GenesisError::release_keys},
      {"a threshold above the keys",
       [](Genesis& g) {
         g.release_keys = {hash_of("b")};
         g.release_threshold = 2;
       },
       GenesisError::release_keys},
      {"keys that decide alone", [](Genesis& g) { g.release_keys = {hash_of("b")}; },
       GenesisError::release_keys},
      {"a policy that repeats itself",
       [](Genesis& g) { g.policy.denied_advisories = {"SA-1", "SA-1"}; }, GenesisError::policy},
      {"a policy that denies nothing in particular",
       [](Genesis& g) { g.policy.denied_measurements = {Buffer()}; }, GenesisError::policy},
      {"validators with nothing to lose", [](Genesis& g) { g.params.validator_stake_micro = 0; },
       GenesisError::params},
      {"share over 1000", [](Genesis& g) { g.params.treasury_permille = 1001; },
       GenesisError::params},
      {"treasury funded",
       [](Genesis& g) {
         g.accounts.resize(1);
         g.accounts[0].account = treasury_account();
       },
       GenesisError::accounts},
      {"account twice", [](Genesis& g) { g.accounts.resize(2); }, GenesisError::accounts},
      {"total too large",
       [](Genesis& g) {
         g.accounts.resize(2);
         g.accounts[0].balance_micro = UINT64_MAX;
         g.accounts[1].account[0] = 1;
         g.accounts[1].balance_micro = 1;
       },
       GenesisError::accounts},
      {"model twice", [](Genesis& g) { g.models.push_back(g.models[0]); }, GenesisError::models},
      {"share without owner", [](Genesis& g) { g.models[0].owner_permille = 1; },
       GenesisError::models},
      {"no validators", [](Genesis& g) { g.validators.clear(); }, GenesisError::validators},
      {"unequal power", [](Genesis& g) { g.validators[2].power = 11; }, GenesisError::validators},
      {"validator twice", [](Genesis& g) { g.validators[1] = g.validators[0]; },
       GenesisError::validators},
      {"threshold", [](Genesis& g) { g.beacon.threshold = 1; }, GenesisError::beacon},
      {"key missing", [](Genesis& g) { g.beacon.public_keys.pop_back(); }, GenesisError::beacon},
      {"key is the identity", [](Genesis& g) { g.beacon.public_keys[0] = {}; },
       GenesisError::beacon},
      {"development roots", [](Genesis& g) { g.development = false; }, GenesisError::development},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Genesis genesis = sample_network(4).genesis;
    c.spoil(genesis);
    const auto got = check(genesis);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error(), c.want);
  }
}

}  // namespace
}  // namespace cloister::ledger
