#include "chain/block.h"

#include "base/cbor.h"
#include "merkle/simple.h"

namespace cloister::chain {
namespace {

// The header's hash and every transaction: the part commits to the whole block.
Buffer part_bytes(const light::Header& header, std::span<const Buffer> txs) {
  CborWriter out;
  out.array(txs.size() + 1).bytes(light::header_hash(header));
  for (const Buffer& tx : txs) out.bytes(tx);
  return out.take();
}

// Whether what is stored beside the header is what the header stands for.
Status check_contents(const Block& block) {
  const light::Header& h = block.header();
  const light::Commit& commit = block.signed_header.commit;
  const bool fits = block.results.size() == block.txs.size() && commit.height == h.height &&
                    equal(commit.block_id.hash, light::header_hash(h)) &&
                    equal(commit.block_id.parts_hash, parts_hash(h, block.txs));
  if (!fits) return std::unexpected(ChainError::bad_block);
  return {};
}

}  // namespace

Hash32 parts_hash(const light::Header& header, std::span<const Buffer> txs) {
  return merkle::simple_leaf_hash(part_bytes(header, txs));
}

light::Header next_header(const HeaderParts& parts, const Block* last, UnixMillis time_ms,
                          std::span<const Buffer> txs) {
  light::Header h;
  h.app_version = parts.app_version;
  h.chain_id = parts.chain_id;
  h.height = last ? last->height() + 1 : 1;
  h.time = light::Timestamp::from_ms(time_ms);
  if (last) h.last_block_id = last->signed_header.commit.block_id;
  h.last_commit_hash = to_buffer(last ? light::commit_hash(last->signed_header.commit)
                                      : light::commit_hash(light::Commit{}));
  h.data_hash = to_buffer(light::data_hash(txs));
  h.validators_hash = to_buffer(light::validators_hash(parts.validators));
  h.next_validators_hash = h.validators_hash;
  h.consensus_hash = to_buffer(light::consensus_hash(kMaxBlockBytes, -1));
  h.app_hash = to_buffer(last ? last->app_hash : parts.genesis_app_hash);
  std::vector<light::TxOutcome> outcomes;
  if (last) {
    for (const TxResult& r : last->results) outcomes.push_back(r.outcome);
  }
  h.last_results_hash = to_buffer(light::results_hash(outcomes));
  h.evidence_hash = to_buffer(light::evidence_hash_of_none());
  h.proposer_address = to_buffer(light::address_of(parts.validators[0].public_key));
  return h;
}

light::Commit sign_header(const light::Header& header, std::span<const Buffer> txs,
                          const crypto::Ed25519Key& key) {
  light::Commit commit;
  commit.height = header.height;
  commit.block_id = {to_buffer(light::header_hash(header)), 1, to_buffer(parts_hash(header, txs))};
  light::CommitSig sig;
  sig.flag = light::BlockIdFlag::commit;
  sig.validator_address = to_buffer(light::address_of(key.public_key()));
  sig.timestamp = header.time;
  commit.signatures.push_back(sig);
  const Buffer message = light::commit_sign_bytes(commit, 0, header.chain_id);
  commit.signatures[0].signature = to_buffer(key.sign(message));
  return commit;
}

Status check_successor(const HeaderParts& parts, const Block* last, const Block& block) {
  const light::Header& h = block.header();
  const UnixMillis time_ms = block.time_ms();
  if (last && time_ms <= last->time_ms()) return std::unexpected(ChainError::broken_link);
  if (h != next_header(parts, last, time_ms, block.txs)) {
    return std::unexpected(ChainError::broken_link);
  }
  return check_contents(block);
}

Status check_alone(const HeaderParts& parts, const Block& block) {
  const light::Header& h = block.header();
  light::Header own = next_header(parts, nullptr, block.time_ms(), block.txs);
  own.height = h.height;
  own.last_block_id = h.last_block_id;
  own.last_commit_hash = h.last_commit_hash;
  own.app_hash = h.app_hash;
  own.last_results_hash = h.last_results_hash;
  if (h != own) return std::unexpected(ChainError::broken_link);
  return check_contents(block);
}

Status check_signature(const HeaderParts& parts, const Block& block) {
  const light::Commit& commit = block.signed_header.commit;
  const auto refuse = std::unexpected(ChainError::bad_signature);
  if (commit.signatures.size() != 1) return refuse;
  const auto signature = to_fixed<64>(commit.signatures[0].signature);
  if (!signature) return refuse;
  const Buffer message = light::commit_sign_bytes(commit, 0, block.header().chain_id);
  if (!crypto::verify_ed25519(parts.validators[0].public_key, message, *signature)) return refuse;
  return {};
}

}  // namespace cloister::chain
