#include "gateway/sealed_chat.h"

#include <gtest/gtest.h>

namespace cloister::gateway {
namespace {

// A true receipt and what it is compared with.
struct Scene {
  SeededRandom random{1};
  crypto::Ed25519Key key = crypto::Ed25519Key::generate(random);
  ledger::Session session;
  ledger::Instance instance;
  Hash32 evidence_digest{};
  ledger::Receipt receipt;
  wire::Done done;
  std::string answer = "Paris";
  uint64_t used_before = 10;

  Scene() {
    evidence_digest.fill(6);
    session.id.fill(1);
    session.model_root.fill(2);
    session.max_units = 1000;
    instance.id.fill(3);
    instance.identity_key = key.public_key();
    receipt.chain_id = "chain";
    receipt.session = session.id;
    receipt.sequence = 4;
    receipt.instance_id = instance.id;
    receipt.model_root = session.model_root;
    receipt.request_hash.fill(5);
    receipt.prompt_units = 20;
    receipt.completion_units = 3;
    receipt.cumulative_units = 33;
    receipt.evidence_digest = evidence_digest;
    receipt.answer_hash = wire::answer_hash(answer, done.answer_salt);
    done.result = {20, 3, inference::FinishReason::stop};
  }
  std::expected<ledger::SignedReceipt, std::string_view> accept() {
    auto made = ledger::sign_receipt(receipt, key);
    done.receipt = made.receipt.encode();
    done.signature = made.signature;
    Hash32 request_hash;
    request_hash.fill(5);
    return accept_receipt(
        done, {"chain", session, instance, 4, request_hash, answer, used_before, evidence_digest});
  }
};

TEST(AcceptReceipt, EachUntrueStatementIsRefused) {
  ASSERT_TRUE(Scene().accept());
  struct Case {
    const char* want;
    void (*spoil)(Scene&);
  };
  const Case cases[] = {
      {"another key signed it", [](Scene& s) { s.instance.identity_key[0] ^= 1; }},
      {"another chain", [](Scene& s) { s.receipt.chain_id = "other"; }},
      {"another session", [](Scene& s) { s.receipt.session[0] ^= 1; }},
      {"another answer of the session", [](Scene& s) { s.receipt.sequence = 5; }},
      {"another instance", [](Scene& s) { s.receipt.instance_id[0] ^= 1; }},
      {"another model", [](Scene& s) { s.receipt.model_root[0] ^= 1; }},
      {"another request", [](Scene& s) { s.receipt.request_hash[0] ^= 1; }},
      {"another answer", [](Scene& s) { s.answer = "Rome"; }},
      {"other counts than it told", [](Scene& s) { s.receipt.completion_units = 2; }},
      {"more units than the answer took", [](Scene& s) { s.receipt.cumulative_units = 34; }},
      {"more units than the answer took", [](Scene& s) { s.used_before = 34; }},
      {"more units than the session has", [](Scene& s) { s.session.max_units = 32; }},
      {"other evidence", [](Scene& s) { s.receipt.evidence_digest[0] ^= 1; }},
  };
  for (const Case& c : cases) {
    Scene scene;
    c.spoil(scene);
    auto got = scene.accept();
    ASSERT_FALSE(got) << c.want;
    EXPECT_EQ(got.error(), c.want);
  }
}

TEST(AcceptReceipt, AReceiptThatIsNoneIsRefused) {
  Scene scene;
  ASSERT_TRUE(scene.accept());
  scene.done.receipt.pop_back();
  EXPECT_EQ(accept_receipt(
                scene.done,
                {"chain", scene.session, scene.instance, 4, {}, "Paris", 10, scene.evidence_digest})
                .error(),
            "it is not well-formed");
}

}  // namespace
}  // namespace cloister::gateway
