// What is asked of the ledger when a session or a job is opened.
#pragma once

#include "ledger/types/session_bodies.h"

namespace cloister::gateway {

struct SessionWish {
  ledger::ModelRoot model_root{};
  uint64_t max_units = 0;
  uint64_t price_cap_micro = 0;
  uint64_t lifetime_blocks = 0;
};

// The deposit is what all units cost at the highest price.
inline ledger::OpenSession open_body(const SessionWish& wish) {
  ledger::OpenSession body;
  body.model_root = wish.model_root;
  body.max_units = wish.max_units;
  body.price_cap_micro = wish.price_cap_micro;
  body.deposit_micro =
      ledger::cost_micro(wish.max_units, wish.price_cap_micro).value_or(UINT64_MAX);
  body.lifetime_blocks = wish.lifetime_blocks;
  return body;
}

}  // namespace cloister::gateway
