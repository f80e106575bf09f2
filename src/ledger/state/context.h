// What the rules of one block see. For the source files of this folder.
#pragma once

#include <string>
#include <type_traits>

#include "base/text.h"
#include "ledger/state/admission.h"
#include "ledger/state/pools.h"
#include "ledger/state/state.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"

namespace cloister::ledger {

// Our own mistake or a corrupted store: the node stops rather than diverge.
void invariant(bool held, const char* what);

struct Context {
  Store& store;
  Pools& pools;
  const Genesis& genesis;
  Params& params;         // changed while due things are done, never by a transaction
  NetworkPolicy& policy;  // likewise
  const AdmissionVerifier& verifier;
  uint64_t height;
  UnixMillis time_ms;
  Hash32 block_hash;
  std::vector<Event> events;           // of what is going on now; dropped when it is rolled back
  std::vector<SessionId> requests;     // whose pools are frozen at the end of this block
  std::vector<ModelRoot> check_draws;  // likewise: committees that are drawn from this model's
  Buffer data;                         // of the result of the transaction
  bool reweigh_all = false;            // a parameter that weights rest on has changed
  bool vendors_changed = false;        // collateral has, and judges platforms differently

  UnixSeconds now() const { return time_ms / 1000; }
  const std::string& chain_id() const { return genesis.chain_id; }

  void emit(std::string type, std::vector<std::pair<std::string, std::string>> attributes) {
    events.push_back({std::move(type), std::move(attributes)});
  }

  template <typename T>
  std::optional<T> find(Family family, Bytes key) const {
    const auto value = store.get(family, key);
    if (!value) return std::nullopt;
    auto record = T::decode(*value);
    invariant(record.has_value(), "a stored record does not decode");
    return record;
  }

  // An account or operator that nobody wrote yet has the values of a new one.
  Account account(const AccountId& id) const {
    return find<Account>(Family::accounts, id).value_or(Account());
  }
  void put(const AccountId& id, const Account& account) {
    store.put(Family::accounts, id_key(id), account.encode());
  }
  Totals totals() const {
    return find<Totals>(Family::params, as_bytes(kTotalsKey)).value_or(Totals());
  }
  void put(const Totals& totals) {
    store.put(Family::params, to_buffer(as_bytes(kTotalsKey)), totals.encode());
  }
  std::optional<Operator> operator_of(const AccountId& id) const {
    return find<Operator>(Family::operators, id);
  }
  void put(const AccountId& id, const Operator& op);  // keeps the sum of all stakes
  std::optional<Instance> instance(const InstanceId& id) const {
    return find<Instance>(Family::instances, id);
  }
  void put(const Instance& instance) {
    store.put(Family::instances, id_key(instance.id), instance.encode());
  }
  std::optional<Session> session(const SessionId& id) const {
    return find<Session>(Family::sessions, id);
  }
  void put(const Session& session) {
    store.put(Family::sessions, id_key(session.id), session.encode());
  }
  std::optional<Beacon> beacon(uint64_t beacon_height) const {
    return find<Beacon>(Family::beacon, number_key(beacon_height));
  }
  void put(const Beacon& beacon) {
    store.put(Family::beacon, number_key(beacon.height), beacon.encode());
  }
};

// --- money.cc: amounts move, none is made or lost -----------------------------------------------
void credit(Context& c, const AccountId& to, uint64_t amount_micro);
[[nodiscard]] bool debit(Context& c, const AccountId& from, uint64_t amount_micro);
// Takes up to `amount_micro` of the stake, then of what is unbonding, the latest first: a share to
// one account, the rest to the treasury.
void slash(Context& c, const AccountId& operator_account, const AccountId& to,
           uint32_t share_permille, uint64_t amount_micro);
// Rounded down.
uint64_t share_of(uint64_t amount_micro, uint32_t permille);
void change_reputation(Context& c, const AccountId& operator_account, int64_t by);
// Compares balances, stakes and escrows before and after this block; stops the node when the sums
// differ.
void audit_block(const Store& store);

// --- due: what the ledger does by itself --------------------------------------------------------
template <typename Thing>
consteval DueKind due_kind_of() {
  if constexpr (std::is_same_v<Thing, Session>) return DueKind::session;
  if constexpr (std::is_same_v<Thing, Proposal>) return DueKind::proposal;
  if constexpr (std::is_same_v<Thing, Batch>) return DueKind::batch;
  if constexpr (std::is_same_v<Thing, Check>) return DueKind::check;
}

// A record that falls due at most once at a time; 0: nothing more falls due. The caller puts it.
template <typename Thing>
void schedule(Context& c, Thing& thing, uint64_t due_height) {
  constexpr DueKind kKind = due_kind_of<Thing>();
  if (thing.due_height != 0) {
    c.store.erase(Family::due, due_key(thing.due_height, kKind, thing.id));
  }
  thing.due_height = due_height;
  if (due_height != 0) c.store.put(Family::due, due_key(due_height, kKind, thing.id), {});
}

// --- transactions: Code::ok, or a refusal that leaves no trace ----------------------------------
struct Verdict {
  Code code = Code::ok;
  bool keep = false;  // keep the changes although the code is not ok
  Verdict(Code c) : code(c) {}
  Verdict(Code c, bool keep_changes) : code(c), keep(keep_changes) {}
};
Verdict apply_transfer(Context& c, const Tx& tx, const Transfer& body);
Verdict apply_bond(Context& c, const Tx& tx, const OperatorBond& body);
Verdict apply_unbond(Context& c, const Tx& tx, const OperatorUnbond& body);
Verdict apply_withdraw(Context& c, const Tx& tx, const OperatorWithdraw& body);
Verdict apply_collateral(Context& c, const Tx& tx, const PutCollateral& body);
Verdict apply_register(Context& c, const Tx& tx, const RegisterInstance& body);
Verdict apply_renew(Context& c, const Tx& tx, const RenewInstance& body);
Verdict apply_rotate(Context& c, const Tx& tx, const RotateKeys& body);
Verdict apply_drain(Context& c, const Tx& tx, const DrainInstance& body);
Verdict apply_retire(Context& c, const Tx& tx, const RetireInstance& body);
Verdict apply_revoke(Context& c, const Tx& tx, const RevokeInstance& body);
Verdict apply_register_model(Context& c, const Tx& tx, const RegisterModel& body);
Verdict apply_update_model(Context& c, const Tx& tx, const UpdateModel& body);
Verdict apply_deprecate_model(Context& c, const Tx& tx, const DeprecateModel& body);
Verdict apply_open(Context& c, const Tx& tx, const OpenSession& body);
Verdict apply_confirm(Context& c, const Tx& tx, const ConfirmAttestation& body);
Verdict apply_report(Context& c, const Tx& tx, const ReportAttestation& body);
Verdict apply_settle(Context& c, const Tx& tx, const Settle& body);
Verdict apply_close(Context& c, const Tx& tx, const CloseSession& body);
Verdict apply_submit_job(Context& c, const Tx& tx, const SubmitJob& body);
Verdict apply_post_input(Context& c, const Tx& tx, const PostInput& body);
Verdict apply_post_result(Context& c, const Tx& tx, const PostResult& body);
Verdict apply_commit_receipts(Context& c, const Tx& tx, const CommitReceipts& body);
Verdict apply_open_receipt(Context& c, const Tx& tx, const OpenReceipt& body);
Verdict apply_commit_verdict(Context& c, const Tx& tx, const CommitVerdict& body);
Verdict apply_reveal_verdict(Context& c, const Tx& tx, const RevealVerdict& body);
Verdict apply_appeal(Context& c, const Tx& tx, const Appeal& body);
Verdict apply_propose(Context& c, const Tx& tx, const Propose& body);
Verdict apply_vote(Context& c, const Tx& tx, const Vote& body);
Verdict apply_release_approve(Context& c, const Tx& tx, const ReleaseApprove& body);
Verdict apply_emergency_pause(Context& c, const Tx& tx, const PauseFormat& body);
Verdict apply_join_validators(Context& c, const Tx& tx, const JoinValidators& body);
Verdict apply_leave_validators(Context& c, const Tx& tx, const LeaveValidators& body);

// --- instances.cc, revocation.cc ----------------------------------------------------------------
inline bool is_live(const Instance& i) {
  return i.state == InstanceState::active || i.state == InstanceState::unverified;
}
// An instance speaks through its own key or its operator's.
inline bool speaks_for(const Tx& tx, const Instance& i) {
  return tx.account == i.operator_account || tx.account == i.identity_key;
}
inline bool takes_work(const Instance& i) {
  return i.state == InstanceState::active && !i.draining && i.open_sessions < i.capacity;
}
// Runs the verifier by `policy` against what vendors say on the ledger now.
std::expected<Admitted, Code> verify_evidence(const Context& c, const NetworkPolicy& policy,
                                              std::span<const EvidenceItem> evidence,
                                              const Instance& instance);
// Who brought a fault to light, and its share of the slash.
struct Accuser {
  AccountId account{};
  uint32_t share_permille = 0;
};
// Revoked, and its operator's stake slashed: for a fault that is the operator's own.
void revoke_instance(Context& c, Instance instance, const Accuser& accuser,
                     std::string_view reason);
// Whether the evidence with which the instance registered or last renewed still holds. If it does:
// report_fee from the accuser. If its vendor has taken back the machine's own key: revoked. If
// rules or vendors have otherwise changed, which is nobody's fault: suspended.
Verdict judge_evidence(Context& c, const Accuser& accuser, std::span<const EvidenceItem> evidence,
                       Instance instance);
// Ends the service of an instance in `state`; its sessions are drawn again, closed or refunded.
void end_instance(Context& c, Instance instance, InstanceState state);
// Out of the draw until it renews, because of `code`.
void suspend_instance(Context& c, Instance instance, Code code);
void instance_due(Context& c, const InstanceId& id);

// --- review.cc ----------------------------------------------------------------------------------
// Active instances are judged again, from what the ledger keeps of them: by rules that have
// changed, or by vendors that have. Who is refused serves no more until it renews.
void review_by_policy(Context& c);
void review_by_vendors(Context& c);  // revokes whose machine's key was taken back
// The worst of the verdicts on the platforms of a live instance, which are brought up to date.
StandingVerdict judge_standings(const Context& c, const StandingJudge& judge, Instance& instance);

// --- collateral.cc ------------------------------------------------------------------------------
CollateralLookup collateral_of(const Context& c);  // not beyond `c`

// --- jobs.cc, rewards.cc ------------------------------------------------------------------------
void miss_job(Context& c, Session& session, bool at_fault);
void job_ended(Context& c, const SessionId& id);
void job_due(Context& c, const SessionId& id);
void reward_epoch(Context& c);

// --- checks.cc ----------------------------------------------------------------------------------
// The session was just paid for up to `until_units`: notes which of its units this epoch paid for,
// if its user consented to checks. The caller puts the session.
void count_audited(Context& c, Session& session, uint64_t until_units);
void freeze_checkers(Context& c);
void batch_due(Context& c, const BatchId& id);
void check_due(Context& c, const CheckId& id);
void audit_due(Context& c, const InstanceId& id);

// --- governance.cc ------------------------------------------------------------------------------
void proposal_due(Context& c, const ProposalId& id);
void policy_due(Context& c);  // something in it begins or ends at this height
// Releases and pauses begin and end at heights of their own, those after `height`.
void schedule_policy(Store& store, const PolicyLayers& layers, uint64_t height);

// --- sessions.cc, assignment.cc -----------------------------------------------------------------
void request_draw(Context& c, Session& session);  // enters `requested` at this height
void refund(Context& c, Session& session, const char* reason);
void start_closing(Context& c, Session& session, const char* reason);
void finish_closing(Context& c, Session& session);
void detach(Context& c, const Session& session);  // the instance is free of it
// The sessions of an instance that serves no more. `revoked`: nothing more may be settled.
void release_sessions(Context& c, const InstanceId& instance, bool revoked);
Verdict open_session(Context& c, const Tx& tx, const OpenSession& body, bool on_ledger);
// Pays for what a receipt shows beyond the last settlement.
Code settle_session(Context& c, const Tx& tx, Session& session, Bytes receipt);
void session_due(Context& c, const SessionId& id);
void freeze_requests(Context& c);
void draw_session(Context& c, Session& session);

// --- validators.cc ------------------------------------------------------------------------------
std::optional<ValidatorRecord> validator_of(const Context& c, const AccountId& operator_account);
// A validator whose operator's stake fell below what is asked leaves, unless it is the last.
void check_backing(Context& c, const AccountId& operator_account);
void punish_misbehavior(Context& c, const Misbehavior& fault);
// What the writes since the last seal change in the set, ascending by address.
std::vector<ValidatorUpdate> validator_updates(const Store& store);

// --- beacon_shares.cc ---------------------------------------------------------------------------
// Why a proposer who keeps the rules did not put these shares in front of block `height`.
Code check_beacon_shares(const Store& store, const Genesis& genesis, const Params& params,
                         uint64_t height, const BeaconShares& shares);
Verdict apply_beacon_shares(Context& c, const BeaconShares& shares);
void want_beacon(Context& c, uint64_t beacon_height);  // opens its shares
// The beacon of frozen_height + 1, by which what was frozen then is drawn. Without a value: still
// to come, or too late, and then it is never drawn.
struct DrawBeacon {
  std::optional<Hash32> value;
  bool too_late = false;
};
DrawBeacon draw_beacon(const Context& c, uint64_t frozen_height);
bool beacon_wanted(const Beacon& beacon, const Params& params, uint64_t height);

}  // namespace cloister::ledger
