// The stored form of a block: deterministic CBOR maps with rising keys.
#include "base/cbor.h"
#include "chain/block.h"

namespace cloister::chain {
namespace {

constexpr size_t kMaxHashBytes = 64;
constexpr size_t kMaxTextBytes = 4096;
constexpr size_t kMaxDataBytes = 1 << 20;
constexpr size_t kMaxEvents = 100'000;
constexpr size_t kMaxAttributes = 64;
// Times are stored from year 1, so that they are never negative.
constexpr int64_t kTimeOrigin = light::kZeroGoSeconds;

void put_time(CborWriter& out, const light::Timestamp& time) {
  out.array(2).u64(static_cast<uint64_t>(time.seconds - kTimeOrigin));
  out.u64(static_cast<uint64_t>(time.nanos));
}

light::Timestamp get_time(CborReader& in) {
  if (in.array(2) != 2) in.fail();
  light::Timestamp time;
  time.seconds = static_cast<int64_t>(in.u64(uint64_t{1} << 40)) + kTimeOrigin;
  time.nanos = static_cast<int32_t>(in.u64(999'999'999));
  return time;
}

void put_block_id(CborWriter& out, const light::BlockId& id) {
  out.array(3).bytes(id.hash).u64(id.parts_total).bytes(id.parts_hash);
}

light::BlockId get_block_id(CborReader& in) {
  if (in.array(3) != 3) in.fail();
  light::BlockId id;
  id.hash = to_buffer(in.bytes(32));
  id.parts_total = in.u32();
  id.parts_hash = to_buffer(in.bytes(32));
  return id;
}

// The nine byte strings of a header, in the order of its hash.
template <typename HeaderType>
auto hashes_of(HeaderType& h) {
  return std::array{&h.last_commit_hash,     &h.data_hash,      &h.validators_hash,
                    &h.next_validators_hash, &h.consensus_hash, &h.app_hash,
                    &h.last_results_hash,    &h.evidence_hash,  &h.proposer_address};
}

void put_header(CborWriter& out, const light::Header& h) {
  const auto hashes = hashes_of(h);
  out.array(6 + hashes.size()).u64(h.block_version).u64(h.app_version).text(h.chain_id);
  out.u64(static_cast<uint64_t>(h.height));
  put_time(out, h.time);
  put_block_id(out, h.last_block_id);
  for (const Buffer* hash : hashes) out.bytes(*hash);
}

light::Header get_header(CborReader& in) {
  light::Header h;
  const auto hashes = hashes_of(h);
  if (in.array(6 + hashes.size()) != 6 + hashes.size()) in.fail();
  h.block_version = in.u64();
  h.app_version = in.u64();
  h.chain_id = in.text(light::kMaxChainIdBytes);
  h.height = static_cast<int64_t>(in.u64(INT64_MAX));
  h.time = get_time(in);
  h.last_block_id = get_block_id(in);
  for (Buffer* hash : hashes) *hash = to_buffer(in.bytes(kMaxHashBytes));
  return h;
}

void put_commit(CborWriter& out, const light::Commit& commit) {
  out.array(4).u64(static_cast<uint64_t>(commit.height));
  out.u64(static_cast<uint64_t>(commit.round));
  put_block_id(out, commit.block_id);
  out.array(commit.signatures.size());
  for (const light::CommitSig& sig : commit.signatures) {
    out.array(4).u64(static_cast<uint8_t>(sig.flag)).bytes(sig.validator_address);
    put_time(out, sig.timestamp);
    out.bytes(sig.signature);
  }
}

light::Commit get_commit(CborReader& in) {
  if (in.array(4) != 4) in.fail();
  light::Commit commit;
  commit.height = static_cast<int64_t>(in.u64(INT64_MAX));
  commit.round = static_cast<int32_t>(in.u64(INT32_MAX));
  commit.block_id = get_block_id(in);
  const size_t count = in.array(light::kMaxValidators);
  for (size_t i = 0; i < count && in.ok(); ++i) {
    if (in.array(4) != 4) in.fail();
    light::CommitSig sig;
    const uint64_t flag = in.u64(3);
    if (flag == 0) in.fail();
    sig.flag = static_cast<light::BlockIdFlag>(flag);
    sig.validator_address = to_buffer(in.bytes(20));
    sig.timestamp = get_time(in);
    sig.signature = to_buffer(in.bytes(64));
    commit.signatures.push_back(std::move(sig));
  }
  return commit;
}

void put_events(CborWriter& out, const std::vector<Event>& events) {
  out.array(events.size());
  for (const Event& event : events) {
    out.array(2).text(event.type).array(event.attributes.size());
    for (const auto& [key, value] : event.attributes) out.array(2).text(key).text(value);
  }
}

std::vector<Event> get_events(CborReader& in) {
  std::vector<Event> events;
  const size_t count = in.array(kMaxEvents);
  for (size_t i = 0; i < count && in.ok(); ++i) {
    Event event;
    if (in.array(2) != 2) in.fail();
    event.type = in.text(kMaxTextBytes);
    const size_t attributes = in.array(kMaxAttributes);
    for (size_t j = 0; j < attributes && in.ok(); ++j) {
      if (in.array(2) != 2) in.fail();
      std::string key = in.text(kMaxTextBytes);
      event.attributes.emplace_back(std::move(key), in.text(kMaxTextBytes));
    }
    events.push_back(std::move(event));
  }
  return events;
}

void put_result(CborWriter& out, const TxResult& result) {
  out.array(6).u64(result.outcome.code).bytes(result.outcome.data);
  out.u64(static_cast<uint64_t>(result.outcome.gas_wanted));
  out.u64(static_cast<uint64_t>(result.outcome.gas_used)).text(result.log);
  put_events(out, result.events);
}

TxResult get_result(CborReader& in) {
  if (in.array(6) != 6) in.fail();
  TxResult result;
  result.outcome.code = in.u32();
  result.outcome.data = to_buffer(in.bytes(kMaxDataBytes));
  result.outcome.gas_wanted = static_cast<int64_t>(in.u64(INT64_MAX));
  result.outcome.gas_used = static_cast<int64_t>(in.u64(INT64_MAX));
  result.log = in.text(kMaxTextBytes);
  result.events = get_events(in);
  return result;
}

}  // namespace

Buffer encode_block(const Block& block) {
  CborWriter out;
  out.map(6).key(1);
  put_header(out, block.header());
  out.key(2);
  put_commit(out, block.signed_header.commit);
  out.key(3).array(block.txs.size());
  for (const Buffer& tx : block.txs) out.bytes(tx);
  out.key(4).array(block.results.size());
  for (const TxResult& result : block.results) put_result(out, result);
  out.key(5);
  put_events(out, block.events);
  out.key(6).bytes(block.app_hash);
  return out.take();
}

std::optional<Block> decode_block(Bytes bytes) {
  CborReader in(bytes);
  Block block;
  in.map(6);
  in.key(1);
  block.signed_header.header = get_header(in);
  in.key(2);
  block.signed_header.commit = get_commit(in);
  in.key(3);
  const size_t txs = in.array(kMaxBlockTxs);
  for (size_t i = 0; i < txs && in.ok(); ++i) block.txs.push_back(to_buffer(in.bytes(kMaxTxBytes)));
  in.key(4);
  const size_t results = in.array(kMaxBlockTxs);
  for (size_t i = 0; i < results && in.ok(); ++i) block.results.push_back(get_result(in));
  in.key(5);
  block.events = get_events(in);
  in.key(6);
  block.app_hash = in.fixed<32>();
  if (!in.finish()) return std::nullopt;
  return block;
}

}  // namespace cloister::chain
