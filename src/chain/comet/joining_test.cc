// Who joins a running network, who leaves it, and who is thrown out.
#include <gtest/gtest.h>

#include "base/text.h"
#include "chain/comet/network_testing.h"
#include "chain/comet/program.h"
#include "ledger/types/keys.h"
#include "light/encoding.h"

namespace cloister::chain::comet {
namespace {

const std::vector<size_t> kAll = {0, 1, 2, 3};
constexpr size_t kFifth = 4;

// alice puts up a stake and names the fifth's consensus key.
void join(TestCometNetwork& network, TestClient& client) {
  ledger::OperatorBond bond;
  bond.amount_micro = network.genesis().params.validator_stake_micro;
  ASSERT_EQ(client.send("alice", bond), ledger::Code::ok);
  const auto body =
      ledger::sign_join(network.genesis().chain_id, ledger::key_of("alice").public_key(),
                        network[kFifth].keys().consensus);
  ASSERT_EQ(client.send("alice", body), ledger::Code::ok);
}

// Until a block carries the signature of this key, at this height or later. Its height.
int64_t wait_signed_by(TestMember& member, const crypto::Ed25519Public& key, int64_t from) {
  const std::string address = to_hex_upper(light::address_of(key));
  for (int64_t h = from; h < from + 200; ++h) {
    if (!member.wait_height(h + 1)) return 0;
    const JsonValue commit =
        member.call("commit", JsonValue::object({{"height", light::decimal(h)}}));
    const auto* signatures = commit["signed_header"]["commit"]["signatures"].array();
    for (const JsonValue& each : signatures ? *signatures : JsonValue::Array()) {
      if (each["validator_address"].string() == address) return h;
    }
  }
  return 0;
}

size_t validators_at(TestMember& member, int64_t height) {
  const JsonValue page =
      member.call("validators", JsonValue::object({{"height", light::decimal(height)}}));
  const auto* list = page["validators"].array();
  return list ? list->size() : 0;
}

TEST(CometJoining, AFifthReplaysTheBlocksValidatesAndLeaves) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(5));
  TestMember& fifth = network.add_member();
  fifth.start_application();
  fifth.start_engine();
  const int64_t joined = network[0].height();
  network.expect_agreement({0, 1, 2, 3, kFifth}, joined);

  TestClient client = network.client({0, 1, kFifth});
  join(network, client);
  const auto& key = fifth.keys().consensus.public_key();
  const int64_t signed_at = wait_signed_by(network[0], key, network[0].height());
  ASSERT_GT(signed_at, 0);
  EXPECT_EQ(validators_at(network[0], signed_at), 5u);

  ASSERT_EQ(client.send("alice", ledger::LeaveValidators()), ledger::Code::ok);
  const int64_t left = network[0].height();
  ASSERT_TRUE(network[0].wait_height(left + 4));
  EXPECT_EQ(validators_at(network[0], left + 4), 4u);
  network.expect_agreement({0, 1, 2, 3, kFifth}, left + 3);
}

TEST(CometJoining, AFifthFetchesTheStateAndValidates) {
  CLOISTER_NEEDS_COMETBFT();
  NetworkOptions options;
  options.snapshot_interval = 60;  // two are kept: long enough to be fetched
  TestCometNetwork network(options);
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(3));
  TestClient client = network.client(kAll);
  ledger::Transfer transfer;
  transfer.to = ledger::key_of("bob").public_key();
  transfer.amount_micro = 3;
  ASSERT_EQ(client.send("alice", transfer), ledger::Code::ok);
  ASSERT_TRUE(network[0].wait_height(62));
  const auto root = client.run((*client).latest());
  ASSERT_TRUE(root);
  TestMember& fifth = network.add_member();
  EngineConfig config = fifth.engine_config();
  for (const size_t i : kAll) config.peers.push_back(network[i].peer());
  config.state_sync = StateSync{
      {network[0].rpc(), network[1].rpc()}, root->height, to_hex_upper(root->header_hash)};
  ASSERT_TRUE(write_config(fifth.home(), config));
  fifth.start_application();
  fifth.start_engine();
  const int64_t began = network[0].height();
  network.expect_agreement({0, 1, 2, 3, kFifth}, began + 2);
  ASSERT_FALSE(HasFailure()) << fifth.engine_log();
  // It has no early blocks: it did not replay them.
  const JsonValue status = fifth.call("status")["sync_info"];
  EXPECT_GT(light::int64_from(status["earliest_block_height"]).value_or(0), 60);
  join(network, client);
  EXPECT_GT(wait_signed_by(network[0], fifth.keys().consensus.public_key(), network[0].height()),
            0);
  network.expect_agreement({0, 1, 2, 3, kFifth}, network[0].height());
}

// --- equivocation -------------------------------------------------------------------------------

JsonValue vote_json(const light::Vote& vote, const crypto::Ed25519Key& key, int64_t index) {
  const auto signature = key.sign(light::vote_sign_bytes(vote));
  return JsonValue::object(
      {{"type", static_cast<int>(vote.type)},
       {"height", light::decimal(vote.height)},
       {"round", vote.round},
       {"block_id", light::to_json(*vote.block_id)},
       {"timestamp", light::time_text(vote.timestamp)},
       {"validator_address", to_hex_upper(light::address_of(key.public_key()))},
       {"validator_index", index},
       {"signature", to_base64(signature)},
       {"extension", ""},
       {"extension_signature", ""}});
}

// Two prevotes of one validator for different blocks of one height and round.
JsonValue duplicate_vote(const TestMember& member, const std::string& chain_id, int64_t height,
                         const crypto::Ed25519Key& key) {
  const JsonValue commit =
      member.call("commit", JsonValue::object({{"height", light::decimal(height)}}));
  const auto header = light::parse_signed_header(commit["signed_header"]);
  if (!header) return {};
  light::BlockId first{Buffer(32, 1), 1, Buffer(32, 1)}, second{Buffer(32, 2), 1, Buffer(32, 2)};
  light::Vote vote;
  vote.type = light::VoteType::prevote;
  vote.height = height;
  vote.timestamp = header->header.time;
  vote.chain_id = chain_id;
  vote.block_id = &first;
  const JsonValue a = vote_json(vote, key, 0);
  vote.block_id = &second;
  const JsonValue b = vote_json(vote, key, 0);
  return JsonValue::object(
      {{"type", "tendermint/DuplicateVoteEvidence"},
       {"value", JsonValue::object({{"vote_a", a},
                                    {"vote_b", b},
                                    {"TotalVotingPower", "40"},
                                    {"ValidatorPower", "10"},
                                    {"Timestamp", light::time_text(header->header.time)}})}});
}

TEST(CometJoining, WhoSignedTwoBlocksIsSlashedAndOut) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(4));
  const auto& key = network.consensus_key(3);
  JsonValue params;
  params.set("evidence", duplicate_vote(network[0], network.genesis().chain_id, 3, key));
  const JsonValue posted = network[0].call("broadcast_evidence", params);
  ASSERT_TRUE(posted["hash"].string()) << posted.dump();
  const Buffer at = ledger::validator_key(ledger::validator_address(key.public_key()));
  TestClient client = network.client({0, 1, 2});
  for (;;) {
    const auto record = client.read<ledger::ValidatorRecord>(ledger::Family::validators, at);
    ASSERT_TRUE(record);
    if (record->state == ledger::ValidatorState::excluded) break;
    const int64_t height = network[0].height();
    ASSERT_LT(height, 100);
    ASSERT_TRUE(network[0].wait_height(height + 1));
  }
  const auto& backer = *network.genesis().validators[3].operator_account;
  const auto op = client.read<ledger::Operator>(ledger::Family::operators, backer);
  ASSERT_TRUE(op);
  EXPECT_EQ(op->stake_micro, 0u);
  EXPECT_EQ(op->slashed_micro, network.genesis().params.validator_stake_micro);
  const int64_t height = network[0].height();
  ASSERT_TRUE(network[0].wait_height(height + 4));
  EXPECT_EQ(validators_at(network[0], height + 4), 3u);
  network.expect_agreement(kAll, height + 3);
}

TEST(CometJoining, EvidenceThatNobodySignedIsRefused) {
  CLOISTER_NEEDS_COMETBFT();
  TestCometNetwork network;
  network.start_all();
  ASSERT_TRUE(network[0].wait_height(4));
  JsonValue params;
  // Of validator 3, but signed by another key.
  JsonValue evidence =
      duplicate_vote(network[0], network.genesis().chain_id, 3, ledger::key_of("stranger"));
  params.set("evidence", evidence);
  EXPECT_TRUE(network[0].call("broadcast_evidence", params).is_null());
  network.expect_agreement(kAll, network[0].height() + 2);
}

}  // namespace
}  // namespace cloister::chain::comet
