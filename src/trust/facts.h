// What a bundle's ledger part proves: its records, each checked against a header that the genesis's
// validators signed. Private to this folder.
#pragma once

#include "ledger/types/account.h"
#include "ledger/types/collateral.h"
#include "ledger/types/session.h"
#include "trust/bundle.h"

namespace cloister::trust {

struct LedgerFacts {
  std::string fault;                          // empty: every block and every read holds
  int64_t height = 0;                         // the highest proven state
  int64_t signed_power = 0, total_power = 0;  // of the header that proves it
  std::optional<ledger::Instance> instance;
  std::optional<ledger::Session> session;
  std::optional<ledger::Model> model;
  std::optional<ledger::NetworkPolicy> policy;
  std::vector<ledger::CollateralRecord> collateral;
  ledger::KeySet keys;  // of `keys_of`; empty when there are none
  Buffer keys_of;
  UnixMillis session_proven_ms = 0;  // time of the header that proves the session's state
  int64_t session_height = 0;
  std::optional<UnixMillis> confirmed_ms;  // time of the block that confirmed it, where it is there
};

LedgerFacts prove_ledger(const Bundle& bundle);

}  // namespace cloister::trust
