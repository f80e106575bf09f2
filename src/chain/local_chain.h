// The embedded driver: one validator in this process that orders transactions into blocks, applies
// and stores them, and signs headers that are CometBFT's to the bit (one part, a set of one
// validator).
//
// Deterministic: the same calls with the same times give the same blocks. It has no thread, timer
// or clock; `daemon.h` calls `produce` when `next_block_ms` says so. A block is visible to queries
// only once it is on disk. After an error of the store the chain has stopped for good: the process
// must open it again, because the state in memory may be ahead of the file.
#pragma once

#include "chain/block_store.h"
#include "chain/mempool.h"

namespace cloister::chain {

constexpr size_t kViewsKept = 128;  // states that queries may name by height

struct LocalConfig {
  std::string path;  // of the SQLite file
  std::string chain_id;
  Hash32 genesis_hash{};
  UnixMillis genesis_time_ms = 0;
  uint64_t app_version = 1;
  crypto::Ed25519Public validator{};  // the genesis' only one
  int64_t power = 1;
  int64_t block_interval_ms = 200;  // between blocks while transactions wait or work is due
  int64_t proof_delay_ms = 10;      // after transactions or due work: the next header proves it
  int64_t heartbeat_ms = 3000;      // between blocks when nothing happens, for freshness
  int64_t keep_blocks = 0;          // the newest, and the first; 0: all
  MempoolLimits mempool;
};

// What every header of the chain has.
HeaderParts header_parts(const LocalConfig& config, const Hash32& genesis_root);

class LocalChain {
 public:
  // Opens or begins the chain and verifies all of it: the links, transactions and results of every
  // block that was not pruned, the last signature, and that the stored state has the root that the
  // blocks lead to.
  static Result<LocalChain> open(const LocalConfig& config, std::unique_ptr<Application> app,
                                 crypto::Ed25519Key key);

  Mempool::Verdict submit(Bytes tx);
  // When the next block is due. May lie in the past; never more than the heartbeat after the last.
  UnixMillis next_block_ms() const;
  // Makes one block, whether due or not. Its time is `now_ms`, or a millisecond after the last
  // block's.
  Status produce(UnixMillis now_ms);

  int64_t height() const { return last_ ? last_->height() : 0; }
  const std::optional<Block>& last() const { return last_; }
  int64_t earliest() const { return store_.earliest(); }
  Result<Block> block(int64_t height) const;  // missing_block when there is none
  Result<std::optional<BlockStore::TxPlace>> find_tx(const Hash32& id) const;
  // The state after `height`; nothing when it is not among the last kViewsKept.
  std::shared_ptr<const StateView> view_at(int64_t height) const;
  const HeaderParts& parts() const { return parts_; }
  Status each_state_row(const std::function<Status(const StateRow&)>& visit) const {
    return store_.each_state_row(visit);
  }
  bool waits(const Hash32& tx_id) const { return mempool_.contains(tx_id); }
  size_t waiting_txs() const { return mempool_.size(); }
  int64_t heartbeat_ms() const { return config_.heartbeat_ms; }
  std::optional<ChainError> stopped() const { return stopped_; }

  BlockStore& store_for_testing() { return store_; }

 private:
  LocalChain(const LocalConfig& config, std::unique_ptr<Application> app, crypto::Ed25519Key key,
             BlockStore store);
  Status replay();
  Status check_state();
  std::vector<Buffer> next_txs() const;
  void publish(Block block);

  LocalConfig config_;
  HeaderParts parts_;
  std::unique_ptr<Application> app_;
  crypto::Ed25519Key key_;
  BlockStore store_;
  Mempool mempool_;
  std::optional<Block> last_;
  std::deque<std::shared_ptr<const StateView>> views_;  // the last one is after last_
  bool proof_wanted_ = true;                            // the last block did more than pass time
  std::optional<ChainError> stopped_;
};

}  // namespace cloister::chain
