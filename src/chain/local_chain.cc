#include "chain/local_chain.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace cloister::chain {

HeaderParts header_parts(const LocalConfig& config, const Hash32& genesis_root) {
  return {config.chain_id, config.app_version, {{config.validator, config.power}}, genesis_root};
}

LocalChain::LocalChain(const LocalConfig& config, std::unique_ptr<Application> app,
                       crypto::Ed25519Key key, BlockStore store)
    : config_(config),
      parts_(header_parts(config, app->view()->app_hash())),
      app_(std::move(app)),
      key_(std::move(key)),
      store_(std::move(store)),
      mempool_(config.mempool) {}

Result<LocalChain> LocalChain::open(const LocalConfig& config, std::unique_ptr<Application> app,
                                    crypto::Ed25519Key key) {
  if (config.chain_id.empty() || config.chain_id.size() > light::kMaxChainIdBytes) {
    return std::unexpected(ChainError::bad_chain_id);
  }
  if (key.public_key() != config.validator) return std::unexpected(ChainError::wrong_validator);
  auto store =
      BlockStore::open(config.path, {config.chain_id, config.genesis_hash}, app->view()->rows());
  if (!store) return std::unexpected(store.error());
  LocalChain chain(config, std::move(app), std::move(key), std::move(*store));
  Status checked = chain.replay();
  if (checked) checked = chain.check_state();
  if (!checked) return std::unexpected(checked.error());
  return chain;
}

// The hash of each header covers the block before it, so one signature at the end covers all.
Status LocalChain::replay() {
  const auto height = store_.height();
  if (!height) return std::unexpected(height.error());
  const int64_t earliest = store_.earliest();
  for (int64_t h = 1; h <= *height; h = h == 1 && earliest > 1 ? earliest : h + 1) {
    auto block = store_.block(h);
    if (!block) return std::unexpected(block.error());
    const bool after_pruned = h > 1 && h == earliest;
    const Status linked = after_pruned ? check_alone(parts_, *block)
                                       : check_successor(parts_, last_ ? &*last_ : nullptr, *block);
    if (!linked) return linked;
    last_ = std::move(*block);
  }
  return last_ ? check_signature(parts_, *last_) : Status{};
}

Status LocalChain::check_state() {
  auto rows = store_.state_rows();
  if (!rows) return std::unexpected(rows.error());
  const Hash32& root = last_ ? last_->app_hash : parts_.genesis_app_hash;
  const Status restored = app_->restore(std::move(*rows), root);
  if (!restored) return restored;
  views_.push_back(app_->view());
  return {};
}

Mempool::Verdict LocalChain::submit(Bytes tx) {
  return mempool_.add(tx, *views_.back());
}

UnixMillis LocalChain::next_block_ms() const {
  if (!last_) return config_.genesis_time_ms;
  const UnixMillis last_ms = last_->time_ms();
  if (!mempool_.empty()) return last_ms + config_.block_interval_ms;
  // Not asked of the app hash: a ledger that notes each block changes its state with every one.
  if (proof_wanted_) return last_ms + config_.proof_delay_ms;
  const bool work = app_->work_due(height() + 1);
  return last_ms + (work ? config_.block_interval_ms : config_.heartbeat_ms);
}

std::vector<Buffer> LocalChain::next_txs() const {
  std::vector<Buffer> txs;
  const std::array offers{app_->offer(height() + 1)};
  if (auto front = app_->front(height() + 1, offers)) txs.push_back(std::move(*front));
  size_t bytes = 0;
  for (const Buffer& tx : txs) bytes += tx.size();
  for (Buffer& tx : mempool_.front(kMaxBlockTxs - txs.size(), kMaxBlockBytes - bytes)) {
    txs.push_back(std::move(tx));
  }
  return txs;
}

Status LocalChain::produce(UnixMillis now_ms) {
  if (stopped_) return std::unexpected(ChainError::stopped);
  Block block;
  block.txs = next_txs();
  const UnixMillis earliest = last_ ? last_->time_ms() + 1 : config_.genesis_time_ms;
  light::Header& header = block.signed_header.header;
  header = next_header(parts_, last_ ? &*last_ : nullptr, std::max(now_ms, earliest), block.txs);
  const bool work = !block.txs.empty() || app_->work_due(height() + 1);
  BlockInput input;
  input.height = header.height;
  input.time_ms = header.time.to_ms();
  input.hash = light::header_hash(header);
  input.txs = block.txs;
  BlockOutput output = app_->apply(input);
  if (output.results.size() != block.txs.size()) std::abort();  // the application is broken
  block.results = std::move(output.results);
  block.events = std::move(output.events);
  block.app_hash = output.app_hash;
  block.signed_header.commit = sign_header(header, block.txs, key_);
  const int64_t keep_from = config_.keep_blocks > 0 ? header.height - config_.keep_blocks + 1 : 1;
  const Status stored = store_.append(block, output.changes, keep_from);
  if (!stored) {
    stopped_ = stored.error();
    return stored;
  }
  proof_wanted_ = work || header.height == 1;  // reads need two headers
  publish(std::move(block));
  return {};
}

void LocalChain::publish(Block block) {
  last_ = std::move(block);
  views_.push_back(app_->view());
  if (views_.size() > kViewsKept) views_.pop_front();
  mempool_.after_block(last_->txs, *views_.back());
}

Result<Block> LocalChain::block(int64_t height) const {
  if (last_ && height == last_->height()) return *last_;
  return store_.block(height);
}

Result<std::optional<BlockStore::TxPlace>> LocalChain::find_tx(const Hash32& id) const {
  return store_.find_tx(id);
}

std::shared_ptr<const StateView> LocalChain::view_at(int64_t height) const {
  const int64_t oldest = this->height() + 1 - static_cast<int64_t>(views_.size());
  if (height < oldest || height > this->height()) return nullptr;
  return views_[static_cast<size_t>(height - oldest)];
}

}  // namespace cloister::chain
