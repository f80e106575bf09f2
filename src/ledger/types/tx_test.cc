#include <gtest/gtest.h>

#include "ledger/types/bodies.h"
#include "ledger/types/samples_testing.h"

namespace cloister::ledger {
namespace {

Transfer sample() {
  Transfer body;
  body.to = hash_of("to");
  body.amount_micro = 7;
  return body;
}

TEST(Tx, OpensWhatWasSigned) {
  const Buffer bytes = make_tx("chain", 3, sample(), key_of("a"), 11);
  const auto tx = open_tx(bytes, "chain");
  ASSERT_TRUE(tx);
  EXPECT_EQ(tx->account, key_of("a").public_key());
  EXPECT_EQ(tx->nonce, 3u);
  EXPECT_EQ(tx->fee_micro, 11u);
  EXPECT_EQ(Transfer::decode(tx->body), sample());
}

TEST(Tx, EachSingleFaultHasItsCode) {
  const Buffer good = make_tx("chain", 3, sample(), key_of("a"));
  auto code = [](Bytes bytes) {
    const auto tx = open_tx(bytes, "chain");
    return tx ? Code::ok : tx.error();
  };
  ASSERT_EQ(code(good), Code::ok);
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_EQ(code(Bytes(good).first(size)), Code::malformed);
  }
  EXPECT_EQ(code(Buffer(kMaxTxBytes + 1)), Code::too_large);
  EXPECT_EQ(code(Buffer(kMaxTxBytes)), Code::malformed);
  EXPECT_EQ(code(make_tx("other", 3, sample(), key_of("a"))), Code::wrong_chain);
  Buffer forged = good;
  forged.back() ^= 1;
  EXPECT_EQ(code(forged), Code::bad_signature);
  SignedTx other = *SignedTx::decode(good);
  Tx tx = *Tx::decode(other.tx);
  tx.nonce = 4;
  other.tx = tx.encode();
  EXPECT_EQ(code(other.encode()), Code::bad_signature);
}

TEST(Tx, RegistrationIsBoundToItsOperatorAndChain) {
  Registration registration;
  registration.identity_key = key_of("i").public_key();
  const auto body = sign_registration(registration, "chain", hash_of("op"), key_of("i"));
  EXPECT_TRUE(verify_registration(body, "chain", hash_of("op")));
  EXPECT_FALSE(verify_registration(body, "chain", hash_of("other")));
  EXPECT_FALSE(verify_registration(body, "other", hash_of("op")));
  const auto renewal = sign_renewal(Renewal(), "chain", key_of("i"));
  EXPECT_TRUE(verify_renewal(renewal, "chain", key_of("i").public_key()));
  EXPECT_FALSE(verify_renewal(renewal, "other", key_of("i").public_key()));
  EXPECT_FALSE(verify_renewal(renewal, "chain", key_of("j").public_key()));
}

}  // namespace
}  // namespace cloister::ledger
