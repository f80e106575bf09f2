// The network's contract as one deterministic state machine. It runs unchanged in one process for
// development and in every validator: no clock, no randomness, no I/O, no threads.
#pragma once

#include <string>

#include "base/seams.h"
#include "ledger/state/admission.h"
#include "ledger/state/pools.h"
#include "ledger/state/store.h"
#include "ledger/types/beacon.h"
#include "ledger/types/tx.h"
#include "ledger/types/validator.h"

namespace cloister::ledger {

// That a validator signed two blocks of one height, as the consensus engine has proven.
struct Misbehavior {
  ValidatorAddress validator{};
  uint64_t height = 0;
};

// Power 0: out of the set.
struct ValidatorUpdate {
  crypto::Ed25519Public public_key{};
  uint64_t power = 0;
  bool operator==(const ValidatorUpdate&) const = default;
};

struct BlockInput {
  uint64_t height = 0;     // one more than the last
  UnixMillis time_ms = 0;  // never before the last
  Hash32 hash{};           // of this block's header
  std::span<const Buffer> txs;
  std::span<const Misbehavior> misbehavior;  // in the order of the consensus engine
};

struct Event {
  std::string type;                                             // "session.assigned"
  std::vector<std::pair<std::string, std::string>> attributes;  // ids in hex
  bool operator==(const Event&) const = default;
};

// `code` and `data` are the same on every node; `log` is for people.
struct TxResult {
  Code code = Code::ok;
  Buffer data;  // the id of what was made, if any
  std::string log;
  std::vector<Event> events;
};

// A transaction that asks to wait for a block.
struct TxCheck {
  Code code = Code::ok;  // of everything but the order of nonces; wrong_nonce: it is used up
  std::string log;
  AccountId sender{};
  uint64_t nonce = 0;
  uint64_t next_nonce = 0;  // what the state expects of the sender
};

struct BlockResult {
  std::vector<TxResult> txs;  // one a transaction
  std::vector<Event> events;  // of the block itself: draws, deadlines
  Hash32 app_hash{};          // of the state after this block
  std::vector<ValidatorUpdate> validator_updates;
};

enum class StateError : uint8_t {
  no_genesis = 1,   // the store holds no genesis, or one that does not decode
  bad_genesis = 2,  // it breaks a rule of ledger/types/genesis.h
};
std::string_view describe(StateError error);

class State {
 public:
  using Verifier = std::shared_ptr<const AdmissionVerifier>;

  // `genesis` must pass check().
  static std::expected<State, StateError> from_genesis(const Genesis& genesis, Verifier verifier);
  // A store as it was sealed by the block of height().
  static std::expected<State, StateError> from_store(Store store, Verifier verifier);

  // Total: whatever the transactions are, each gets a result and the state moves on. A transaction
  // whose nonce is the next and whose fee is held is paid for and used up. If its rule then refuses
  // it, nothing else changes, with one exception: a renewal whose evidence fails marks the instance
  // as unverified at once. Stops the process when an invariant of our own is broken, such as money
  // that appears or disappears, or a height out of order.
  BlockResult apply(const BlockInput& block);

  // Whether a transaction may wait for a block: envelope, fee, a nonce that is not used up. Changes
  // nothing.
  TxCheck check(Bytes tx) const;

  // Shares of the beacon stand in front of a block. `shares_of`: what one validator offers for
  // block `height`. `front`: out of what validators offer, which may be anything, the transaction
  // of those that are wanted and prove themselves. `check_front`: why no proposer who keeps the
  // rules has put this in front; ok for a transaction of somebody.
  BeaconShares shares_of(uint64_t height, const BeaconSecret& secret) const;
  std::optional<Buffer> front(uint64_t height, std::span<const BeaconShares> offered) const;
  Code check_front(uint64_t height, Bytes tx) const;

  // Whether a block of `height` has work without any transaction: a draw, a deadline, a beacon.
  bool work_due(uint64_t height) const;
  // Heights up to `height` whose beacon some request waits for: validators send shares for them.
  std::vector<uint64_t> beacons_wanted(uint64_t height) const;

  uint64_t height() const { return height_; }  // of the last block; 0 after genesis
  const Genesis& genesis() const { return genesis_; }
  const Params& params() const { return params_; }
  const Store& store() const { return store_; }
  // For persistence. After from_genesis: everything.
  std::vector<StoreChange> take_changes() { return store_.take_changes(); }

 private:
  State() = default;
  Genesis genesis_;
  Params params_;
  NetworkPolicy policy_;
  Store store_;
  Pools pools_;
  Verifier verifier_;
  uint64_t height_ = 0;
  UnixMillis time_ms_ = 0;
};

// State::check on a sealed state, on any thread. `again`: it passed on an earlier state.
TxCheck check_tx(const Snapshot& state, std::string_view chain_id, uint64_t min_fee_micro, Bytes tx,
                 bool again = false);

// The sum of all balances, stakes, reserves, escrows and bonds. For tests and operators: every
// block asserts that it does not change.
uint64_t total_money(const Store& store);

}  // namespace cloister::ledger
