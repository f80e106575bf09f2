// The ledger's state machine behind the drivers' seam, with the validator's duty to the beacon.
#pragma once

#include "chain/application.h"
#include "ledger/state/state.h"
#include "ledger/types/beacon.h"

namespace cloister::chain {

class LedgerApplication final : public Application {
 public:
  // `genesis` must pass ledger::check. `key` and `beacon` are those of the validator that makes
  // blocks.
  static Result<std::unique_ptr<LedgerApplication>> create(const ledger::Genesis& genesis,
                                                           ledger::State::Verifier verifier,
                                                           crypto::Ed25519Key key,
                                                           ledger::BeaconSecret beacon);

  std::vector<StateRow> genesis_rows() const override;
  Status restore(std::vector<StateRow> rows, const Hash32& root) override;
  BlockOutput apply(const BlockInput& block) override;
  TxCheck check(Bytes tx) const override;
  uint32_t wrong_nonce_code() const override;
  bool work_due(int64_t height) const override;
  // A share for each beacon that some request of an earlier block waits for. A height's share is
  // made only once nothing can be added to the requests that it decides.
  std::vector<Buffer> own_txs(int64_t height) const override;
  std::shared_ptr<const StateView> view() const override;

 private:
  LedgerApplication(ledger::State state, ledger::State::Verifier verifier, crypto::Ed25519Key key,
                    ledger::BeaconSecret beacon);
  uint64_t next_nonce(const ledger::AccountId& account) const;

  ledger::State state_;
  ledger::State::Verifier verifier_;
  crypto::Ed25519Key key_;
  ledger::BeaconSecret beacon_;
};

}  // namespace cloister::chain
