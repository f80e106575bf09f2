#include "merkle/simple.h"

namespace cloister::merkle {
namespace {

constexpr size_t kMaxKeyBytes = 256;
constexpr size_t kMaxMessageBytes = kMaxKeyBytes + kMaxSimpleAunts * 34 + 128;
constexpr uint8_t kTagKey = 0x0a, kTagProof = 0x12;  // ValueOp
constexpr uint8_t kTagTotal = 0x08, kTagIndex = 0x10, kTagLeafHash = 0x1a, kTagAunt = 0x22;

void put_varint(ByteWriter& w, uint64_t value) {
  while (value >= 0x80) {
    w.u8(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  w.u8(static_cast<uint8_t>(value));
}

void put_bytes(ByteWriter& w, uint8_t tag, Bytes bytes) {
  w.u8(tag);
  put_varint(w, bytes.size());
  w.bytes(bytes);
}

Buffer encode_proof(const SimpleProof& proof) {
  ByteWriter w;
  // proto3 leaves out zero scalars
  if (proof.total != 0) w.u8(kTagTotal), put_varint(w, proof.total);
  if (proof.index != 0) w.u8(kTagIndex), put_varint(w, proof.index);
  put_bytes(w, kTagLeafHash, proof.leaf_hash);
  for (const Hash32& aunt : proof.aunts) put_bytes(w, kTagAunt, aunt);
  return w.take();
}

std::optional<uint64_t> take_varint(ByteReader& r) {
  uint64_t value = 0;
  for (int shift = 0; shift < 63; shift += 7) {  // nothing here needs the 64th bit
    auto byte = r.u8();
    if (!byte) return std::nullopt;
    value |= uint64_t{*byte & 0x7fu} << shift;
    if (*byte < 0x80) return value;
  }
  return std::nullopt;
}

bool take_tag(ByteReader& r, uint8_t tag) {
  return !r.done() && r.rest()[0] == tag && r.u8().has_value();
}

std::optional<Bytes> take_bytes(ByteReader& r) {
  auto size = take_varint(r);
  return size ? r.take(*size) : std::nullopt;
}

bool take_hash(ByteReader& r, Hash32& out) {
  auto bytes = take_bytes(r);
  auto hash = bytes ? to_fixed<32>(*bytes) : std::nullopt;
  if (hash) out = *hash;
  return hash.has_value();
}

bool decode_proof(Bytes bytes, SimpleProof& proof) {
  ByteReader r(bytes);
  if (take_tag(r, kTagTotal)) {
    auto total = take_varint(r);
    if (!total) return false;
    proof.total = *total;
  }
  if (take_tag(r, kTagIndex)) {
    auto index = take_varint(r);
    if (!index) return false;
    proof.index = *index;
  }
  if (!take_tag(r, kTagLeafHash) || !take_hash(r, proof.leaf_hash)) return false;
  while (take_tag(r, kTagAunt)) {
    if (proof.aunts.size() == kMaxSimpleAunts) return false;
    if (!take_hash(r, proof.aunts.emplace_back())) return false;
  }
  return r.done();
}

}  // namespace

Buffer simple_value_leaf(std::string_view key, Bytes value) {
  ByteWriter w;
  put_varint(w, key.size());
  w.text(key).u8(32).bytes(crypto::sha256(value));
  return w.take();
}

Buffer encode_value_op(const ValueOp& op) {
  ByteWriter w;
  if (!op.key.empty()) put_bytes(w, kTagKey, as_bytes(op.key));
  put_bytes(w, kTagProof, encode_proof(op.proof));
  return w.take();
}

std::optional<ValueOp> decode_value_op(Bytes bytes) {
  if (bytes.size() > kMaxMessageBytes) return std::nullopt;
  ByteReader r(bytes);
  ValueOp op;
  if (take_tag(r, kTagKey)) {
    auto key = take_bytes(r);
    if (!key || key->size() > kMaxKeyBytes) return std::nullopt;
    op.key = as_text(*key);
  }
  if (!take_tag(r, kTagProof)) return std::nullopt;
  auto body = take_bytes(r);
  if (!body || !decode_proof(*body, op.proof) || !r.done()) return std::nullopt;
  if (encode_value_op(op) != to_buffer(bytes)) return std::nullopt;  // one encoding each
  return op;
}

}  // namespace cloister::merkle
