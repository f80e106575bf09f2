// What the engine was told to keep: how many transactions of each sender wait, so that a sender may
// have several in the order of their nonces, and whose signatures need not be verified again. The
// counts start anew with each committed block, after which the engine asks about everything again
// that still waits.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "chain/application.h"

namespace cloister::chain::abci {

constexpr uint64_t kMaxWaitingOfOneSender = 64;
constexpr size_t kMaxKnownTxs = 20'000;  // four times what the engine keeps; then all are forgotten

class WaitingNonces {
 public:
  void begin(int64_t height) {
    const std::lock_guard lock(mutex_);
    height_ = height;
    waiting_.clear();
  }

  bool knows(const Hash32& tx_id) const {
    const std::lock_guard lock(mutex_);
    return known_.contains(tx_id);
  }

  enum class Verdict { accepted, wrong_nonce, too_many, another_height };
  // `check` was made on the state after `height` and passed.
  Verdict add(const Hash32& tx_id, const TxCheck& check, int64_t height) {
    const std::lock_guard lock(mutex_);
    if (height != height_) return Verdict::another_height;
    const auto found = waiting_.find(check.sender);
    const uint64_t count = found == waiting_.end() ? 0 : found->second;
    if (check.nonce != check.next_nonce + count) return Verdict::wrong_nonce;
    if (count == kMaxWaitingOfOneSender) return Verdict::too_many;
    waiting_[check.sender] = count + 1;
    if (known_.size() == kMaxKnownTxs) known_.clear();
    known_.insert(tx_id);
    return Verdict::accepted;
  }

 private:
  mutable std::mutex mutex_;
  int64_t height_ = 0;
  std::map<Hash32, uint64_t> waiting_;
  std::set<Hash32> known_;
};

}  // namespace cloister::chain::abci
