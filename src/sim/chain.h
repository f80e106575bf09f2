// A ledger of one validator, driven block by block without a network: for simulations and
// measurements.
#pragma once

#include <map>
#include <vector>

#include "ledger/state/state.h"
#include "ledger/types/beacon.h"

namespace cloister::sim {

class Chain {
 public:
  // `state` is of a network whose only validator has this secret of the beacon.
  Chain(ledger::State state, ledger::BeaconSecret secret);

  // Puts a transaction into the next block, with the next nonce of its account.
  template <typename Body>
  void send(const crypto::Ed25519Key& key, const Body& body) {
    const ledger::AccountId account = key.public_key();
    const uint64_t next = nonce(account) + queued_[account]++;
    txs_.push_back(ledger::make_tx(state_.genesis().chain_id, next, body, key));
  }
  bool is_sending(const ledger::AccountId& account) const { return queued_.contains(account); }

  // Applies the shares of the beacon that are wanted, then what was sent. Results are in that
  // order. A second passes.
  ledger::BlockResult block();

  static Hash32 block_hash(uint64_t height);
  uint64_t height() const { return state_.height(); }
  uint64_t nonce(const ledger::AccountId& account) const;
  template <typename T>
  std::optional<T> read(ledger::Family family, Bytes key) const {
    const auto value = state_.store().get(family, key);
    return value ? T::decode(*value) : std::nullopt;
  }
  const ledger::State& state() const { return state_; }

 private:
  ledger::State state_;
  ledger::BeaconSecret secret_;
  std::vector<Buffer> txs_;
  std::map<ledger::AccountId, uint64_t> queued_;  // transactions of each sender
};

}  // namespace cloister::sim
