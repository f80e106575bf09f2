#include "light/encoding.h"

#include <algorithm>

#include "crypto/hash.h"
#include "light/proto.h"
#include "merkle/simple.h"

namespace cloister::light {
namespace {

Buffer encode_parts(const BlockId& id) {
  return ProtoWriter().varint(1, id.parts_total).bytes(2, id.parts_hash).take();
}

// google.protobuf.BytesValue and its kin: an empty value is the empty byte string.
Buffer wrapped(Bytes value) {
  return ProtoWriter().bytes(1, value).take();
}

Hash32 root_of(const std::vector<Buffer>& leaves) {
  return merkle::simple_root(leaves);
}

}  // namespace

Buffer encode(const Timestamp& time) {
  return ProtoWriter().signed_varint(1, time.seconds).signed_varint(2, time.nanos).take();
}

// BlockID and CanonicalBlockID have the same bytes; the part set header is ALWAYS written.
Buffer encode(const BlockId& id) {
  return ProtoWriter().bytes(1, id.hash).message(2, encode_parts(id)).take();
}

Buffer encode(const CommitSig& sig) {
  return ProtoWriter()
      .varint(1, static_cast<uint8_t>(sig.flag))
      .bytes(2, sig.validator_address)
      .message(3, encode(sig.timestamp))
      .bytes(4, sig.signature)
      .take();
}

Buffer vote_sign_bytes(const Vote& vote) {
  ProtoWriter out;
  out.varint(1, static_cast<uint8_t>(vote.type));
  out.sfixed64(2, vote.height);
  out.sfixed64(3, vote.round);
  if (vote.block_id) out.message(4, encode(*vote.block_id));
  out.message(5, encode(vote.timestamp));
  out.text(6, vote.chain_id);
  return length_prefixed(out.take());
}

Buffer commit_sign_bytes(const Commit& commit, size_t index, std::string_view chain_id) {
  const CommitSig& sig = commit.signatures[index];
  Vote vote;
  vote.height = commit.height;
  vote.round = commit.round;
  vote.block_id = sig.flag == BlockIdFlag::commit ? &commit.block_id : nullptr;
  vote.timestamp = sig.timestamp;
  vote.chain_id = chain_id;
  return vote_sign_bytes(vote);
}

Buffer vote_extension_sign_bytes(Bytes extension, int64_t height, int32_t round,
                                 std::string_view chain_id) {
  ProtoWriter out;
  out.bytes(1, extension).sfixed64(2, height).sfixed64(3, round).text(4, chain_id);
  return length_prefixed(out.take());
}

Hash32 header_hash(const Header& header) {
  return root_of({
      ProtoWriter().varint(1, header.block_version).varint(2, header.app_version).take(),
      wrapped(as_bytes(header.chain_id)),
      ProtoWriter().signed_varint(1, header.height).take(),
      encode(header.time),
      encode(header.last_block_id),
      wrapped(header.last_commit_hash),
      wrapped(header.data_hash),
      wrapped(header.validators_hash),
      wrapped(header.next_validators_hash),
      wrapped(header.consensus_hash),
      wrapped(header.app_hash),
      wrapped(header.last_results_hash),
      wrapped(header.evidence_hash),
      wrapped(header.proposer_address),
  });
}

Hash32 validators_hash(const ValidatorSet& validators) {
  std::vector<Buffer> leaves;
  leaves.reserve(validators.size());
  for (const Validator& v : validators) {
    const Buffer key = ProtoWriter().bytes(1, v.public_key).take();
    leaves.push_back(ProtoWriter().message(1, key).signed_varint(2, v.power).take());
  }
  return root_of(leaves);
}

Hash32 commit_hash(const Commit& commit) {
  std::vector<Buffer> leaves;
  leaves.reserve(commit.signatures.size());
  for (const CommitSig& sig : commit.signatures) leaves.push_back(encode(sig));
  return root_of(leaves);
}

Hash32 evidence_hash_of_none() {
  return root_of({});
}

Address address_of(const crypto::Ed25519Public& key) {
  const Hash32 digest = crypto::sha256(key);
  return *to_fixed<20>(Bytes(digest).first(20));
}

void sort_validators(ValidatorSet& validators) {
  std::sort(validators.begin(), validators.end(), [](const Validator& a, const Validator& b) {
    if (a.power != b.power) return a.power > b.power;
    return address_of(a.public_key) < address_of(b.public_key);
  });
}

ValidatorSet validators_of(const ledger::Genesis& genesis) {
  ValidatorSet out;
  for (const ledger::Validator& v : genesis.validators) {
    out.push_back({v.public_key, static_cast<int64_t>(v.power)});
  }
  sort_validators(out);
  return out;
}

Hash32 tx_id(Bytes tx) {
  return crypto::sha256(tx);
}

Hash32 data_hash(std::span<const Buffer> txs) {
  std::vector<Buffer> leaves;
  leaves.reserve(txs.size());
  for (const Buffer& tx : txs) leaves.push_back(to_buffer(tx_id(tx)));
  return root_of(leaves);
}

Hash32 results_hash(std::span<const TxOutcome> results) {
  std::vector<Buffer> leaves;
  leaves.reserve(results.size());
  for (const TxOutcome& r : results) {
    ProtoWriter out;
    out.varint(1, r.code).bytes(2, r.data).signed_varint(5, r.gas_wanted);
    leaves.push_back(out.signed_varint(6, r.gas_used).take());
  }
  return root_of(leaves);
}

Hash32 consensus_hash(int64_t max_bytes, int64_t max_gas) {
  const Buffer preimage =
      ProtoWriter().signed_varint(1, max_bytes).signed_varint(2, max_gas).take();
  return crypto::sha256(preimage);
}

}  // namespace cloister::light
