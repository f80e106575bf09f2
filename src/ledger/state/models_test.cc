#include <gtest/gtest.h>

#include "ledger/state/network_testing.h"
#include "ledger/types/keys.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kFunds = 100'000'000;

TEST(Models, TheOwnersShareIsTheOneOfTheDraw) {
  Genesis genesis = TestNetwork::funded({"op", "alice", "owner"}, kFunds);
  genesis.models[0].owner = key_of("owner").public_key();
  genesis.models[0].owner_permille = 100;
  TestNetwork n(genesis);
  n.bring_up("op", "node", 1);
  const SessionId before = n.open_confirmed("alice");
  UpdateModel update;
  update.root = hash_of("model");
  update.owner = key_of("heir").public_key();
  update.owner_permille = 900;
  ASSERT_EQ(n.send("owner", update).code, Code::ok);
  const SessionId after = n.open_confirmed("alice");
  ASSERT_EQ(n.send("node", n.settle_body(before, "node", 1'000'000)).code, Code::ok);
  EXPECT_EQ(n.balance("owner"), kFunds + 25'000);  // a tenth of 250,000
  ASSERT_EQ(n.send("node", n.settle_body(after, "node", 1'000'000)).code, Code::ok);
  EXPECT_EQ(n.balance("heir"), 225'000u);
  EXPECT_EQ(n.send("owner", update).code, Code::not_model_owner);
}

TEST(Models, ARegisteredModelIsFoundByItsName) {
  TestNetwork n(TestNetwork::funded({"owner"}, kFunds));
  ASSERT_EQ(n.send("owner", TestNetwork::model_body("owner", "second")).code, Code::ok);
  EXPECT_EQ(n.balance("owner"), kFunds - n.state.genesis().params.model_fee_micro);
  for (const char* name : {"model", "second"}) {  // of the genesis, and of its owner
    const auto root = n.state.store().get(Family::models, model_name_key(name));
    ASSERT_TRUE(root) << name;
    EXPECT_EQ(to_buffer(*root), id_key(hash_of(name)));
  }
}

TEST(Models, ADeprecatedModelServesWhatRunsAndNothingNew) {
  Genesis owned = TestNetwork::funded({"op", "alice", "owner"}, kFunds);
  owned.models[0].owner = key_of("owner").public_key();
  TestNetwork n(owned);
  n.bring_up("op", "node", 1);
  const SessionId running = n.open_confirmed("alice");
  DeprecateModel end;
  end.root = hash_of("model");
  ASSERT_EQ(n.send("owner", end).code, Code::ok);
  EXPECT_EQ(n.send("alice", TestNetwork::open_body()).code, Code::model_deprecated);
  EXPECT_EQ(n.send("op", n.register_body("op", "other", 2)).code, Code::model_deprecated);
  EXPECT_EQ(n.send("node", n.renew_body("node", 1)).code, Code::ok);
  EXPECT_EQ(n.send("node", n.settle_body(running, "node", 10)).code, Code::ok);
}

}  // namespace
}  // namespace cloister::ledger
