// A user's paid conversation with one drawn instance.
#pragma once

#include "ledger/types/instance.h"

namespace cloister::ledger {

// What an instance must be to be drawn. Empty lists demand nothing.
struct Requirement : Record<Requirement> {
  std::vector<uint8_t> formats;       // one platform is of one of these; ascending
  std::vector<uint8_t> tcb_statuses;  // each platform's status is one of these; ascending
  uint8_t diversity = 1;              // 2: two instances of different operators and CPU vendors
  bool gpu = false;                   // it has a GPU that proved itself

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "formats", r.formats, kMaxFormats);
    v(2, "tcb_statuses", r.tcb_statuses, kMaxStatuses);
    v(3, "diversity", r.diversity);
    v(4, "gpu", r.gpu);
  }
  bool operator==(const Requirement&) const = default;
};

bool valid(const Requirement& requirement);  // both lists strictly ascending; diversity 1 or 2
bool meets(const Instance& instance, const Requirement& requirement);

// The evidence formats of every vendor that made a CPU of this instance, ascending. GPUs are
// everywhere of one vendor and do not count.
std::vector<uint8_t> vendor_formats(const Instance& instance);
// Neither their operators nor their vendors have anything in common: what betrays one says nothing
// of the other.
bool apart(const Instance& a, const Instance& b);

// Units of a session that were paid for in one epoch: above from_units, up to until_units.
struct SettledRange : Record<SettledRange> {
  uint64_t epoch = 0;
  uint64_t from_units = 0;
  uint64_t until_units = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "epoch", r.epoch);
    v(2, "from_units", r.from_units);
    v(3, "until_units", r.until_units);
  }
  bool operator==(const SettledRange&) const = default;
};

// The receipts of an epoch are committed in the next, drawn and opened by the end of the one after
// it (`valid(Params)`).
constexpr uint64_t kEpochsOpen = 2;

struct Session : Record<Session> {
  SessionId id{};
  AccountId user{};
  ModelRoot model_root{};
  Requirement requirement;
  uint64_t max_units = 0;
  uint64_t price_cap_micro = 0;  // for a million units
  uint64_t deposit_micro = 0;    // locked when opened
  uint64_t escrow_micro = 0;     // of it, still locked
  uint64_t paid_micro = 0;
  uint64_t lifetime_blocks = 0;  // from the confirmation
  bool allow_audit = false;
  bool on_ledger = false;  // a job (jobs.h)
  SessionState state = SessionState::requested;
  uint64_t opened_height = 0;
  uint64_t request_height = 0;  // h of the draw: the set frozen at its end, the beacon of h + 1
  uint64_t due_height = 0;      // when the ledger acts on it by itself; 0 once it ended
  std::optional<InstanceId> instance;
  uint64_t price_micro = 0;              // fixed at the draw
  std::optional<AccountId> model_owner;  // and its share, fixed at the draw
  uint32_t owner_permille = 0;
  uint64_t assigned_height = 0;
  uint64_t confirmed_height = 0;
  Hash32 verdict_id{};  // the user's, of the evidence it accepted
  uint64_t policy_version = 0;
  uint64_t cumulative_units = 0;
  uint32_t redraws = 0;              // on the user's report
  uint32_t misses = 0;               // draws whose instance was no longer free
  std::vector<InstanceId> excluded;  // in the order of the reports
  // With diversity 2: the other session of the pair, and the formats that this one was not to be
  // drawn from, those of the instance that the other one had by then.
  std::optional<SessionId> twin;
  std::vector<uint8_t> apart_formats;
  // What checks may still ask for, ascending; only of sessions that allow checks.
  std::vector<SettledRange> settled;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "id", r.id);
    v(2, "user", r.user);
    v(3, "model_root", r.model_root);
    v(4, "requirement", r.requirement);
    v(5, "max_units", r.max_units);
    v(6, "price_cap_micro", r.price_cap_micro);
    v(7, "deposit_micro", r.deposit_micro);
    v(8, "escrow_micro", r.escrow_micro);
    v(9, "paid_micro", r.paid_micro);
    v(10, "lifetime_blocks", r.lifetime_blocks);
    v(11, "allow_audit", r.allow_audit);
    v(12, "state", r.state);
    v(13, "opened_height", r.opened_height);
    v(14, "request_height", r.request_height);
    v(15, "due_height", r.due_height);
    v(16, "instance", r.instance);
    v(17, "price_micro", r.price_micro);
    v(18, "assigned_height", r.assigned_height);
    v(19, "confirmed_height", r.confirmed_height);
    v(20, "verdict_id", r.verdict_id);
    v(21, "policy_version", r.policy_version);
    v(22, "cumulative_units", r.cumulative_units);
    v(23, "redraws", r.redraws);
    v(24, "misses", r.misses);
    v(25, "excluded", r.excluded, kMaxExcluded);
    v(26, "model_owner", r.model_owner);
    v(27, "owner_permille", r.owner_permille);
    v(28, "on_ledger", r.on_ledger);
    v(29, "settled", r.settled, kEpochsOpen + 1);
    v(30, "twin", r.twin);
    v(31, "apart_formats", r.apart_formats, kMaxFormats);
  }
  bool operator==(const Session&) const = default;
};

// SHA-256("cloister session v1" ‖ 00 ‖ SHA-256(chain_id) ‖ account ‖ u64be nonce) of the
// transaction that opened it: the user knows it before the transaction is in a block.
SessionId session_id(std::string_view chain_id, const AccountId& account, uint64_t nonce);

// SHA-256("cloister twin v1" ‖ 00 ‖ id): the second session of a pair.
SessionId twin_id(const SessionId& first);

// units × price for a million, rounded up once. Nothing when it does not fit.
std::optional<uint64_t> cost_micro(uint64_t units, uint64_t price_micro);

}  // namespace cloister::ledger
