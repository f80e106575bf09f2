// Bodies of all transactions, one a kind. Who may send one and what it is refused for:
// ledger/state.
#pragma once

#include "ledger/types/beacon.h"
#include "ledger/types/checks.h"
#include "ledger/types/governance.h"
#include "ledger/types/instance_bodies.h"
#include "ledger/types/jobs.h"
#include "ledger/types/model_bodies.h"
#include "ledger/types/operator_bodies.h"
#include "ledger/types/session_bodies.h"

namespace cloister::ledger {

struct PutBeaconShare : Record<PutBeaconShare> {
  static constexpr TxKind kKind = TxKind::beacon_share;
  uint64_t height = 0;
  BeaconShare share;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "height", r.height);
    v(2, "share", r.share);
  }
  bool operator==(const PutBeaconShare&) const = default;
};

}  // namespace cloister::ledger
