// Who holds money and who operates.
#pragma once

#include "ledger/types/enums.h"
#include "ledger/types/params.h"

namespace cloister::ledger {

struct Account : Record<Account> {
  uint64_t balance_micro = 0;
  uint64_t nonce = 0;  // that the next transaction must carry

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "balance_micro", r.balance_micro);
    v(2, "nonce", r.nonce);
  }
  bool operator==(const Account&) const = default;
};

// Holds fees, the network's share and slashes. Nobody knows a key for it.
AccountId treasury_account();

// A part of a stake on its way back to its owner. Slashable until withdrawn.
struct Unbonding : Record<Unbonding> {
  uint64_t amount_micro = 0;
  uint64_t release_height = 0;  // from which it may be withdrawn

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "amount_micro", r.amount_micro);
    v(2, "release_height", r.release_height);
  }
  bool operator==(const Unbonding&) const = default;
};

struct Operator : Record<Operator> {
  uint64_t stake_micro = 0;
  uint32_t reputation = 0;  // 0..1000, moved by facts on the ledger only
  uint64_t slashed_micro = 0;
  std::vector<Unbonding> unbonding;  // in the order of their heights
  uint32_t live_instances = 0;
  uint64_t check_reserve_micro = 0;  // from its settlements; pays those who check its answers

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "stake_micro", r.stake_micro);
    v(2, "reputation", r.reputation);
    v(3, "slashed_micro", r.slashed_micro);
    v(4, "unbonding", r.unbonding, kMaxUnbonding);
    v(5, "live_instances", r.live_instances);
    v(6, "check_reserve_micro", r.check_reserve_micro);
  }
  bool operator==(const Operator&) const = default;
};

struct BlockRef : Record<BlockRef> {
  Hash32 hash{};
  uint64_t time_ms = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "hash", r.hash);
    v(2, "time_ms", r.time_ms);
  }
  bool operator==(const BlockRef&) const = default;
};

}  // namespace cloister::ledger
