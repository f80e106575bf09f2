#include "ledger/types/draw.h"

#include <algorithm>
#include <bit>

#include "ledger/types/codec.h"
#include "ledger/types/domain.h"

namespace cloister::ledger {
namespace {

uint16_t bit(uint8_t number) {
  return number < 16 ? static_cast<uint16_t>(1u << number) : uint16_t{0};
}

uint16_t mask(const std::vector<uint8_t>& numbers) {
  uint16_t out = 0;
  for (uint8_t number : numbers) out = static_cast<uint16_t>(out | bit(number));
  return out;
}

std::optional<uint64_t> checked_sum(std::span<const uint64_t> weights) {
  uint64_t total = 0;
  for (uint64_t weight : weights) {
    if (weight == 0 || weight > UINT64_MAX - total) return std::nullopt;
    total += weight;
  }
  return total;
}

std::vector<Pool> suitable(const FrozenPools& frozen, const Session& session) {
  std::vector<Pool> out;
  for (const Pool& pool : frozen.pools) {
    if (suits(pool.key, session)) out.push_back(pool);
  }
  return out;
}

// Where the instance lies when all pools lie side by side.
std::expected<merkle::SumPlace, DrawError> place_of(const DrawTry& attempt,
                                                    std::span<const Pool> pools) {
  if (attempt.places.size() != pools.size()) return std::unexpected(DrawError::places);
  merkle::SumPlace all;
  for (size_t i = 0; i < pools.size(); ++i) {
    const auto proof = merkle::SumProof::decode(attempt.places[i]);
    if (!proof) return std::unexpected(DrawError::places);
    const merkle::SumNode root{pools[i].root, pools[i].total};
    const auto place = merkle::verify_place(root, attempt.instance, *proof);
    if (!place) return std::unexpected(DrawError::places);
    if (place->weight > 0 && all.weight > 0) return std::unexpected(DrawError::places);
    all.before += place->before;  // bounded by the sum of the totals
    if (place->weight > 0) all = {all.before, place->weight, place->tag};
  }
  return all;
}

}  // namespace

PoolKey pool_of(const Instance& instance, const Offer& offer) {
  PoolKey key;
  key.model_root = offer.model_root;
  for (const Platform& platform : instance.platforms) {
    key.formats = static_cast<uint16_t>(key.formats | bit(platform.format));
    key.statuses = static_cast<uint16_t>(key.statuses | bit(platform.tcb_status));
  }
  key.price_octave = static_cast<uint8_t>(std::bit_width(offer.price_micro));
  return key;
}

bool suits(const PoolKey& pool, const Session& session) {
  const Requirement& asked = session.requirement;
  const uint16_t formats = mask(asked.formats), statuses = mask(asked.tcb_statuses);
  return (asked.formats.empty() || (pool.formats & formats) != 0) &&
         (!asked.gpu || (pool.formats & bit(kNvidiaGpuFormat)) != 0) &&
         (pool.formats & mask(session.apart_formats)) == 0 &&
         (asked.tcb_statuses.empty() || (pool.statuses & ~statuses) == 0) &&
         pool.price_octave <= std::bit_width(session.price_cap_micro);
}

bool fits(const Session& session, const InstanceId& instance, uint64_t price_micro) {
  const auto& excluded = session.excluded;
  return price_micro <= session.price_cap_micro &&
         std::find(excluded.begin(), excluded.end(), instance) == excluded.end();
}

DrawPoints::DrawPoints(const Hash32& beacon, Bytes request_id, uint64_t total) : left_(total) {
  ByteWriter out = tagged("cloister select v1");
  out.bytes(beacon).u32_le(static_cast<uint32_t>(request_id.size())).bytes(request_id);
  prefix_ = out.take();
}

uint64_t DrawPoints::word() {
  if (used_ == 4) {
    block_ = crypto::sha256(ByteWriter().bytes(prefix_).u64_le(counter_++).view());
    used_ = 0;
  }
  ByteReader reader(Bytes(block_).subspan(8 * used_++, 8));
  return *reader.u64_le();
}

std::optional<uint64_t> DrawPoints::next() {
  if (left_ == 0) return std::nullopt;
  const uint64_t excess = (UINT64_MAX % left_ + 1) % left_;  // 2^64 mod left
  uint64_t v = word();
  while (v > UINT64_MAX - excess) v = word();
  v %= left_;
  // From the line without what was taken to the line with it.
  for (const merkle::SumPlace& place : taken_) {
    if (v >= place.before) v += place.weight;
  }
  return v;
}

void DrawPoints::take(const merkle::SumPlace& place) {
  const auto at = std::find_if(taken_.begin(), taken_.end(), [&](const merkle::SumPlace& other) {
    return other.before > place.before;
  });
  taken_.insert(at, place);
  left_ -= place.weight;
}

std::vector<size_t> select(const Hash32& beacon, Bytes request_id,
                           std::span<const uint64_t> weights, size_t k) {
  const auto sum = checked_sum(weights);
  if (!sum) return {};
  DrawPoints points(beacon, request_id, *sum);
  std::vector<size_t> winners;
  while (winners.size() < k) {
    const auto point = points.next();
    if (!point) break;
    size_t i = 0;
    uint64_t before = 0;
    while (*point - before >= weights[i]) before += weights[i++];
    points.take({before, weights[i], 0});
    winners.push_back(i);
  }
  return winners;
}

std::string_view describe(DrawError error) {
  switch (error) {
    case DrawError::no_tries:
      return "the draw names nobody";
    case DrawError::other_height:
      return "the pools are not those of the request";
    case DrawError::places:
      return "a place in a pool is not proven";
    case DrawError::not_hit:
      return "the beacon points at another instance";
    case DrawError::passed_over:
      return "an instance that fits was passed over";
    case DrawError::unfit:
      return "the winner does not fit the request";
    case DrawError::other_winner:
      return "the session has another instance than the draw";
    case DrawError::left_out:
      return "kinds of platforms were left out of the draw";
  }
  return "unknown";
}

std::expected<void, DrawError> verify_draw(const Session& session, const FrozenPools& frozen,
                                           const Hash32& beacon, const Drawn& drawn) {
  if (drawn.tries.empty()) return std::unexpected(DrawError::no_tries);
  if (frozen.height != session.request_height || drawn.height != frozen.height) {
    return std::unexpected(DrawError::other_height);
  }
  if (!session.twin && !session.apart_formats.empty()) {
    return std::unexpected(DrawError::left_out);
  }
  const std::vector<Pool> pools = suitable(frozen, session);
  std::vector<uint64_t> totals;
  for (const Pool& pool : pools) totals.push_back(pool.total);
  const auto total = checked_sum(totals);
  if (!total) return std::unexpected(DrawError::places);
  DrawPoints points(beacon, session.id, *total);
  for (size_t i = 0; i < drawn.tries.size(); ++i) {
    const DrawTry& attempt = drawn.tries[i];
    const auto place = place_of(attempt, pools);
    if (!place) return std::unexpected(place.error());
    const auto point = points.next();
    if (!point || *point < place->before || *point - place->before >= place->weight) {
      return std::unexpected(DrawError::not_hit);
    }
    points.take(*place);
    const bool last = i + 1 == drawn.tries.size();
    const bool fit = fits(session, attempt.instance, place->tag);
    if (fit && !last) return std::unexpected(DrawError::passed_over);
    if (!fit && last) return std::unexpected(DrawError::unfit);
  }
  if (session.instance != drawn.tries.back().instance) {
    return std::unexpected(DrawError::other_winner);
  }
  return {};
}

template struct Record<PoolKey>;
template struct Record<Pool>;
template struct Record<FrozenPools>;
template struct Record<DrawTry>;
template struct Record<Drawn>;

}  // namespace cloister::ledger
