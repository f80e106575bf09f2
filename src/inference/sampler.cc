#include "inference/sampler.h"

#include <algorithm>
#include <cmath>

#include "crypto/hash.h"

namespace cloister::inference {
namespace {

constexpr std::string_view kNoiseDomain{"cloister gumbel v1\0", 19};
constexpr float kMaxLogit = 1 << 20;

struct Candidate {
  Fixed32 logit;
  Token token;
  bool operator<(const Candidate& other) const {  // likelier first
    return logit != other.logit ? logit > other.logit : token < other.token;
  }
};
using Candidates = std::vector<Candidate, WipingAllocator<Candidate>>;

// Exact for every float of this size down to 2^-32, below which it rounds towards zero.
Fixed32 to_fixed32(float logit) {
  return static_cast<Fixed32>(static_cast<double>(logit) * static_cast<double>(kOneFixed32));
}

bool usable(float logit) {
  return logit <= kMaxLogit;
}  // false for what is not a number
bool masked(float logit) {
  return logit < -kMaxLogit;
}  // minus infinity among others

std::optional<Token> likeliest(std::span<const float> logits) {
  std::optional<size_t> best;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!usable(logits[i])) return std::nullopt;
    if (masked(logits[i])) continue;
    if (!best || logits[i] > logits[*best]) best = i;
  }
  if (!best) return std::nullopt;
  return static_cast<Token>(*best);
}

// The `count` likeliest, sorted. Keeps the least likely of those kept on top of a heap, so that
// most tokens cost one comparison.
std::optional<Candidates> top(std::span<const float> logits, size_t count) {
  Candidates kept;
  kept.reserve(count + 1);
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!usable(logits[i])) return std::nullopt;
    if (masked(logits[i])) continue;
    const Candidate next{to_fixed32(logits[i]), static_cast<Token>(i)};
    if (kept.size() == count && !(next < kept.front())) continue;
    kept.push_back(next);
    std::push_heap(kept.begin(), kept.end());
    if (kept.size() > count) {
      std::pop_heap(kept.begin(), kept.end());
      kept.pop_back();
    }
  }
  if (kept.empty()) return std::nullopt;
  std::sort_heap(kept.begin(), kept.end());
  return kept;
}

// How many of the sorted candidates survive top_p and then min_p; at least one.
size_t survivors(const Candidates& candidates, const SamplerParams& params) {
  if (params.top_p_micro == kOneMicro && params.min_p_micro == 0) return candidates.size();
  std::vector<uint64_t, WipingAllocator<uint64_t>> weights;
  weights.reserve(candidates.size());
  uint64_t total = 0;
  for (const Candidate& c : candidates) {
    weights.push_back(exp_negative(candidates[0].logit - c.logit));
    total += weights.back();
  }
  // Sums stay below kMaxTopK · 2^32 = 2^42, products with a million below 2^62.
  size_t kept = 0;
  uint64_t sum = 0;
  while (kept < weights.size()) {
    sum += weights[kept++];
    if (sum * kOneMicro >= total * params.top_p_micro) break;
  }
  while (kept > 1 && weights[kept - 1] * kOneMicro < weights[0] * params.min_p_micro) --kept;
  return kept;
}

// |logit| <= 2^20 and the least temperature is a thousandth: the quotient stays below 2^30 in size.
Fixed32 divide_by_temperature(Fixed32 logit, uint32_t temperature_micro) {
  __extension__ using Wide = __int128;
  return static_cast<Fixed32>(static_cast<Wide>(logit) * kOneMicro / temperature_micro);
}

}  // namespace

Fixed32 noise(const Fixed<32>& seed, uint32_t position, Token token) {
  ByteWriter input;
  input.text(kNoiseDomain).bytes(seed).u32_le(position).u32_le(static_cast<uint32_t>(token));
  const Hash32 digest = crypto::sha256(input.view());
  return gumbel(*ByteReader(digest).u64_le());
}

std::optional<Token> choose_token(std::span<const float> logits, const SamplerParams& params,
                                  uint32_t position) {
  if (params.temperature_micro == 0) return likeliest(logits);
  const size_t count = params.top_k == 0 ? kMaxTopK : params.top_k;
  const auto candidates = top(logits, count);
  if (!candidates) return std::nullopt;
  const size_t allowed = survivors(*candidates, params);
  std::optional<Fixed32> best_score;
  Token best = 0;
  for (size_t i = 0; i < allowed; ++i) {
    const Candidate& c = (*candidates)[i];
    const Fixed32 score = divide_by_temperature(c.logit, params.temperature_micro) +
                          noise(params.seed, position, c.token);
    if (best_score && score <= *best_score) continue;
    best_score = score;
    best = c.token;
  }
  return best;
}

}  // namespace cloister::inference
