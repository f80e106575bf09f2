// How the network's rules change: three layers of policy and who may move each (40-ledger,
// section 6).
//
//   vendor     statuses, TCB evaluation, product lines   operators by stake, after a timelock
//   network    releases                                  release keys by threshold, after a
//   timelock community  only takes back                           operators by stake, at once;
//   lifting after
//                                                        a timelock
#pragma once

#include "ledger/types/params.h"
#include "ledger/types/tx.h"

namespace cloister::ledger {

using ProposalId = Hash32;

struct VendorPolicy : Record<VendorPolicy> {
  std::vector<uint8_t> accepted_statuses;  // ascending
  uint64_t min_tcb_evaluation_number = 0;
  std::vector<std::string> distrusted_products;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "accepted_statuses", r.accepted_statuses, kMaxStatuses);
    v(2, "min_tcb_evaluation_number", r.min_tcb_evaluation_number);
    v(3, "distrusted_products", r.distrusted_products, kMaxPolicyNames, kMaxNameBytes);
  }
  bool operator==(const VendorPolicy&) const = default;
};

// What the community takes back, and lifts.
struct Restriction : Record<Restriction> {
  RestrictionKind kind = RestrictionKind::measurement;
  Buffer value;  // measurement: its bytes. advisory, product: text. platform: 32 bytes. format: one

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "kind", r.kind);
    v(2, "value", r.value, kMaxNameBytes);
  }
  bool operator==(const Restriction&) const = default;
};
bool valid(const Restriction& restriction);

// A kind of platform that a release key stopped; it ends by itself.
struct EmergencyPause : Record<EmergencyPause> {
  uint8_t format = 0;
  uint64_t until_height = 0;  // from here on it is over
  AccountId by{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "format", r.format);
    v(2, "until_height", r.until_height);
    v(3, "by", r.by);
  }
  bool operator==(const EmergencyPause&) const = default;
};

struct PolicyLayers : Record<PolicyLayers> {
  VendorPolicy vendor;
  std::vector<Release> releases;
  std::vector<Restriction> restrictions;  // in the order in which they came
  std::vector<EmergencyPause> pauses;     // also those that are over: a format is paused once
  bool allow_development = false;         // of the genesis

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "vendor", r.vendor);
    v(2, "releases", r.releases, kMaxReleases);
    v(3, "restrictions", r.restrictions, kMaxPolicyNames);
    v(4, "pauses", r.pauses, kMaxFormats);
    v(5, "allow_development", r.allow_development);
  }
  bool operator==(const PolicyLayers&) const = default;
};

PolicyLayers layers_of(const NetworkPolicy& genesis_policy);
// The strictest of all layers at `height`; what clients read and instances are judged by.
NetworkPolicy merged(const PolicyLayers& layers, uint64_t version, uint64_t height);

// --- proposals ----------------------------------------------------------------------------------

struct Proposal : Record<Proposal> {
  ProposalId id{};
  AccountId proposer{};
  ProposalKind kind = ProposalKind::vendor_policy;
  Buffer change;  // CBOR: VendorPolicy, Params, Restriction, Revocation, Release or Withdrawal
  ProposalState state = ProposalState::open;
  uint64_t created_height = 0;
  uint64_t due_height = 0;        // end of the ballot, then when it takes effect; 0 once it ended
  uint64_t electorate_micro = 0;  // all stake when it was made
  uint64_t yes_micro = 0;
  uint64_t no_micro = 0;
  uint32_t approvals = 0;  // of release keys

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "id", r.id);
    v(2, "proposer", r.proposer);
    v(3, "kind", r.kind);
    v(4, "change", r.change, kMaxChangeBytes);
    v(5, "state", r.state);
    v(6, "created_height", r.created_height);
    v(7, "due_height", r.due_height);
    v(8, "electorate_micro", r.electorate_micro);
    v(9, "yes_micro", r.yes_micro);
    v(10, "no_micro", r.no_micro);
    v(11, "approvals", r.approvals);
  }
  bool operator==(const Proposal&) const = default;
};

struct Ballot : Record<Ballot> {
  bool yes = false;
  uint64_t stake_micro = 0;  // 0: the approval of a release key

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "yes", r.yes);
    v(2, "stake_micro", r.stake_micro);
  }
  bool operator==(const Ballot&) const = default;
};

// Ends an instance by vote.
struct Revocation : Record<Revocation> {
  InstanceId instance{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "instance", r.instance);
  }
  bool operator==(const Revocation&) const = default;
};

struct Withdrawal : Record<Withdrawal> {
  std::string name;  // of the release

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "name", r.name, kMaxNameBytes);
  }
  bool operator==(const Withdrawal&) const = default;
};

// Whether release keys decide, by threshold, rather than stake.
bool by_release_keys(ProposalKind kind);
// Whether it only takes back, so that it needs no timelock.
bool only_restricts(ProposalKind kind);

// SHA-256("cloister proposal v1" ‖ 00 ‖ SHA-256(chain_id) ‖ account ‖ u64be nonce).
ProposalId proposal_id(std::string_view chain_id, const AccountId& account, uint64_t nonce);

// Sums over families. Family params.
struct Totals : Record<Totals> {
  uint64_t stake_micro = 0;  // of all operators, so that a ballot knows its electorate
  uint32_t validators = 0;   // active ones

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "stake_micro", r.stake_micro);
    v(2, "validators", r.validators);
  }
  bool operator==(const Totals&) const = default;
};

// --- bodies -------------------------------------------------------------------------------------

struct Propose : Record<Propose> {
  static constexpr TxKind kKind = TxKind::propose;
  ProposalKind kind = ProposalKind::vendor_policy;
  Buffer change;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "kind", r.kind);
    v(2, "change", r.change, kMaxChangeBytes);
  }
  bool operator==(const Propose&) const = default;
};

struct Vote : Record<Vote> {
  static constexpr TxKind kKind = TxKind::vote;
  ProposalId proposal{};
  bool yes = false;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "proposal", r.proposal);
    v(2, "yes", r.yes);
  }
  bool operator==(const Vote&) const = default;
};

struct ReleaseApprove : Record<ReleaseApprove> {
  static constexpr TxKind kKind = TxKind::release_approve;
  ProposalId proposal{};

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "proposal", r.proposal);
  }
  bool operator==(const ReleaseApprove&) const = default;
};

struct PauseFormat : Record<PauseFormat> {
  static constexpr TxKind kKind = TxKind::emergency_pause;
  uint8_t format = 0;

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "format", r.format);
  }
  bool operator==(const PauseFormat&) const = default;
};

}  // namespace cloister::ledger
