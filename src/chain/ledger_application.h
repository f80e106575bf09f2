// The ledger's state machine behind the drivers' seam, with the validator's duty to the beacon.
#pragma once

#include "chain/application.h"
#include "ledger/state/state.h"
#include "ledger/types/beacon.h"

namespace cloister::chain {

class LedgerApplication final : public Application {
 public:
  // `genesis` must pass ledger::check. `beacon` is this validator's secret; a node without one has
  // nothing to offer.
  static Result<std::unique_ptr<LedgerApplication>> create(
      const ledger::Genesis& genesis, ledger::State::Verifier verifier,
      std::optional<ledger::BeaconSecret> beacon);

  Status restore(std::vector<StateRow> rows, const Hash32& root) override;
  BlockOutput apply(const BlockInput& block) override;
  bool work_due(int64_t height) const override;
  // A share for each beacon that some request of an earlier block waits for. A height's share is
  // made only once nothing can be added to the requests that it decides.
  Buffer offer(int64_t height) const override;
  std::optional<Buffer> front(int64_t height, std::span<const Buffer> offers) const override;
  bool may_be_front(int64_t height, Bytes tx) const override;
  std::shared_ptr<const StateView> view() const override;

 private:
  LedgerApplication(ledger::State state, ledger::State::Verifier verifier,
                    std::optional<ledger::BeaconSecret> beacon);

  ledger::State state_;
  ledger::State::Verifier verifier_;
  std::optional<ledger::BeaconSecret> beacon_;
};

}  // namespace cloister::chain
