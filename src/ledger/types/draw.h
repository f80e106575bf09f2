// Which instance a request gets: a public rule that anyone can compute again (41-consensus, 10.4).
#pragma once

#include "ledger/types/session.h"

namespace cloister::ledger {

struct Candidate : Record<Candidate> {
  InstanceId id{};
  uint64_t weight = 0;  // above zero

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "id", r.id);
    v(2, "weight", r.weight);
  }
  bool operator==(const Candidate&) const = default;
};

// The set of one request, frozen at the end of block `height`, before anybody can know the beacon
// of height + 1.
struct Candidates : Record<Candidates> {
  uint64_t height = 0;
  std::vector<Candidate> list;  // ascending by id

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "height", r.height);
    v(2, "list", r.list, kMaxCandidates);
  }
  bool operator==(const Candidates&) const = default;
};

// Weighted sampling without replacement: indices into `weights` of up to k different winners, in
// the order in which they are drawn. Weights must be above zero and their sum below 2^64; otherwise
// nothing.
//
//   stream  block_j = SHA-256("cloister select v1" ‖ 00 ‖ beacon ‖ LE32(len id) ‖ request id ‖
//   LE64(j)), each
//           block four 64-bit little-endian words
//   draw    W = sum of remaining weights; words until one is below 2^64 - (2^64 mod W); v = word
//   mod W;
//           the first in order with v < weight wins, else v -= weight
std::vector<size_t> select(const Hash32& beacon, Bytes request_id,
                           std::span<const uint64_t> weights, size_t k);

std::optional<InstanceId> draw(const Hash32& beacon, const SessionId& session,
                               const Candidates& candidates);

}  // namespace cloister::ledger
