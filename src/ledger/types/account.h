// Who holds money, who operates, and what the vendors signed.
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

// A vendor-signed object whose signature chain was verified when it came.
struct CollateralRecord : Record<CollateralRecord> {
  CollateralKind kind = CollateralKind::certificate;
  Hash32 id{};                // what it is the newest of: a platform's TCB info, a CA's CRL, …
  std::vector<Buffer> files;  // the object and the chain that signs it, as received
  uint64_t issued_at = 0;     // Unix seconds
  uint64_t next_update = 0;
  uint64_t number = 0;  // TCB evaluation number or CRL number

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "kind", r.kind);
    v(2, "id", r.id);
    v(3, "files", r.files, kMaxCollateralFiles, kMaxCollateralBytes);
    v(4, "issued_at", r.issued_at);
    v(5, "next_update", r.next_update);
    v(6, "number", r.number);
  }
  bool operator==(const CollateralRecord&) const = default;
};

struct CollateralName : Record<CollateralName> {
  CollateralKind kind = CollateralKind::certificate;
  Hash32 id{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "kind", r.kind);
    v(2, "id", r.id);
  }
  bool operator==(const CollateralName&) const = default;
};

// The names of all collateral records, so that a client can read every one of them with a proof.
struct CollateralIndex : Record<CollateralIndex> {
  std::vector<CollateralName> entries;  // in the order in which they first came

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "entries", r.entries, kMaxCollateralRecords);
  }
  bool operator==(const CollateralIndex&) const = default;
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
