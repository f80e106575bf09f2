// An RPC endpoint of a real network that lies: alone, it is never believed; beside an honest one it
// is found out and the honest answer is used.
#include <gtest/gtest.h>

#include "base/text.h"
#include "chain/comet/network_testing.h"
#include "chain/comet/program.h"
#include "ledger/types/account.h"
#include "ledger/types/keys.h"

namespace cloister::chain::comet {
namespace {

using Lie =
    std::function<void(std::string_view method, const JsonValue& params, JsonValue& result)>;

class LyingRpc final : public light::Rpc {
 public:
  LyingRpc(std::unique_ptr<light::Rpc> honest, Lie lie)
      : honest_(std::move(honest)), lie_(std::move(lie)) {}
  boost::asio::awaitable<std::expected<JsonValue, light::LightError>> call(
      std::string method, JsonValue params, light::Millis timeout) override {
    const JsonValue asked = params;
    auto result = co_await honest_->call(method, std::move(params), timeout);
    if (result) lie_(method, asked, *result);
    co_return result;
  }

 private:
  const std::unique_ptr<light::Rpc> honest_;
  const Lie lie_;
};

// Replaces what lies at `path`.
void put(JsonValue& value, std::vector<std::string> path, const JsonValue& leaf) {
  if (path.empty()) {
    value = leaf;
    return;
  }
  const std::string first = path.front();
  path.erase(path.begin());
  JsonValue inner = value[first];
  put(inner, std::move(path), leaf);
  value.set(first, std::move(inner));
}

JsonValue signatures_of(const JsonValue& result) {
  return result["signed_header"]["commit"]["signatures"];
}

const std::vector<std::string> kSignatures = {"signed_header", "commit", "signatures"};

// All signatures, after each was changed.
Lie each_signature(const std::function<void(JsonValue&)>& change) {
  return [change](std::string_view method, const JsonValue&, JsonValue& result) {
    if (method != "commit") return;
    JsonValue out = JsonValue::Array();
    const JsonValue all = signatures_of(result);
    for (const JsonValue& each : all.array() ? *all.array() : JsonValue::Array()) {
      JsonValue changed = each;
      change(changed);
      out.push(std::move(changed));
    }
    put(result, kSignatures, out);
  };
}

struct NamedLie {
  const char* name;
  Lie lie;
};

std::vector<NamedLie> lies() {
  const std::string zeros(64, '0');
  return {
      {"an old header that is passed off as the newest",
       [](std::string_view method, const JsonValue& params, JsonValue& result) {
         if (method == "commit" && params["height"].is_null()) {
           put(result, {"signed_header", "header", "height"}, "1");
         }
       }},
      {"another state",
       [zeros](std::string_view method, const JsonValue&, JsonValue& result) {
         if (method == "commit") put(result, {"signed_header", "header", "app_hash"}, zeros);
       }},
      {"another value",
       [](std::string_view method, const JsonValue&, JsonValue& result) {
         ledger::Account rich;
         rich.balance_micro = 1'000'000'000'000;
         if (method == "abci_query") {
           put(result, {"response", "value"}, to_base64(rich.encode()));
         }
       }},
      {"a value that is hidden",
       [](std::string_view method, const JsonValue&, JsonValue& result) {
         if (method == "abci_query") put(result, {"response", "value"}, JsonValue());
       }},
      {"a proof that is cut",
       [](std::string_view method, const JsonValue&, JsonValue& result) {
         if (method != "abci_query") return;
         const JsonValue ops = result["response"]["proofOps"]["ops"];
         JsonValue one = JsonValue::Array();
         if (ops.array() && !ops.array()->empty()) one.push((*ops.array())[0]);
         put(result, {"response", "proofOps", "ops"}, one);
       }},
      {"another height of the state",
       [](std::string_view method, const JsonValue&, JsonValue& result) {
         if (method == "abci_query") put(result, {"response", "height"}, "2");
       }},
      {"validators of its own",
       [](std::string_view method, const JsonValue&, JsonValue& result) {
         if (method != "validators") return;
         const light::ValidatorsPage page{light::int64_from(result["block_height"]).value_or(0),
                                          1,
                                          {{ledger::key_of("the liar").public_key(), 10}}};
         result = light::to_json(page);
       }},
      {"one signature for all",
       [](std::string_view method, const JsonValue&, JsonValue& result) {
         if (method != "commit") return;
         const JsonValue all = signatures_of(result);
         JsonValue out = JsonValue::Array();
         for (size_t i = 0; all.array() && i < all.array()->size(); ++i) {
           out.push((*all.array())[0]);
         }
         put(result, kSignatures, out);
       }},
      {"votes for nothing passed off as votes for the block",
       each_signature([](JsonValue& signature) { signature.set("block_id_flag", 3); })},
      {"signatures of others", each_signature([](JsonValue& signature) {
         signature.set("signature", to_base64(Buffer(64, 7)));
       })},
      {"the votes' times", each_signature([](JsonValue& signature) {
         signature.set("timestamp", "2026-01-01T00:00:00Z");
       })},
  };
}

TEST(CometLyingRpc, IsNeverBelieved) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(4));
  const auto alice = ledger::id_key(ledger::key_of("alice").public_key());
  const auto liar = [&](const Lie& lie) {
    return light::Endpoint{"the liar",
                           std::make_unique<LyingRpc>(std::move(network[0].endpoint().rpc), lie)};
  };
  const auto read = [&](TestClient& client) {
    return client.run((*client).read(ledger::Family::accounts, alice, 0, light::Millis(2'000)));
  };
  for (const NamedLie& each : lies()) {
    SCOPED_TRACE(each.name);
    std::vector<light::Endpoint> alone, beside;
    alone.push_back(liar(each.lie));
    TestClient deceived = network.client(std::move(alone));
    EXPECT_FALSE(read(deceived));

    beside.push_back(liar(each.lie));
    beside.push_back(network[1].endpoint());
    TestClient wary = network.client(std::move(beside));
    const auto value = read(wary);
    ASSERT_TRUE(value) << light::describe(value.error());
    ASSERT_TRUE(value->value);
    EXPECT_EQ(ledger::Account::decode(*value->value)->balance_micro, 1'000'000'000u);
    const auto reports = wary.run((*wary).endpoints());
    EXPECT_NE((*reports)[0].state, light::EndpointState::agrees);
  }
}

TEST(CometLyingRpc, AnHonestOneIsBelieved) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(4));
  std::vector<light::Endpoint> endpoints;
  endpoints.push_back({"honest", std::make_unique<LyingRpc>(
                                     std::move(network[0].endpoint().rpc),
                                     [](std::string_view, const JsonValue&, JsonValue&) {})});
  TestClient client = network.client(std::move(endpoints));
  EXPECT_TRUE(
      client.read<ledger::Account>(ledger::Family::accounts, ledger::key_of("alice").public_key()));
}

}  // namespace
}  // namespace cloister::chain::comet
