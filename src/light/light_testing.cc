#include "light/light_testing.h"

#include <cstdlib>

#include "crypto/hash.h"

namespace cloister::light {

TestValidator test_validator(uint64_t seed, int64_t power) {
  SeededRandom random(seed);
  return {crypto::Ed25519Key::generate(random), power};
}

ValidatorSet set_of(const TestChain::Members& members) {
  ValidatorSet out;
  for (const TestValidator* m : members) out.push_back({m->key.public_key(), m->power});
  sort_validators(out);
  return out;
}

void TestChain::append(const Members& members, const Members& next, const Hash32& app_hash) {
  Header header;
  header.app_version = 1;
  header.chain_id = chain_id_;
  header.height = height() + 1;
  header.time = Timestamp::from_ms(kTestStartMs + header.height * 1000);
  header.last_commit_hash = to_buffer(evidence_hash_of_none());
  if (!blocks_.empty()) {
    const Commit& last = blocks_.back().signed_header.commit;
    header.last_block_id = last.block_id;
    header.last_commit_hash = to_buffer(commit_hash(last));
  }
  header.data_hash = to_buffer(data_hash({}));
  header.validators_hash = to_buffer(validators_hash(set_of(members)));
  header.next_validators_hash = to_buffer(validators_hash(set_of(next)));
  header.consensus_hash = to_buffer(consensus_hash(1 << 20, -1));
  header.app_hash = to_buffer(app_hash);
  header.last_results_hash = to_buffer(results_hash({}));
  header.evidence_hash = to_buffer(evidence_hash_of_none());
  header.proposer_address = to_buffer(address_of(set_of(members)[0].public_key));
  blocks_.push_back(sign(std::move(header), members));
}

LightBlock TestChain::sign(Header header, const Members& members) const {
  LightBlock block;
  block.validators = set_of(members);
  Commit& commit = block.signed_header.commit;
  commit.height = header.height;
  commit.block_id.hash = to_buffer(header_hash(header));
  commit.block_id.parts_total = 1;
  commit.block_id.parts_hash = to_buffer(crypto::sha256(commit.block_id.hash));
  for (const Validator& v : block.validators) {
    CommitSig sig;
    sig.flag = BlockIdFlag::commit;
    sig.validator_address = to_buffer(address_of(v.public_key));
    sig.timestamp = header.time;
    commit.signatures.push_back(sig);
    const size_t index = commit.signatures.size() - 1;
    const Buffer message = commit_sign_bytes(commit, index, header.chain_id);
    for (const TestValidator* m : members) {
      if (m->key.public_key() != v.public_key) continue;
      commit.signatures[index].signature = to_buffer(m->key.sign(message));
    }
  }
  block.signed_header.header = std::move(header);
  return block;
}

std::expected<LightBlock, LightError> TestChain::light_block(int64_t height) {
  ++fetched_;
  if (height < 1 || height > this->height()) return std::unexpected(LightError::not_yet);
  return at(height);
}

int mutations() {
  const char* asked = std::getenv("CLOISTER_MUTATIONS");
  const int count = asked ? std::atoi(asked) : 0;
  return count > 0 ? count : 10'000;
}

}  // namespace cloister::light
