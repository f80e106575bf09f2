#include "chain/mempool.h"

namespace cloister::chain {

std::string_view describe(Admission admission) {
  switch (admission) {
    case Admission::accepted:
      return "accepted";
    case Admission::refused:
      return "refused by the ledger";
    case Admission::wrong_nonce:
      return "the nonce is not the sender's next";
    case Admission::already_waiting:
      return "the transaction waits already";
    case Admission::full:
      return "too many transactions wait";
    case Admission::too_large:
      return "the transaction is too large";
  }
  return "unknown";
}

// Cheap bounds before the signature check.
Mempool::Verdict Mempool::add(Bytes tx, const StateView& state) {
  if (tx.empty() || tx.size() > kMaxTxBytes) return {Admission::too_large, 0, {}};
  const Hash32 id = light::tx_id(tx);
  if (ids_.contains(id)) return {Admission::already_waiting, 0, {}};
  if (waiting_.size() >= limits_.max_txs || bytes_ + tx.size() > limits_.max_bytes) {
    return {Admission::full, 0, {}};
  }
  const TxCheck check = state.check(tx);
  if (check.code != 0) return {Admission::refused, check.code, check.log};
  const auto pending = by_sender_.find(check.sender);
  const size_t count = pending == by_sender_.end() ? 0 : pending->second;
  if (count >= limits_.max_txs_per_sender) return {Admission::full, 0, {}};
  if (check.nonce != check.next_nonce + count) {
    return {Admission::wrong_nonce, check.wrong_nonce_code, {}};
  }
  keep({to_buffer(tx), id, check.sender});
  return {};
}

void Mempool::keep(Entry entry) {
  ids_.insert(entry.id);
  ++by_sender_[entry.sender];
  bytes_ += entry.tx.size();
  waiting_.push_back(std::move(entry));
}

std::vector<Buffer> Mempool::front(size_t room_txs, size_t room_bytes) const {
  std::vector<Buffer> out;
  size_t bytes = 0;
  for (const Entry& entry : waiting_) {
    bytes += entry.tx.size();
    if (out.size() == room_txs || bytes > room_bytes) break;
    out.push_back(entry.tx);
  }
  return out;
}

void Mempool::after_block(std::span<const Buffer> block, const StateView& state) {
  std::set<Hash32> gone;
  for (const Buffer& tx : block) gone.insert(light::tx_id(tx));
  std::deque<Entry> before;
  before.swap(waiting_);
  ids_.clear();
  by_sender_.clear();
  bytes_ = 0;
  for (Entry& entry : before) {
    if (gone.contains(entry.id)) continue;
    const TxCheck check = state.check_again(entry.tx);
    const auto kept = by_sender_.find(entry.sender);
    const size_t count = kept == by_sender_.end() ? 0 : kept->second;
    if (check.code == 0 && check.nonce == check.next_nonce + count) keep(std::move(entry));
  }
}

}  // namespace cloister::chain
