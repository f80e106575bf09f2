// The byte encodings and hashes of CometBFT v0.38 that a light client recomputes and the embedded
// driver produces (`docs/consensus-encodings.md`). Total functions: any content has an encoding;
// whether it is acceptable is the verifier's question.
#pragma once

#include "ledger/types/genesis.h"
#include "light/types.h"

namespace cloister::light {

enum class VoteType : uint8_t { unknown = 0, prevote = 1, precommit = 2 };

struct Vote {
  VoteType type = VoteType::precommit;
  int64_t height = 0;
  int32_t round = 0;
  const BlockId* block_id = nullptr;  // lent; null for a nil vote
  Timestamp timestamp;
  std::string_view chain_id;
};

Buffer vote_sign_bytes(const Vote& vote);
// What validator `index` of the commit signed. The flag decides whether the block or nil is named.
Buffer commit_sign_bytes(const Commit& commit, size_t index, std::string_view chain_id);
Buffer vote_extension_sign_bytes(Bytes extension, int64_t height, int32_t round,
                                 std::string_view chain_id);

Buffer encode(const Timestamp& time);
Buffer encode(const BlockId& id);
Buffer encode(const CommitSig& sig);

Hash32 header_hash(const Header& header);
Hash32 validators_hash(const ValidatorSet& validators);
Hash32 commit_hash(const Commit& commit);  // the next header's last_commit_hash
Hash32 evidence_hash_of_none();

Address address_of(const crypto::Ed25519Public& key);
void sort_validators(ValidatorSet& validators);              // into CometBFT's order
ValidatorSet validators_of(const ledger::Genesis& genesis);  // likewise

Hash32 tx_id(Bytes tx);
Hash32 data_hash(std::span<const Buffer> txs);

// The part of a transaction's result that the next header commits to.
struct TxOutcome {
  uint32_t code = 0;
  Buffer data;
  int64_t gas_wanted = 0;
  int64_t gas_used = 0;
  bool operator==(const TxOutcome&) const = default;
};
Hash32 results_hash(std::span<const TxOutcome> results);
Hash32 consensus_hash(int64_t max_bytes, int64_t max_gas);

}  // namespace cloister::light
