#include "ledger/types/draw.h"

#include "ledger/types/domain.h"

namespace cloister::ledger {
namespace {

// 64-bit words of SHA-256 in counter mode.
class WordStream {
 public:
  WordStream(const Hash32& beacon, Bytes request_id) {
    ByteWriter out = tagged("cloister select v1");
    out.bytes(beacon).u32_le(static_cast<uint32_t>(request_id.size())).bytes(request_id);
    prefix_ = out.take();
  }
  uint64_t next() {
    if (used_ == 4) refill();
    ByteReader word(Bytes(block_).subspan(8 * used_++, 8));
    return *word.u64_le();
  }
  // Below `bound`, without bias; bound > 0.
  uint64_t below(uint64_t bound) {
    const uint64_t excess = (UINT64_MAX % bound + 1) % bound;  // 2^64 mod bound
    uint64_t word = next();
    while (word > UINT64_MAX - excess) word = next();
    return word % bound;
  }

 private:
  void refill() {
    ByteWriter out;
    out.bytes(prefix_).u64_le(counter_++);
    block_ = crypto::sha256(out.view());
    used_ = 0;
  }
  Buffer prefix_;
  Hash32 block_{};
  uint64_t counter_ = 0;
  size_t used_ = 4;
};

std::optional<uint64_t> checked_sum(std::span<const uint64_t> weights) {
  uint64_t total = 0;
  for (uint64_t weight : weights) {
    if (weight == 0 || weight > UINT64_MAX - total) return std::nullopt;
    total += weight;
  }
  return total;
}

}  // namespace

std::vector<size_t> select(const Hash32& beacon, Bytes request_id,
                           std::span<const uint64_t> weights, size_t k) {
  const auto sum = checked_sum(weights);
  if (!sum) return {};
  WordStream stream(beacon, request_id);
  std::vector<uint64_t> left(weights.begin(), weights.end());  // 0: already drawn
  uint64_t total = *sum;
  std::vector<size_t> winners;
  while (winners.size() < k && total > 0) {
    uint64_t v = stream.below(total);
    size_t i = 0;
    while (v >= left[i]) v -= left[i++];
    winners.push_back(i);
    total -= left[i];
    left[i] = 0;
  }
  return winners;
}

std::optional<InstanceId> draw(const Hash32& beacon, const SessionId& session,
                               const Candidates& candidates) {
  std::vector<uint64_t> weights;
  weights.reserve(candidates.list.size());
  for (const Candidate& candidate : candidates.list) weights.push_back(candidate.weight);
  const auto winners = select(beacon, session, weights, 1);
  if (winners.empty()) return std::nullopt;
  return candidates.list[winners[0]].id;
}

}  // namespace cloister::ledger
