// Registration with evidence on four validators: each verifies it itself, and all say the same.
#include <gtest/gtest.h>

#include "chain/comet/network_testing.h"
#include "chain/comet/program.h"
#include "ledger/admit/ledger_testing.h"
#include "ledger/admit/verifier.h"
#include "ledger/types/keys.h"

namespace cloister::chain::comet {
namespace {

using ledger::Code;
const std::vector<size_t> kAll = {0, 1, 2, 3};

NetworkOptions with_true_verifier() {
  NetworkOptions out;
  out.verifier = [] { return ledger::make_verifier(); };
  out.change_genesis = [](ledger::Genesis& g) {
    const ledger::Genesis admit = ledger::TestLedger::genesis();
    g.development_intel = admit.development_intel;
    g.development_amd = admit.development_amd;
    g.policy = admit.policy;
    g.models = admit.models;
  };
  return out;
}

class RegistrationTest : public testing::Test {
 protected:
  void SetUp() override {
    CLOISTER_NEEDS_COMETBFT();
    network_.emplace(with_true_verifier());
    network_->start_all();
    ASSERT_TRUE((*network_)[0].wait_height(3));
    client_.emplace(network_->client(kAll));
    ledger::OperatorBond bond;
    bond.amount_micro = network_->genesis().params.min_stake_micro;
    ASSERT_EQ(client_->send("operator", bond), Code::ok);
  }
  void bring(const ledger::FileGroups& groups) {
    for (const auto& files : groups) {
      ledger::PutCollateral put;
      put.files = files;
      ASSERT_EQ(client_->send("alice", put), Code::ok);
    }
  }
  std::expected<Code, light::LightError> enter(const ledger::Candidate& candidate) {
    const auto newest = client_->run((**client_).latest());
    EXPECT_TRUE(newest);
    const auto height = static_cast<uint64_t>(newest->height - 1);
    const auto block =
        client_->read<ledger::BlockRef>(ledger::Family::blocks, ledger::number_key(height));
    EXPECT_TRUE(block);
    return client_->send(
        "operator", ledger::registration_for(network_->genesis(), candidate, height, block->hash));
  }

  std::optional<TestCometNetwork> network_;
  std::optional<TestClient> client_;
};

TEST_F(RegistrationTest, EveryValidatorVerifiesTheEvidence) {
  const UnixSeconds now = network_->clock.now();
  ledger::Candidate tdx;
  EXPECT_EQ(enter(tdx), Code::evidence_collateral_missing);
  bring(ledger::intel_collateral(now));
  ledger::Candidate other_image = tdx, debug = tdx, replayed = tdx;
  other_image.image = 9;
  debug.debug = true;
  replayed.other_block = true;
  EXPECT_EQ(enter(other_image), Code::policy_measurement);
  EXPECT_EQ(enter(debug), Code::evidence_debug_enabled);
  EXPECT_EQ(enter(replayed), Code::evidence_report_data_mismatch);
  EXPECT_EQ(enter(tdx), Code::ok);
  bring(ledger::amd_collateral(0, now));
  ledger::Candidate snp;
  snp.tdx = false;
  snp.snp = true;
  snp.identity = "another identity";
  EXPECT_EQ(enter(snp), Code::ok);
  const auto id = ledger::instance_id_of(ledger::key_of("identity").public_key());
  const auto instance = client_->read<ledger::Instance>(ledger::Family::instances, id);
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->state, ledger::InstanceState::active);
  network_->expect_agreement(kAll, (*network_)[0].height());
}

}  // namespace
}  // namespace cloister::chain::comet
