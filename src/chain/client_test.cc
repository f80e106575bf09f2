// The light client against the driver's own RPC, honest and lying. No socket: an Rpc that calls the
// methods directly and lets the test change what comes back.
#include "light/client.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "chain/chain_testing.h"
#include "chain/direct_rpc_testing.h"
#include "http/http_testing.h"

namespace cloister::chain {
namespace {

using light::LightError;

// Replaces a member of nested objects.
void set_at(JsonValue& value, std::vector<std::string> path, JsonValue leaf) {
  if (path.empty()) {
    value = std::move(leaf);
    return;
  }
  const std::string key = path.front();
  path.erase(path.begin());
  JsonValue child = value[key];
  set_at(child, std::move(path), std::move(leaf));
  value.set(key, std::move(child));
}

// Is not there.
class NoRpc final : public light::Rpc {
 public:
  explicit NoRpc(LightError says = LightError::unreachable) : says_(says) {}
  light::asio::awaitable<std::expected<JsonValue, LightError>> call(std::string, JsonValue,
                                                                    light::Millis) override {
    ++asked;
    co_return std::unexpected(says_);
  }
  int asked = 0;

 private:
  const LightError says_;
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() : chain_(*open_toy(folder_.file("ledger.db"))) { fill(chain_, clock_, 4); }
  static void fill(LocalChain& chain, ManualClock& clock, int blocks) {
    for (uint64_t i = 0; i < 3; ++i) {
      chain.submit(toy_tx(toy_sender(1), i, "k" + std::to_string(i), "v" + std::to_string(i)));
    }
    produce(chain, clock, blocks);
  }
  static void produce(LocalChain& chain, ManualClock& clock, int count) {
    for (int i = 0; i < count; ++i) {
      clock.advance_ms(1000);
      ASSERT_TRUE(chain.produce(clock.now_ms()));
    }
  }
  void produce(int count) { produce(chain_, clock_, count); }
  light::Client client(light::TrustStart start) {
    return light::Client(context_.executor(), std::make_unique<DirectRpc>(chain_, tamper_), clock_,
                         std::move(start));
  }
  light::Client client() {
    return client({"toy-1", chain_.parts().validators, std::nullopt, false});
  }
  light::Client impatient() {
    light::ClientConfig config;
    config.poll_interval = light::Millis(1);
    return light::Client(context_.executor(), std::make_unique<DirectRpc>(chain_, tamper_), clock_,
                         {"toy-1", chain_.parts().validators, std::nullopt, false}, config);
  }
  std::expected<light::ProvenValue, LightError> read(light::Client& c, std::string_view key,
                                                     int64_t min_height = 0) {
    return context_.await(
        c.read(kToyValues, to_buffer(as_bytes(key)), min_height, light::Millis(200)));
  }
  LightError read_error(Tamper tamper) {
    light::Client c = client();
    tamper_ = std::move(tamper);
    const auto got = read(c, "k1");
    tamper_ = nullptr;
    EXPECT_FALSE(got);
    return got ? LightError::bad_options : got.error();
  }

  TemporaryFolder folder_;
  LocalChain chain_;
  ManualClock clock_{kTestGenesisMs};
  Tamper tamper_;
  http::TestContext context_;
};

TEST_F(ClientTest, ReadsAreProven) {
  light::Client c = client();
  const auto present = read(c, "k1");
  ASSERT_TRUE(present) << describe(present.error());
  EXPECT_EQ(present->value, to_buffer(as_bytes("v1")));
  EXPECT_EQ(present->height, 3);
  EXPECT_EQ(present->block_time_ms, chain_.last()->time_ms());
  const auto absent = read(c, "nobody");
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->value);
}

// --- several endpoints --------------------------------------------------------------------------

class Endpoints : public ClientTest {
 protected:
  light::Client client_of(std::vector<light::Endpoint> endpoints) {
    light::TrustStart start{"toy-1", chain_.parts().validators, std::nullopt, false};
    return light::Client(context_.executor(), std::move(endpoints), clock_, std::move(start));
  }
  light::Endpoint honest(const std::string& name) {
    return {name, std::make_unique<DirectRpc>(chain_, none_)};
  }
  light::Endpoint liar(const std::string& name) {
    return {name, std::make_unique<DirectRpc>(chain_, tamper_)};
  }
  static std::vector<light::Endpoint> list(light::Endpoint a, light::Endpoint b) {
    std::vector<light::Endpoint> out;
    out.push_back(std::move(a));
    out.push_back(std::move(b));
    return out;
  }
  std::vector<light::EndpointReport> reports(light::Client& c) {
    return *context_.await(c.endpoints());
  }
  const Tamper none_;
};

TEST_F(Endpoints, ALiarGivesWayToTheNextAndIsNamed) {
  struct Case {
    const char* method;
    std::vector<std::string> member;
    JsonValue lie;
    LightError want;
  };
  const Case cases[] = {
      {"abci_query", {"response", "value"}, "bGll", LightError::wrong_proof_value},
      {"commit", {"signed_header", "header", "chain_id"}, "toy-2", LightError::wrong_chain},
      {"commit", {"signed_header"}, JsonValue(), LightError::bad_json},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.method);
    tamper_ = [&](std::string_view method, JsonValue& result) {
      if (method == c.method) set_at(result, c.member, c.lie);
    };
    light::Client client = client_of(list(liar("liar"), honest("honest")));
    EXPECT_TRUE(read(client, "k1"));
    const auto told = reports(client);
    EXPECT_EQ(told[0].name, "liar");
    EXPECT_EQ(told[0].state, light::EndpointState::lying);
    EXPECT_EQ(told[0].error, c.want) << describe(*told[0].error);
    EXPECT_EQ(told[1].state, light::EndpointState::agrees);
    tamper_ = nullptr;
    // It is asked last from now on, whatever it says.
    EXPECT_TRUE(read(client, "k1"));
    EXPECT_EQ(reports(client)[0].state, light::EndpointState::lying);
  }
}

TEST_F(Endpoints, WhoIsSilentOrLagsGivesWayToTheNext) {
  auto gone = std::make_unique<NoRpc>();
  NoRpc& asked = *gone;
  light::Client c = client_of(list({"gone", std::move(gone)}, honest("honest")));
  EXPECT_TRUE(read(c, "k1"));
  EXPECT_EQ(reports(c)[0].state, light::EndpointState::unreachable);
  EXPECT_EQ(asked.asked, 2);  // once as the first, once as a witness
  produce(1);
  EXPECT_TRUE(read(c, "k1"));
  EXPECT_EQ(asked.asked, 2);  // a witness rests after it was silent
  produce(31);
  EXPECT_TRUE(read(c, "k1"));
  EXPECT_EQ(asked.asked, 3);

  // The same chain, as it was once.
  LocalChain old = *open_toy(folder_.file("old.db"));
  ManualClock then(kTestGenesisMs);
  fill(old, then, 36);
  ASSERT_EQ(light::header_hash(old.last()->header()), light::header_hash(chain_.last()->header()));
  light::Client late =
      client_of(list({"old", std::make_unique<DirectRpc>(old, none_)}, honest("honest")));
  EXPECT_TRUE(read(late, "k1"));
  clock_.advance_ms(61'000);
  ASSERT_TRUE(chain_.produce(clock_.now_ms()));
  EXPECT_TRUE(read(late, "k1"));
  EXPECT_EQ(reports(late)[0].state, light::EndpointState::lagging);
}

// Words cost nothing: whoever says that it no longer has what is asked is passed over as well.
TEST_F(Endpoints, WhoSaysThatItPrunedWhatIsAskedGivesWayToTheNext) {
  light::Client c =
      client_of(list({"pruned", std::make_unique<NoRpc>(LightError::pruned)}, honest("honest")));
  EXPECT_TRUE(read(c, "k1"));
  EXPECT_EQ(reports(c)[0].state, light::EndpointState::lagging);
  EXPECT_EQ(reports(c)[0].error, LightError::pruned);
  EXPECT_TRUE(context_.await(c.light_block(2)));
}

TEST_F(Endpoints, AWitnessThatLiesIsNamedAndNothingElse) {
  tamper_ = [](std::string_view method, JsonValue& result) {
    if (method == "commit")
      set_at(result, {"signed_header", "header", "app_hash"}, std::string(64, 'A'));
  };
  light::Client c = client_of(list(honest("honest"), liar("liar")));
  EXPECT_TRUE(read(c, "k1"));
  EXPECT_EQ(reports(c)[0].state, light::EndpointState::agrees);
  EXPECT_EQ(reports(c)[0].height, 4);
  EXPECT_EQ(reports(c)[1].state, light::EndpointState::lying);
  EXPECT_EQ(reports(c)[1].error, LightError::wrong_header_hash);
}

// The validators sign two blocks of one height: one of them is for somebody who is to be deceived.
TEST_F(Endpoints, TwoSignedBlocksOfOneHeightEndAllTrust) {
  LocalChain other = *open_toy(folder_.file("other.db"));
  ManualClock clock(kTestGenesisMs);
  for (int i = 0; i < 4; ++i) {
    other.submit(toy_tx(toy_sender(1), static_cast<uint64_t>(i), "other", std::to_string(i)));
    clock.advance_ms(1000);
    ASSERT_TRUE(other.produce(clock.now_ms()));
  }
  for (bool forged_first : {true, false}) {
    light::Endpoint forged{"forged", std::make_unique<DirectRpc>(other, none_)};
    light::Client c = client_of(forged_first ? list(std::move(forged), honest("honest"))
                                             : list(honest("honest"), std::move(forged)));
    EXPECT_EQ(read(c, "k1").error(), LightError::conflicting_headers);
    EXPECT_EQ(read(c, "k1").error(), LightError::conflicting_headers);  // for good
    EXPECT_EQ(context_.await(c.latest()).error(), LightError::conflicting_headers);
  }
}

TEST(EndpointAddresses, AreHostAndPort) {
  const auto good = light::address_from("ledger.example:26657");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->host, "ledger.example");
  EXPECT_EQ(good->port, 26657);
  EXPECT_EQ(light::address_from("[::1]:1")->host, "[::1]");
  for (const char* bad :
       {"", ":", "host", "host:", ":1", "host:0", "host:65536", "host:1x", "host:-1"}) {
    EXPECT_FALSE(light::address_from(bad)) << bad;
  }
}

// --- one endpoint -------------------------------------------------------------------------------

TEST_F(ClientTest, AReadWaitsForItsHeight) {
  light::Client c = client();
  EXPECT_TRUE(read(c, "k1", 3));
  EXPECT_EQ(read(c, "k1", 4).error(), LightError::not_yet);
  produce(1);
  EXPECT_TRUE(read(c, "k1", 4));
}

TEST_F(ClientTest, OutcomesOfTransactionsAreProven) {
  light::Client c = client();
  const Buffer good = toy_tx(toy_sender(2), 0, "mine", "1");
  const Buffer bad = toy_tx(toy_sender(2), 1, "!", "1");
  for (const Buffer& tx : {good, bad}) {
    const auto sent = context_.await(c.broadcast(tx));
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->code, 0U);
    EXPECT_EQ(context_.await(c.broadcast(tx))->code, 0U);  // asked again
  }
  EXPECT_EQ(context_.await(c.wait_tx(light::tx_id(good), light::Millis(50))).error(),
            LightError::not_yet);
  produce(2);
  const auto proven = context_.await(c.wait_tx(light::tx_id(good), light::Millis(1000)));
  ASSERT_TRUE(proven) << describe(proven.error());
  EXPECT_EQ(proven->height, 5);
  EXPECT_EQ(proven->code, 0U);
  EXPECT_EQ(context_.await(c.wait_tx(light::tx_id(bad), light::Millis(1000)))->code, kToyFailure);

  tamper_ = [](std::string_view method, JsonValue& result) {
    if (method != "block_results") return;
    JsonValue all = JsonValue::Array();
    for (JsonValue report : *result["txs_results"].array()) {
      report.set("code", 0);
      all.push(std::move(report));
    }
    result.set("txs_results", std::move(all));
  };
  EXPECT_EQ(context_.await(c.wait_tx(light::tx_id(bad), light::Millis(1000))).error(),
            LightError::wrong_root);
  tamper_ = [&](std::string_view method, JsonValue& result) {
    if (method == "tx") result.set("index", 0);
  };
  EXPECT_EQ(context_.await(c.wait_tx(light::tx_id(bad), light::Millis(1000))).error(),
            LightError::wrong_root);
}

TEST_F(ClientTest, TheTransactionsOfABlockAreThoseOfItsHeader) {
  light::Client c = client();
  const auto txs = context_.await(c.block_txs(1, light::Millis(1000)));
  ASSERT_TRUE(txs) << describe(txs.error());
  ASSERT_EQ(txs->size(), 3U);
  EXPECT_EQ((*txs)[1], toy_tx(toy_sender(1), 1, "k1", "v1"));
  EXPECT_EQ(context_.await(c.block_txs(99, light::Millis(20))).error(), LightError::not_yet);
  for (const bool withheld : {true, false}) {
    tamper_ = [&](std::string_view method, JsonValue& result) {
      if (method != "block") return;
      JsonValue all = JsonValue::Array();
      for (const JsonValue& tx : *result["block"]["data"]["txs"].array()) all.push(JsonValue(tx));
      if (!withheld) all.push(to_base64(toy_tx(toy_sender(3), 0, "more", "1")));
      if (withheld) all = JsonValue::Array();
      set_at(result, {"block", "data", "txs"}, std::move(all));
    };
    EXPECT_EQ(context_.await(c.block_txs(1, light::Millis(1000))).error(), LightError::wrong_root);
  }
}

// However long the client lives, no honest endpoint is blamed for a question about an old block.
TEST_F(ClientTest, OldBlocksAreVerifiedAfterHundredsOfNewerOnes) {
  light::Client c = client();
  for (int i = 0; i < 600; ++i) {
    produce(1);
    ASSERT_TRUE(read(c, "k1"));
  }
  for (int64_t height : {2, 3, 77, 300, 599}) {
    EXPECT_TRUE(context_.await(c.block_txs(height, light::Millis(1000)))) << height;
  }
  EXPECT_TRUE(read(c, "k1"));
}

TEST_F(ClientTest, BlocksBeforeTheTrustRootAreOurLimitAndNoLie) {
  light::Client first = client();
  ASSERT_TRUE(read(first, "k1"));
  const auto root = light::Client::root_from_state(*context_.await(first.state()));
  light::Client later = client({"toy-1", {}, *root, false});
  EXPECT_EQ(context_.await(later.block_txs(1, light::Millis(1000))).error(),
            LightError::before_trust);
  EXPECT_TRUE(read(later, "k1"));
}

TEST_F(ClientTest, ATransactionThatWaitsHasNoOutcomeYet) {
  light::Client c = client();
  const Buffer tx = toy_tx(toy_sender(2), 0, "mine", "1");
  ASSERT_TRUE(context_.await(c.broadcast(tx)));
  EXPECT_EQ(context_.await(c.wait_tx(light::tx_id(tx), light::Millis(20))).error(),
            LightError::not_yet);
}

TEST_F(ClientTest, RefusedTransactionsHaveTheirCode) {
  light::Client c = client();
  EXPECT_EQ(context_.await(c.broadcast(Buffer{1, 2, 3}))->code, kToyMalformed);
  EXPECT_EQ(context_.await(c.broadcast(toy_tx(toy_sender(1), 9, "a", "b")))->code, kToyNonce);
  EXPECT_EQ(context_.await(c.broadcast(Buffer(kMaxTxBytes + 1))).error(),
            LightError::remote_refused);
}

TEST_F(ClientTest, HintsTellWhatABlockDid) {
  light::Client c = client();
  const auto hint = context_.await(c.watch(1, light::Millis(1000)));
  ASSERT_TRUE(hint);
  ASSERT_EQ(hint->txs.size(), 3U);
  EXPECT_EQ(hint->txs[1].events[0].attributes[0].second, "k1");
  EXPECT_EQ(context_.await(c.watch(9, light::Millis(50))).error(), LightError::not_yet);
}

TEST_F(ClientTest, LiesAboutReadsAreRefused) {
  const auto in_response = [](std::vector<std::string> path, JsonValue leaf) {
    return [=](std::string_view method, JsonValue& result) {
      std::vector<std::string> full = {"response"};
      full.insert(full.end(), path.begin(), path.end());
      if (method == "abci_query") set_at(result, full, leaf);
    };
  };
  EXPECT_EQ(read_error(in_response({"value"}, to_base64(as_bytes("lie")))),
            LightError::wrong_proof_value);
  EXPECT_EQ(read_error(in_response({"value"}, JsonValue())), LightError::wrong_proof_value);
  EXPECT_EQ(read_error(in_response({"height"}, "1")), LightError::wrong_height);
  EXPECT_EQ(read_error(in_response({"code"}, 1)), LightError::remote_refused);
  EXPECT_EQ(read_error(in_response({"proofOps"}, JsonValue())), LightError::bad_proof);
  EXPECT_EQ(read_error(in_response({"value"}, 5)), LightError::bad_json);
  // A forged absence: the genuine proof that another key is absent.
  EXPECT_EQ(read_error([&](std::string_view method, JsonValue& result) {
              if (method != "abci_query") return;
              light::QueryResponse lie;
              const auto other = chain_.view_at(3)->read("jobs", as_bytes("nobody"));
              lie.key = to_buffer(as_bytes("k1"));
              lie.proof = other->proof;
              lie.proof[0].key = lie.key;
              lie.height = 3;
              result.set("response", light::to_json(lie));
            }),
            LightError::wrong_proof_value);
  // An honest answer about an older state.
  EXPECT_EQ(read_error([&](std::string_view method, JsonValue& result) {
              if (method != "abci_query") return;
              light::QueryResponse old;
              const auto before = chain_.view_at(0)->read("jobs", as_bytes("k1"));
              old.key = to_buffer(as_bytes("k1"));
              old.proof = before->proof;
              old.height = 3;
              result.set("response", light::to_json(old));
            }),
            LightError::wrong_root);
}

TEST_F(ClientTest, LiesAboutHeadersAreRefused) {
  const auto in_commit = [](std::vector<std::string> path, JsonValue leaf) {
    return [=](std::string_view method, JsonValue& result) {
      std::vector<std::string> full = {"signed_header"};
      full.insert(full.end(), path.begin(), path.end());
      if (method == "commit") set_at(result, full, leaf);
    };
  };
  const std::string hash(64, 'A');
  EXPECT_EQ(read_error(in_commit({"header", "app_hash"}, hash)), LightError::wrong_header_hash);
  EXPECT_EQ(read_error(in_commit({"header", "chain_id"}, "toy-2")), LightError::wrong_chain);
  EXPECT_EQ(read_error(in_commit({"header", "height"}, "9")), LightError::wrong_height);
  EXPECT_EQ(read_error(in_commit({"commit", "round"}, 1)), LightError::not_enough_power);
  EXPECT_EQ(read_error(in_commit({"commit", "signatures"}, JsonValue::Array())),
            LightError::wrong_signature_count);
  // A nil vote instead of one for the block; the one signature twice.
  const auto with_signatures = [](auto change) {
    return [=](std::string_view method, JsonValue& result) {
      if (method != "commit") return;
      JsonValue signature = (*result["signed_header"]["commit"]["signatures"].array())[0];
      JsonValue all = JsonValue::Array();
      change(all, signature);
      set_at(result, {"signed_header", "commit", "signatures"}, all);
    };
  };
  EXPECT_EQ(read_error(with_signatures([](JsonValue& all, JsonValue signature) {
              signature.set("block_id_flag", 3);
              all.push(std::move(signature));
            })),
            LightError::not_enough_power);
  EXPECT_EQ(read_error(with_signatures([](JsonValue& all, JsonValue signature) {
              all.push(signature);
              all.push(std::move(signature));
            })),
            LightError::wrong_signature_count);
  EXPECT_EQ(read_error(with_signatures([](JsonValue& all, JsonValue signature) {
              signature.set("validator_address", std::string(40, 'A'));
              all.push(std::move(signature));
            })),
            LightError::wrong_validator_address);
}

TEST_F(ClientTest, AnotherValidatorSetIsRefused) {
  const auto swapped = [](std::string_view method, JsonValue& result) {
    if (method != "validators") return;
    light::ValidatorsPage page{1, 1, {{test_key(99).public_key(), 1}}};
    result = light::to_json(page);
  };
  EXPECT_EQ(read_error(swapped), LightError::wrong_trust_root);
  const auto other_address = [](std::string_view method, JsonValue& result) {
    if (method != "validators") return;
    JsonValue validator = (*result["validators"].array())[0];
    validator.set("address", std::string(40, 'A'));
    JsonValue all = JsonValue::Array();
    all.push(std::move(validator));
    result.set("validators", std::move(all));
  };
  tamper_ = other_address;  // addresses are computed, never read
  light::Client c = client();
  EXPECT_TRUE(read(c, "k1"));
}

TEST_F(ClientTest, AnEndpointThatHidesNewBlocksIsStale) {
  light::Client c = client();
  ASSERT_TRUE(read(c, "k1"));
  clock_.advance_ms(59'000);
  EXPECT_TRUE(read(c, "k1"));
  clock_.advance_ms(2'000);
  EXPECT_EQ(read(c, "k1").error(), LightError::stale);
  produce(1);
  EXPECT_TRUE(read(c, "k1"));
}

TEST_F(ClientTest, AnOlderHeaderThanTheVerifiedOneChangesNothing) {
  light::Client c = client();
  ASSERT_EQ(read(c, "k1")->height, 3);
  const JsonValue old = light::to_json(chain_.block(2)->signed_header);
  tamper_ = [&](std::string_view method, JsonValue& result) {
    if (method == "commit") result.set("signed_header", old);
  };
  EXPECT_EQ(read(c, "k1")->height, 3);
}

TEST_F(ClientTest, AnotherHeaderOfAKnownHeightIsALie) {
  light::Client c = client();
  ASSERT_TRUE(read(c, "k1"));
  tamper_ = [](std::string_view method, JsonValue& result) {
    if (method == "commit") {
      set_at(result, {"signed_header", "header", "app_hash"}, std::string(64, 'A'));
    }
  };
  EXPECT_EQ(read(c, "k1").error(), LightError::wrong_header_hash);
}

TEST_F(ClientTest, AReadWaitsForAnEndpointThatIsNotReady) {
  light::Client c = impatient();
  int refusals = 3;
  tamper_ = [&](std::string_view method, JsonValue& result) {
    if (method == "abci_query" && refusals-- > 0) set_at(result, {"response", "code"}, 1);
  };
  EXPECT_EQ(read(c, "k1")->value, to_buffer(as_bytes("v1")));
  EXPECT_EQ(refusals, -1);
  refusals = 1'000'000;
  EXPECT_EQ(read(c, "k1").error(), LightError::remote_refused);
}

// It says that a block is there, and shows headers from before it only.
TEST_F(ClientTest, AnEndpointThatContradictsItselfLags) {
  light::Client c = impatient();
  ASSERT_TRUE(read(c, "k1"));
  const JsonValue old = light::to_json(chain_.block(4)->signed_header);
  int asked = 0;
  tamper_ = [&](std::string_view method, JsonValue& result) {
    if (method != "commit") return;
    ++asked;
    result.set("signed_header", old);
  };
  produce(1);
  const auto got =
      context_.await(c.read(kToyValues, to_buffer(as_bytes("k1")), 4, light::Millis(10'000)));
  EXPECT_EQ(got.error(), LightError::stale);
  EXPECT_LT(asked, 30);
}

TEST_F(ClientTest, OnlyFixedValidatorsAreTrustedForever) {
  clock_.advance_ms(int64_t{30} * 24 * 3600 * 1000);
  produce(2);
  light::Client usual = client();
  EXPECT_EQ(read(usual, "k1").error(), LightError::trust_expired);
  light::Client fixed = client({"toy-1", chain_.parts().validators, std::nullopt, true});
  EXPECT_TRUE(read(fixed, "k1"));
}

TEST_F(ClientTest, StateSurvivesAsATrustRoot) {
  Buffer state;
  {
    light::Client c = client();
    EXPECT_EQ(context_.await(c.state()).error(), LightError::not_yet);
    ASSERT_TRUE(read(c, "k1"));
    state = *context_.await(c.state());
  }
  produce(3);
  const auto root = light::Client::root_from_state(state);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->height, 4);
  light::Client again = client({"toy-1", {}, *root, false});
  EXPECT_TRUE(read(again, "k1"));
  light::TrustRoot wrong = *root;
  wrong.header_hash[0] ^= 1;
  light::Client deceived = client({"toy-1", {}, wrong, false});
  EXPECT_EQ(read(deceived, "k1").error(), LightError::wrong_trust_root);
  for (size_t size = 0; size < state.size(); ++size) {
    EXPECT_FALSE(light::Client::root_from_state(Bytes(state).first(size)));
  }
}

TEST_F(ClientTest, MutatedAnswersAreNeverBelieved) {
  SeededRandom random(9);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    light::Client c = client();
    const std::string_view victim =
        std::array<std::string_view, 3>{"commit", "validators", "abci_query"}[random.next() % 3];
    bool changed = false;
    tamper_ = [&](std::string_view method, JsonValue& result) {
      if (method != victim) return;
      const std::string text = result.dump();
      std::string mutated = text;
      const uint64_t draw = random.next();
      mutated[draw % mutated.size()] = static_cast<char>('0' + draw / 7919 % 64);
      const auto value = parse_json(mutated);
      if (!value || mutated == text) return;
      result = *value;
      changed = true;
    };
    const auto got = read(c, "k1");
    // What was not covered by a hash may change: then the value must still be the true one.
    if (changed && got && got->value != to_buffer(as_bytes("v1"))) ++accepted;
  }
  tamper_ = nullptr;
  EXPECT_EQ(accepted, 0);
}

}  // namespace
}  // namespace cloister::chain
