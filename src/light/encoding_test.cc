// The vectors of docs/consensus-encodings.md: upstream's, and those derived from the text alone.
#include "light/encoding.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "light/proto.h"
#include "merkle/simple.h"

namespace cloister::light {
namespace {

Buffer sha(std::string_view text) {
  return to_buffer(crypto::sha256(as_bytes(text)));
}
std::string hex(Bytes bytes) {
  return to_hex(bytes);
}

// 2017-12-25T03:00:01.234Z
constexpr Timestamp kVoteTime{1514170801, 234'000'000};
constexpr std::string_view kChain = "cloister-test-1";

BlockId vote_block(uint32_t parts_total) {
  return {sha("blockID_hash"), parts_total, sha("blockID_part_set_header_hash")};
}

ValidatorSet vector_set() {
  ValidatorSet set(3);
  set[0].public_key.fill(0xff);
  for (uint8_t i = 0; i < 32; ++i) set[1].public_key[i] = i;
  set[2].public_key.fill(0x11);
  set[0].power = set[1].power = 10;
  set[2].power = 300;
  sort_validators(set);
  return set;
}

constexpr std::string_view kSetHash =
    "8d545c62ef6a36c4405353280e1f09e6716b150b583fe8fa55777834c793cf1a";
constexpr std::string_view kConsensusHash =
    "294d8fbd0b94b767a7eba9840f299a3586da7fe6b5dead3b7eecba193c400f93";

TEST(Encoding, UpstreamVotes) {
  Vote vote;
  vote.type = VoteType::unknown;
  EXPECT_EQ(hex(vote_sign_bytes(vote)), "0d2a0b088092b8c398feffffff01");
  vote.height = 1;
  vote.round = 1;
  vote.chain_id = "test_chain_id";
  EXPECT_EQ(hex(vote_sign_bytes(vote)),
            "2e1101000000000000001901000000000000002a0b088092b8c398feffffff01320d746573745f6368"
            "61696e5f6964");
  vote.type = VoteType::precommit;
  vote.chain_id = "";
  EXPECT_EQ(hex(vote_sign_bytes(vote)),
            "2108021101000000000000001901000000000000002a0b088092b8c398feffffff01");
}

TEST(Encoding, UpstreamHeader) {
  Header h;
  h.block_version = 1;
  h.app_version = 2;
  h.chain_id = "chainId";
  h.height = 3;
  h.time = {1570983284, 0};
  h.last_block_id = {Buffer(32, 0), 6, Buffer(32, 0)};
  h.last_commit_hash = sha("last_commit_hash");
  h.data_hash = sha("data_hash");
  h.validators_hash = sha("validators_hash");
  h.next_validators_hash = sha("next_validators_hash");
  h.consensus_hash = sha("consensus_hash");
  h.app_hash = sha("app_hash");
  h.last_results_hash = sha("last_results_hash");
  h.evidence_hash = sha("evidence_hash");
  h.proposer_address = sha("proposer_address");
  h.proposer_address.resize(20);
  EXPECT_EQ(hex(header_hash(h)),
            "f740121f553b5418c3efbd343c2dbfe9e007bb67b0d020a0741374bab65242a4");
}

TEST(Encoding, OwnVotes) {
  const BlockId one_part = vote_block(1);
  Vote vote{VoteType::precommit, 12345, 0, &one_part, kVoteTime, kChain};
  EXPECT_EQ(hex(vote_sign_bytes(vote)),
            "73080211393000000000000022480a208b01023386c371778ecb6368573e539afc3cc860ec3a2f614e5"
            "4fe5652f4fc8012240801122072db3d959635dff1bb567bedaa70573392c5159666a3f8caf11e413aac"
            "52207a2a0b08b1d381d20510809dca6f320f636c6f69737465722d746573742d31");
  const BlockId many_parts = vote_block(1'000'000);
  vote.round = 2;
  vote.block_id = &many_parts;
  EXPECT_EQ(hex(vote_sign_bytes(vote)),
            "7e0802113930000000000000190200000000000000224a0a208b01023386c371778ecb6368573e539af"
            "c3cc860ec3a2f614e54fe5652f4fc80122608c0843d122072db3d959635dff1bb567bedaa70573392c5"
            "159666a3f8caf11e413aac52207a2a0b08b1d381d20510809dca6f320f636c6f69737465722d7465737"
            "42d31");
  const Vote nil{VoteType::precommit, 12345, 0, nullptr, kVoteTime, kChain};
  EXPECT_EQ(hex(vote_sign_bytes(nil)),
            "2908021139300000000000002a0b08b1d381d20510809dca6f320f636c6f69737465722d746573742d"
            "31");
  EXPECT_EQ(hex(vote_extension_sign_bytes(as_bytes("extension"), 12345, 0, kChain)),
            "250a09657874656e73696f6e113930000000000000220f636c6f69737465722d746573742d31");
}

TEST(Encoding, CommitSignsTheSameBytesAsItsVotes) {
  Commit commit;
  commit.height = 12345;
  commit.block_id = vote_block(1);
  commit.signatures.resize(2);
  commit.signatures[0] = {BlockIdFlag::commit, Buffer(20), kVoteTime, Buffer(64)};
  commit.signatures[1] = {BlockIdFlag::nil, Buffer(20), kVoteTime, Buffer(64)};
  const Vote vote{VoteType::precommit, 12345, 0, &commit.block_id, kVoteTime, kChain};
  EXPECT_EQ(commit_sign_bytes(commit, 0, kChain), vote_sign_bytes(vote));
  const Vote nil{VoteType::precommit, 12345, 0, nullptr, kVoteTime, kChain};
  EXPECT_EQ(commit_sign_bytes(commit, 1, kChain), vote_sign_bytes(nil));
}

TEST(Encoding, ValidatorSet) {
  const ValidatorSet set = vector_set();
  EXPECT_EQ(hex(address_of(set[0].public_key)), "02d449a31fbb267c8f352e9968a79e3e5fc95c1b");
  EXPECT_EQ(hex(address_of(set[1].public_key)), "630dcd2966c4336691125448bbb25b4ff412a49c");
  EXPECT_EQ(hex(address_of(set[2].public_key)), "af9613760f72635fbdb44a5a0a63c39f12af30f9");
  EXPECT_EQ(hex(validators_hash(set)), kSetHash);
}

// CometBFT's order: the greatest power first, then by address; a genesis has them by key.
TEST(Encoding, ValidatorsOfAGenesis) {
  ledger::Genesis genesis;
  genesis.validators.resize(3);
  for (uint8_t i = 0; i < 32; ++i) genesis.validators[0].public_key[i] = i;
  genesis.validators[1].public_key.fill(0x11);
  genesis.validators[2].public_key.fill(0xff);
  genesis.validators[0].power = genesis.validators[2].power = 10;
  genesis.validators[1].power = 300;
  EXPECT_EQ(hex(validators_hash(validators_of(genesis))), kSetHash);
}

TEST(Encoding, HashesOfLists) {
  const std::vector<Buffer> txs = {to_buffer(as_bytes("tx1")), to_buffer(as_bytes("tx2")),
                                   to_buffer(as_bytes("tx3"))};
  EXPECT_EQ(hex(data_hash(txs)),
            "5732471026f00afd6c7f3d11bbef4fc3b5e47b97a248037d33283bee1034f2ac");
  std::vector<TxOutcome> results(3);
  results[1].code = 5;
  results[1].gas_wanted = 10;
  results[1].gas_used = 7;
  results[2].data = to_buffer(as_bytes("ok"));
  EXPECT_EQ(hex(results_hash(results)),
            "94843d9913d01387350bebb328b48887d456a245ea79ebc08633ab30846d9c6e");
  EXPECT_EQ(hex(consensus_hash(1048576, -1)), kConsensusHash);
  EXPECT_EQ(hex(evidence_hash_of_none()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Encoding, AbsentSignature) {
  EXPECT_EQ(hex(encode(CommitSig{})), "08011a0b088092b8c398feffffff01");
}

TEST(Encoding, FirstHeader) {
  const Buffer empty = to_buffer(evidence_hash_of_none());
  Header h;
  h.app_version = 1;
  h.chain_id = kChain;
  h.height = 1;
  h.time = {1'700'000'000, 5};
  h.last_commit_hash = h.data_hash = h.last_results_hash = h.evidence_hash = empty;
  h.validators_hash = h.next_validators_hash = *from_hex(kSetHash);
  h.consensus_hash = *from_hex(kConsensusHash);
  h.proposer_address = to_buffer(address_of(vector_set()[0].public_key));
  EXPECT_EQ(hex(encode(h.last_block_id)), "1200");
  EXPECT_EQ(hex(header_hash(h)),
            "e2d7dc1b54831157ec27443f23cdb6699ad2cb1d5cbac0ec7fa89bce117a7b49");
}

TEST(Encoding, SimpleMerkle) {
  const auto leaf = [](std::string_view text) {
    return hex(merkle::simple_leaf_hash(as_bytes(text)));
  };
  EXPECT_EQ(leaf(""), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(leaf("L123456"), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
  EXPECT_EQ(hex(merkle::simple_leaf_hash(merkle::simple_value_leaf("key", as_bytes("value")))),
            "edc60159c304bdb2cbfcdb91f9df71e1d960e0d20a9b36714452f48a2e733759");
}

TEST(Encoding, TimesBeforeTheEpochRoundDownwards) {
  EXPECT_EQ(Timestamp::from_ms(-1), (Timestamp{-1, 999'000'000}));
  EXPECT_EQ(Timestamp::from_ms(-1000), (Timestamp{-1, 0}));
  EXPECT_EQ(Timestamp::from_ms(1'234).to_ms(), 1'234);
  EXPECT_EQ(Timestamp::from_ms(-1).to_ms(), -1);
}

}  // namespace
}  // namespace cloister::light
