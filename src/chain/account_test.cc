// An account's transactions on the ledger itself: their order, their fee, and what becomes of one
// that is refused.
#include "light/account.h"

#include <gtest/gtest.h>

#include "chain/chain_testing.h"
#include "chain/direct_rpc_testing.h"
#include "chain/ledger_chain_testing.h"
#include "http/http_testing.h"
#include "ledger/state/network_testing.h"

namespace cloister::chain {
namespace {

using ledger::Code;
constexpr uint64_t kFunds = 1'000'000;

class AccountTest : public testing::Test {
 protected:
  explicit AccountTest(uint64_t min_fee_micro = 0)
      : genesis_(ledger::TestNetwork::funded({"alice", "bob"}, kFunds)) {
    genesis_.params.min_fee_micro = min_fee_micro;
    clock_.set_ms(static_cast<UnixMillis>(genesis_.time_ms));
    chain_.emplace(*open_ledger(genesis_, folder_.file("ledger.db")));
    produce(3);
    client_.emplace(context_.executor(), std::make_unique<DirectRpc>(*chain_, tamper_), clock_,
                    light::trust_of(genesis_));
    alice_.emplace(*client_, key(), genesis_.chain_id, context_.executor());
  }
  static crypto::Ed25519Key key() {
    return crypto::Ed25519Key::from_seed(ledger::key_of("alice").seed());
  }
  void produce(int count) {
    for (int i = 0; i < count; ++i) {
      clock_.advance_ms(1000);
      ASSERT_TRUE(chain_->produce(clock_.now_ms()));
    }
  }
  std::optional<Code> pay(light::Account& from, uint64_t amount_micro) {
    ledger::Transfer body;
    body.to = ledger::key_of("bob").public_key();
    body.amount_micro = amount_micro;
    const auto sent = context_.await(from.send(body, light::Millis(5000)));
    return sent ? Code::ok : sent.error().code;
  }
  ledger::Account stored() {
    const auto read =
        chain_->view_at(chain_->height())->read("accounts", ledger::key_of("alice").public_key());
    return *ledger::Account::decode(*read->value);
  }

  TemporaryFolder folder_;
  ManualClock clock_{0};
  ledger::Genesis genesis_;
  std::optional<LocalChain> chain_;
  // Whatever is sent stands in the next block, and another follows.
  const Tamper tamper_ = [this](std::string_view method, JsonValue&) {
    if (method == "broadcast_tx_sync") produce(2);
  };
  http::TestContext context_;
  std::optional<light::Client> client_;
  std::optional<light::Account> alice_;
};

TEST_F(AccountTest, GoesOnAfterARefusal) {
  EXPECT_EQ(pay(*alice_, 1), Code::ok);
  EXPECT_EQ(pay(*alice_, 2 * kFunds), Code::insufficient_balance);
  EXPECT_EQ(stored().nonce, 2u);
  EXPECT_EQ(pay(*alice_, 1), Code::ok);
  EXPECT_EQ(stored().balance_micro, kFunds - 2);
}

TEST_F(AccountTest, WhoeverElseSendsForItIsNoticed) {
  light::Account other(*client_, key(), genesis_.chain_id, context_.executor());
  EXPECT_EQ(pay(*alice_, 1), Code::ok);
  EXPECT_EQ(pay(other, 1), Code::ok);
  EXPECT_EQ(pay(*alice_, 1), Code::ok);
  EXPECT_EQ(stored().nonce, 3u);
}

class AccountWithFeeTest : public AccountTest {
 protected:
  AccountWithFeeTest() : AccountTest(7) {}
};

TEST_F(AccountWithFeeTest, PaysWhatTheLedgerAsksFor) {
  EXPECT_EQ(pay(*alice_, 1), Code::ok);
  EXPECT_EQ(pay(*alice_, 2 * kFunds), Code::insufficient_balance);
  EXPECT_EQ(pay(*alice_, 1), Code::ok);
  EXPECT_EQ(stored().balance_micro, kFunds - 2 - 3 * 7);
}

class AccountWithDearFeeTest : public AccountTest {
 protected:
  AccountWithDearFeeTest() : AccountTest(light::kMaxFeeMicro + 1) {}
};

TEST_F(AccountWithDearFeeTest, PaysNothingUnreasonable) {
  EXPECT_EQ(pay(*alice_, 1), Code::fee_too_low);
  EXPECT_EQ(stored().balance_micro, kFunds);
}

}  // namespace
}  // namespace cloister::chain
