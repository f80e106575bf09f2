// The moments of writing a chain's file at which the process may die, each by name, so that a test
// can kill it there and look at what it left.
#pragma once

#include <cstdint>

namespace cloister::chain {

enum class PersistPoint : uint8_t {
  draft_begun,      // a new file: its draft exists, and nothing is in it
  draft_half,       // half of the genesis state
  draft_written,    // all of it, not committed
  draft_committed,  // in the draft's log
  draft_flushed,    // in the draft itself
  renamed,          // the file has its name; its folder is not synced
  block_begun,      // a block: its transaction has begun
  block_written,    // the block itself
  txs_written,      // and where its transactions stand
  changes_half,     // half of what it changed in the state
  changes_written,  // all of it
  pruned,           // and old blocks are gone; not committed
  committed,        // durable; nobody has heard of it
};
constexpr int kPersistPoints = 13;

// Nothing happens here, but for a test that has asked to be called.
void reach(PersistPoint point);
void on_persist_points_for_testing(void (*hook)(PersistPoint));

}  // namespace cloister::chain
