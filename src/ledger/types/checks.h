// Sampling checks (40-ledger, section 5): an instance commits to its receipts, a later beacon draws
// some of them, other operators' instances score them again.
#pragma once

#include "ledger/types/instance.h"
#include "ledger/types/tx.h"
#include "merkle/sum.h"

namespace cloister::ledger {

using BatchId = Hash32;
using CheckId = Hash32;

// Receipts of the audited sessions of one instance and model. Their root is that of a sum tree: id
// SHA-256(receipt as signed), weight its units, so that a long answer is drawn more often and many
// small ones hide nothing.
struct Batch : Record<Batch> {
  BatchId id{};
  InstanceId instance{};
  ModelRoot model_root{};
  uint64_t epoch = 0;
  Hash32 root{};
  uint64_t units = 0;
  uint64_t height = 0;      // at whose end the pools of checkers were frozen
  uint64_t due_height = 0;  // 0 once it was drawn

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "id", r.id);
    v(2, "instance", r.instance);
    v(3, "model_root", r.model_root);
    v(4, "epoch", r.epoch);
    v(5, "root", r.root);
    v(6, "units", r.units);
    v(7, "height", r.height);
    v(8, "due_height", r.due_height);
  }
  bool operator==(const Batch&) const = default;
};

// Units of audited sessions that an instance was paid for, and that it committed receipts of. Those
// of an epoch are owed by the end of the next.
struct Audit : Record<Audit> {
  uint64_t epoch = 0;          // of the last settlement
  uint64_t earlier_units = 0;  // settled in all epochs before it
  uint64_t epoch_units = 0;    // settled in it
  uint64_t committed_units = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "epoch", r.epoch);
    v(2, "earlier_units", r.earlier_units);
    v(3, "epoch_units", r.epoch_units);
    v(4, "committed_units", r.committed_units);
  }
  bool operator==(const Audit&) const = default;
};

struct Checker : Record<Checker> {
  InstanceId instance{};
  AccountId operator_account{};
  std::optional<Hash32> commitment;
  std::optional<CheckVerdict> verdict;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
    v(2, "operator_account", r.operator_account);
    v(3, "commitment", r.commitment);
    v(4, "verdict", r.verdict);
  }
  bool operator==(const Checker&) const = default;
};

struct Check : Record<Check> {
  CheckId id{};
  BatchId batch{};
  uint64_t point = 0;  // of the batch's units: the receipt that holds it is checked
  InstanceId instance{};
  AccountId operator_account{};
  ModelRoot model_root{};
  CheckState state = CheckState::opening;
  CheckOutcome outcome = CheckOutcome::pending;
  uint64_t due_height = 0;         // when the ledger moves it on by itself; 0 once it ended
  std::vector<Checker> committee;  // that judges now
  std::vector<Checker> first;      // that judged before an appeal
  CheckOutcome first_outcome = CheckOutcome::pending;
  std::optional<Hash32> session;  // of the opened receipt
  std::optional<AccountId> user;  // of that session
  std::optional<AccountId> appellant;
  uint64_t bond_micro = 0;   // of the appeal, locked
  uint64_t draw_height = 0;  // of the pools that the second committee is drawn from

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "id", r.id);
    v(2, "batch", r.batch);
    v(3, "point", r.point);
    v(4, "instance", r.instance);
    v(5, "operator_account", r.operator_account);
    v(6, "model_root", r.model_root);
    v(7, "state", r.state);
    v(8, "outcome", r.outcome);
    v(9, "due_height", r.due_height);
    v(10, "committee", r.committee, kMaxCommittee);
    v(11, "first", r.first, kMaxCommittee);
    v(12, "first_outcome", r.first_outcome);
    v(13, "session", r.session);
    v(14, "user", r.user);
    v(15, "appellant", r.appellant);
    v(16, "bond_micro", r.bond_micro);
    v(17, "draw_height", r.draw_height);
  }
  bool operator==(const Check&) const = default;
};

BatchId batch_id(std::string_view chain_id, const InstanceId& instance, uint64_t epoch,
                 const ModelRoot& model_root);
CheckId check_id(const BatchId& batch, uint32_t number);
// SHA-256("cloister verdict commitment v1" ‖ 00 ‖ check ‖ checker ‖ u8 verdict ‖ salt).
Hash32 verdict_commitment(const CheckId& check, const InstanceId& checker, CheckVerdict verdict,
                          const Hash32& salt);

// --- bodies -------------------------------------------------------------------------------------

struct CommitReceipts : Record<CommitReceipts> {
  static constexpr TxKind kKind = TxKind::commit_receipts;
  InstanceId instance{};
  ModelRoot model_root{};
  uint64_t epoch = 0;  // the one before the current: height / epoch_blocks - 1
  Hash32 root{};
  uint64_t units = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
    v(2, "model_root", r.model_root);
    v(3, "epoch", r.epoch);
    v(4, "root", r.root);
    v(5, "units", r.units);
  }
  bool operator==(const CommitReceipts&) const = default;
};

struct OpenReceipt : Record<OpenReceipt> {
  static constexpr TxKind kKind = TxKind::open_receipt;
  CheckId check{};
  Buffer receipt;  // CBOR of SignedReceipt
  Buffer place;    // merkle::SumProof

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "check", r.check);
    v(2, "receipt", r.receipt, kMaxClaimsBytes);
    v(3, "place", r.place, merkle::kMaxSumProofBytes);
  }
  bool operator==(const OpenReceipt&) const = default;
};

struct CommitVerdict : Record<CommitVerdict> {
  static constexpr TxKind kKind = TxKind::commit_verdict;
  CheckId check{};
  InstanceId checker{};
  Hash32 commitment{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "check", r.check);
    v(2, "checker", r.checker);
    v(3, "commitment", r.commitment);
  }
  bool operator==(const CommitVerdict&) const = default;
};

struct RevealVerdict : Record<RevealVerdict> {
  static constexpr TxKind kKind = TxKind::reveal_verdict;
  CheckId check{};
  InstanceId checker{};
  CheckVerdict verdict = CheckVerdict::match;
  Hash32 salt{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "check", r.check);
    v(2, "checker", r.checker);
    v(3, "verdict", r.verdict);
    v(4, "salt", r.salt);
  }
  bool operator==(const RevealVerdict&) const = default;
};

struct Appeal : Record<Appeal> {
  static constexpr TxKind kKind = TxKind::appeal;
  CheckId check{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "check", r.check);
  }
  bool operator==(const Appeal&) const = default;
};

}  // namespace cloister::ledger
