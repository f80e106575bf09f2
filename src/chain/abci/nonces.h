// How many transactions of each sender the engine's mempool holds, so that a sender may have
// several waiting, in the order of their nonces. Starts anew with each committed block, after which
// the engine asks about everything again that still waits.
#pragma once

#include <map>
#include <mutex>

#include "chain/application.h"

namespace cloister::chain::abci {

constexpr uint64_t kMaxWaitingOfOneSender = 64;

class WaitingNonces {
 public:
  void begin(int64_t height) {
    const std::lock_guard lock(mutex_);
    height_ = height;
    waiting_.clear();
  }

  enum class Verdict { accepted, wrong_nonce, too_many, another_height };
  // `check` was made on the state after `height`.
  Verdict add(const TxCheck& check, int64_t height) {
    const std::lock_guard lock(mutex_);
    if (height != height_) return Verdict::another_height;
    const auto found = waiting_.find(check.sender);
    const uint64_t count = found == waiting_.end() ? 0 : found->second;
    if (check.nonce != check.next_nonce + count) return Verdict::wrong_nonce;
    if (count == kMaxWaitingOfOneSender) return Verdict::too_many;
    waiting_[check.sender] = count + 1;
    return Verdict::accepted;
  }

 private:
  std::mutex mutex_;
  int64_t height_ = 0;
  std::map<Hash32, uint64_t> waiting_;
};

}  // namespace cloister::chain::abci
