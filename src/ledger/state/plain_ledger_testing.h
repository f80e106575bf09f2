// The contract once more, as plainly as it can be said: maps of records instead of a Merkle store,
// a copy of the whole world instead of undo, walks over everything instead of indices, and one list
// of weights instead of trees. It shares the records and the public rule of the draw with the real
// machine, and no other rule. Slow on purpose.
//
// It believes every signature and every share of the beacon: give it good ones.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "ledger/state/state.h"
#include "ledger/types/binding.h"
#include "ledger/types/bodies.h"
#include "ledger/types/keys.h"

namespace cloister::ledger {

namespace plain {
using Wide = unsigned __int128;

inline uint64_t part_of(uint64_t amount, uint32_t permille) {
  return static_cast<uint64_t>(Wide{amount} * permille / 1000);
}
inline uint64_t capped_sum(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(std::min<Wide>(Wide{a} + b, UINT64_MAX));
}
inline bool holds_instance(const Session& s) {
  return s.state == SessionState::assigned || s.state == SessionState::confirmed ||
         s.state == SessionState::closing;
}
template <typename Map, typename Key>
auto* at(Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}
}  // namespace plain

class PlainLedger {
 public:
  using Verifier = std::shared_ptr<const AdmissionVerifier>;
  struct Result {
    Code code = Code::ok;
    Buffer data;
    bool operator==(const Result&) const = default;
  };

  PlainLedger(const Genesis& genesis, Verifier verifier);

  std::vector<Result> apply(const BlockInput& block);

  // Key-values as the real store holds them, of every family but `draws`: how weights and draws are
  // proven is the machine's own affair, who was drawn is not.
  std::map<Buffer, Buffer> family(Family family) const;

 private:
  // What a refused transaction leaves as it was.
  struct World {
    std::map<AccountId, Account> accounts;
    std::map<AccountId, Operator> operators;  // but for live_instances, which is counted
    std::map<Buffer, CollateralRecord> collateral;
    std::map<InstanceId, Instance> instances;  // but for open_sessions, which is counted
    std::map<InstanceId, KeySet> keys;
    std::map<InstanceId, Standings> standings;  // of live instances
    std::map<Hash32, InstanceId> platforms;
    std::map<ModelRoot, Model> models;
    std::map<SessionId, Session> sessions;
    std::map<SessionId, Job> jobs;
    std::map<BatchId, Batch> batches;
    std::map<InstanceId, Audit> audits;
    std::map<CheckId, Check> checks;
    std::map<ProposalId, Proposal> proposals;
    std::map<std::pair<ProposalId, AccountId>, Ballot> ballots;
    std::map<uint64_t, Beacon> beacons;
    std::map<ValidatorAddress, ValidatorRecord> validators;
    PolicyLayers layers;
    std::set<uint64_t> policy_heights;  // at which something in the policy begins or ends
    std::set<std::pair<uint64_t, InstanceId>> audit_heights;
    std::vector<SessionId> requests;  // of this block
    bool committees = false;          // whether a committee is to be drawn
    bool vendors_changed = false;     // in this block
  };
  struct Weighed {
    Instance instance;
    uint64_t weight = 0;
  };
  struct Outcome {
    Code code;
    bool keep;  // the changes although it was refused
    Outcome(Code c, bool keep_changes = false) : code(c), keep(keep_changes) {}
  };
  using DueAt = std::tuple<uint64_t, DueKind, Hash32>;

  // --- plain_ledger_testing.cc: blocks, money, draws, what falls due
  std::set<DueAt> due() const;
  void fall_due(DueKind kind, const Hash32& id);
  void reward();
  void weigh();
  void freeze();
  void remember(const BlockInput& block);

  void credit(const AccountId& to, uint64_t amount);
  bool debit(const AccountId& from, uint64_t amount);
  void slash(const AccountId& op, const AccountId& to, uint32_t permille, uint64_t amount);
  void reputation(const AccountId& op, int64_t by);
  ValidatorRecord* validator_of(const AccountId& op);
  uint32_t validators_now() const;
  void punish(const ValidatorAddress& address);
  uint64_t all_stake() const;
  uint32_t live_of(const AccountId& op) const;
  CollateralLookup collateral() const;
  uint32_t open_on(const InstanceId& id) const;

  std::vector<const Weighed*> suitable(uint64_t height, const Session& session) const;
  std::optional<Hash32> beacon_value(uint64_t height) const;
  void want_beacon(uint64_t height);
  void draw(Session& session);
  void miss(Session& session);
  void request(Session& session);
  void end_session(Session& session, SessionState state);
  void start_closing(Session& session);
  void miss_job(Session& session, bool at_fault);
  void release_sessions(const InstanceId& id);
  void end_instance(const InstanceId& id, InstanceState state);
  void suspend(const InstanceId& id);

  std::vector<Checker> committee(const Check& check, uint64_t height, const Hash32& beacon,
                                 const std::vector<Checker>& heard, size_t size) const;
  void draw_checks(Batch& batch);
  void audit(const InstanceId& id);
  void move_on(Check& check);
  void hear(Check& check);
  void enter(Check& check, CheckState state, uint64_t blocks);
  void decide(Check& check, CheckOutcome outcome);
  void end_check(Check& check);

  // --- plain_policy_testing.cc: governance, and what vendors say
  void conclude(Proposal& proposal);
  std::optional<Code> refuses(ProposalKind kind, Bytes change) const;
  PolicyLayers changed(ProposalKind kind, Bytes change) const;
  void schedule_policy();
  void set_policy();
  void review_by_vendors();

  // --- plain_rules_testing.cc: envelopes, money, instances, models; plain_work_testing.cc: the
  // rest
  Result tried(const std::function<Outcome()>& rule);  // a refusal leaves no trace
  Result run(Bytes tx);
  Outcome pay(const Tx& tx);
  Outcome shares(const BeaconShares& shares);
  Outcome act(const Tx& tx);
  Outcome on(const Tx& tx, const Transfer& body);
  Outcome on(const Tx& tx, const OperatorBond& body);
  Outcome on(const Tx& tx, const OperatorUnbond& body);
  Outcome on(const Tx& tx, const OperatorWithdraw& body);
  Outcome on(const Tx& tx, const PutCollateral& body);
  Outcome on(const Tx& tx, const RegisterInstance& body);
  Outcome on(const Tx& tx, const RenewInstance& body);
  Outcome on(const Tx& tx, const RotateKeys& body);
  Outcome on(const Tx& tx, const DrainInstance& body);
  Outcome on(const Tx& tx, const RetireInstance& body);
  Outcome on(const Tx& tx, const RevokeInstance& body);
  Outcome on(const Tx& tx, const RegisterModel& body);
  Outcome on(const Tx& tx, const UpdateModel& body);
  Outcome on(const Tx& tx, const DeprecateModel& body);
  Outcome on(const Tx& tx, const OpenSession& body);
  Outcome on(const Tx& tx, const ConfirmAttestation& body);
  Outcome on(const Tx& tx, const ReportAttestation& body);
  Outcome on(const Tx& tx, const Settle& body);
  Outcome on(const Tx& tx, const CloseSession& body);
  Outcome on(const Tx& tx, const SubmitJob& body);
  Outcome on(const Tx& tx, const PostInput& body);
  Outcome on(const Tx& tx, const PostResult& body);
  Outcome on(const Tx& tx, const CommitReceipts& body);
  Outcome on(const Tx& tx, const OpenReceipt& body);
  Outcome on(const Tx& tx, const CommitVerdict& body);
  Outcome on(const Tx& tx, const RevealVerdict& body);
  Outcome on(const Tx& tx, const Appeal& body);
  Outcome on(const Tx& tx, const Propose& body);
  Outcome on(const Tx& tx, const Vote& body);
  Outcome on(const Tx& tx, const ReleaseApprove& body);
  Outcome on(const Tx& tx, const PauseFormat& body);
  Outcome on(const Tx& tx, const JoinValidators& body);
  Outcome on(const Tx& tx, const LeaveValidators& body);

  std::optional<Code> offers_refused(const std::vector<Offer>& offers, const Claims& claims,
                                     bool registering) const;
  std::optional<Code> evidence_refused(std::span<const EvidenceItem> evidence, uint64_t block,
                                       const Hash32& hash) const;
  std::expected<Admitted, Code> verify(const NetworkPolicy& policy,
                                       std::span<const EvidenceItem> evidence,
                                       const Instance& instance) const;
  void verified(Instance& instance);
  Outcome judge(const AccountId& accuser, uint32_t permille, std::span<const EvidenceItem> evidence,
                const InstanceId& id);
  void revoke(const InstanceId& id, const AccountId& accuser, uint32_t permille);
  Outcome open(const Tx& tx, const OpenSession& body, bool on_ledger);
  Outcome settle(const Tx& tx, Session& session, Bytes receipt);
  Outcome ballot(const ProposalId& id, const AccountId& account, bool yes, uint64_t stake);
  bool is_release_key(const AccountId& account) const;
  bool is_live(const InstanceId& id) const;
  bool speaks(const Tx& tx, const InstanceId& id) const;
  uint64_t epoch() const { return height_ / params_.epoch_blocks; }

  const Genesis genesis_;
  const Verifier verifier_;
  World w_;
  // Changed between blocks' transactions only.
  Params params_;
  std::map<uint64_t, NetworkPolicy> policies_;  // all versions; the last is in force
  std::map<uint64_t, BlockRef> blocks_;
  std::map<InstanceId, Weighed> weights_;                     // as they are drawn by
  std::map<uint64_t, std::map<InstanceId, Weighed>> frozen_;  // at the end of each late block
  std::map<AccountId, Operator> operators_before_;            // at the end of the last block
  std::map<InstanceId, Buffer> instances_before_;
  bool weigh_all_ = false;
  uint64_t height_ = 0, time_ms_ = 0;
  Buffer data_;  // of the transaction that runs

  const NetworkPolicy& policy() const { return policies_.rbegin()->second; }
};

}  // namespace cloister::ledger
