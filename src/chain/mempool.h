// Transactions that wait for a block, in order of arrival. Bounded in count, bytes and per sender;
// each sender's nonces are gapless, so that every prefix of the pool is applicable as far as nonces
// go.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "chain/block.h"

namespace cloister::chain {

struct MempoolLimits {
  size_t max_txs = 5000;
  size_t max_bytes = 16 << 20;
  size_t max_txs_per_sender = 64;
};

enum class Admission { accepted, refused, wrong_nonce, already_waiting, full, too_large };
std::string_view describe(Admission admission);

class Mempool {
 public:
  explicit Mempool(const MempoolLimits& limits) : limits_(limits) {}

  struct Verdict {
    Admission admission = Admission::accepted;
    uint32_t code = 0;  // of the application, when it refused
    std::string log;
  };
  Verdict add(Bytes tx, const StateView& state);

  // The front of the pool, as much as a block with `room_txs` and `room_bytes` left holds.
  std::vector<Buffer> front(size_t room_txs, size_t room_bytes) const;
  // Drops what `block` holds and what the new state no longer admits.
  void after_block(std::span<const Buffer> block, const StateView& state);

  bool contains(const Hash32& id) const { return ids_.contains(id); }
  bool empty() const { return waiting_.empty(); }
  size_t size() const { return waiting_.size(); }

 private:
  struct Entry {
    Buffer tx;
    Hash32 id;
    Hash32 sender;
  };
  void keep(Entry entry);

  MempoolLimits limits_;
  std::deque<Entry> waiting_;
  std::set<Hash32> ids_;
  std::map<Hash32, size_t> by_sender_;
  size_t bytes_ = 0;
};

}  // namespace cloister::chain
