// The state machine as the drivers of blocks see it. The ledger implements it
// (`ledger_application.h`); tests of the drivers bring a smaller one.
//
// An application is deterministic: equal calls of `apply` give equal results, roots and changes, on
// every machine. It reads no clock, draws nothing at random and touches no file.
#pragma once

#include <memory>

#include "chain/error.h"
#include "light/proof.h"
#include "light/results_json.h"

namespace cloister::chain {

// Whose state a file holds.
struct StoreIdentity {
  std::string chain_id;
  Hash32 genesis_hash{};
};

// One entry of the state that a block wrote, or removed when there is no value.
struct StateChange {
  std::string family;
  Buffer key;
  std::optional<Buffer> value;
};

struct StateRow {
  std::string family;
  Buffer key;
  Buffer value;
};

using light::Event;
using TxResult = light::TxReport;

// That a validator signed two blocks of one height; proven by whoever orders blocks.
struct Misbehavior {
  Fixed<20> validator{};  // its address
  int64_t height = 0;
};

struct ValidatorUpdate {
  crypto::Ed25519Public public_key{};
  int64_t power = 0;  // 0: out of the set
  bool operator==(const ValidatorUpdate&) const = default;
};

struct BlockInput {
  int64_t height = 0;
  UnixMillis time_ms = 0;
  Hash32 hash{};
  std::span<const Buffer> txs;
  std::span<const Misbehavior> misbehavior;
};

struct BlockOutput {
  std::vector<TxResult> results;  // one for each transaction, in order
  std::vector<Event> events;      // of the block itself
  std::vector<StateChange> changes;
  Hash32 app_hash{};
  std::vector<ValidatorUpdate> validator_updates;
};

// What the mempool asks about a transaction. `code` judges everything but the order of nonces.
struct TxCheck {
  uint32_t code = 0;
  std::string log;
  Hash32 sender{};
  uint64_t nonce = 0;
  uint64_t next_nonce = 0;        // what the committed state expects of the sender
  uint32_t wrong_nonce_code = 0;  // what the application says of a nonce that is not
};

struct ProvenRead {
  std::optional<Buffer> value;
  std::vector<light::ProofOp> proof;
};

// One committed state. Immutable: it may be read on any thread while the application moves on.
class StateView {
 public:
  virtual ~StateView() = default;
  virtual Hash32 app_hash() const = 0;
  // Nothing when there is no such family.
  virtual std::optional<ProvenRead> read(std::string_view family, Bytes key) const = 0;
  virtual TxCheck check(Bytes tx) const = 0;
  // The same, of a transaction that passed it on an earlier state: its signature holds.
  virtual TxCheck check_again(Bytes tx) const = 0;
  // Ascending by family and key.
  virtual std::vector<StateRow> rows() const = 0;
};

// Starts with the state of its genesis.
class Application {
 public:
  virtual ~Application() = default;
  // Replaces the state by the one that the rows describe; root_mismatch when its root is another,
  // and nothing of the rows is believed before that.
  virtual Status restore(std::vector<StateRow> rows, const Hash32& root) = 0;
  virtual BlockOutput apply(const BlockInput& block) = 0;
  // Whether block `height` has something to do even without transactions.
  virtual bool work_due(int64_t height) const = 0;
  // What this validator adds to its vote, for whoever proposes the next block; empty: nothing. For
  // the ledger: its shares of the beacon that block `height` may want.
  virtual Buffer offer(int64_t height) const = 0;
  // The transaction that a proposer puts in front of block `height`, made from what validators
  // offered, which may be anything.
  virtual std::optional<Buffer> front(int64_t height, std::span<const Buffer> offers) const = 0;
  // Whether a proposer who keeps the rules may have put `tx` in front of block `height`.
  virtual bool may_be_front(int64_t height, Bytes tx) const = 0;
  virtual std::shared_ptr<const StateView> view() const = 0;
};

}  // namespace cloister::chain
