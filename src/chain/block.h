// A block as it is built, stored and checked.
#pragma once

#include "chain/application.h"
#include "ledger/types/limits.h"

namespace cloister::chain {

using ledger::kMaxTxBytes;
constexpr size_t kMaxBlockTxs = 2000;
constexpr size_t kMaxBlockBytes = 8 << 20;

struct Block {
  light::SignedHeader signed_header;
  std::vector<Buffer> txs;
  std::vector<TxResult> results;
  std::vector<Event> events;
  Hash32 app_hash{};  // of the state after this block; the next header carries it

  const light::Header& header() const { return signed_header.header; }
  int64_t height() const { return signed_header.header.height; }
  UnixMillis time_ms() const { return signed_header.header.time.to_ms(); }
};

// Hash of the one part that the block consists of: deterministic CBOR [header hash, tx …].
Hash32 parts_hash(const light::Header& header, std::span<const Buffer> txs);

// The stored form: deterministic CBOR. The decoder accepts only what the encoder writes and bounds
// every count; it does not check hashes or signatures, see `check_successor`.
Buffer encode_block(const Block& block);
std::optional<Block> decode_block(Bytes bytes);

// What a block after `last` must have in its header; `last` is null for block 1.
struct HeaderParts {
  std::string chain_id;
  uint64_t app_version = 0;
  light::ValidatorSet validators;
  Hash32 genesis_app_hash{};
};
light::Header next_header(const HeaderParts& parts, const Block* last, UnixMillis time_ms,
                          std::span<const Buffer> txs);

// Signs with the one validator's key. Ed25519 is deterministic, so equal headers give equal blocks.
light::Commit sign_header(const light::Header& header, std::span<const Buffer> txs,
                          const crypto::Ed25519Key& key);

// Whether `block` is a block after `last` in every hash: header, transactions, results, parent,
// commit, state. The signature is the caller's question: the last one covers all before it.
Status check_successor(const HeaderParts& parts, const Block* last, const Block& block);
// The same as far as it can be seen without the block before it.
Status check_alone(const HeaderParts& parts, const Block& block);
Status check_signature(const HeaderParts& parts, const Block& block);

}  // namespace cloister::chain
