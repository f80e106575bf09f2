#include <algorithm>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

Buffer proposal_key(const ProposalId& id) {
  return id_key(id);
}

void put(Context& c, const Proposal& proposal) {
  c.store.put(Family::proposals, proposal_key(proposal.id), proposal.encode());
}

void emit(Context& c, const Proposal& proposal) {
  c.emit("proposal." + std::string(name(proposal.state)),
         {{"proposal", to_hex(proposal.id)}, {"kind", std::string(name(proposal.kind))}});
}

PolicyLayers layers(const Context& c) {
  auto found = c.find<PolicyLayers>(Family::policy, as_bytes(kLayersKey));
  invariant(found.has_value(), "there is no policy");
  return std::move(*found);
}

// --- what each kind changes: the changed layers, or why not -------------------------------------

using Layers = std::expected<PolicyLayers, Code>;

bool strictly_ascending(const std::vector<uint8_t>& list) {
  return std::adjacent_find(list.begin(), list.end(), std::greater_equal<>()) == list.end();
}

Layers change_vendor(PolicyLayers now, Bytes change) {
  auto vendor = VendorPolicy::decode(change);
  if (!vendor) return std::unexpected(Code::change_malformed);
  if (!strictly_ascending(vendor->accepted_statuses) || *vendor == now.vendor) {
    return std::unexpected(Code::change_invalid);
  }
  now.vendor = std::move(*vendor);
  return now;
}

Layers change_restriction(PolicyLayers now, Bytes change, bool lift) {
  const auto restriction = Restriction::decode(change);
  if (!restriction) return std::unexpected(Code::change_malformed);
  auto& list = now.restrictions;
  const auto at = std::find(list.begin(), list.end(), *restriction);
  const bool known = at != list.end();
  if (!valid(*restriction) || known != lift) return std::unexpected(Code::change_invalid);
  if (lift) {
    list.erase(at);
  } else {
    if (list.size() >= kMaxPolicyNames) return std::unexpected(Code::change_invalid);
    list.push_back(*restriction);
  }
  // A vote on a kind of platform makes its next emergency pause possible.
  if (restriction->kind == RestrictionKind::format) {
    std::erase_if(now.pauses,
                  [&](const EmergencyPause& p) { return p.format == restriction->value[0]; });
  }
  return now;
}

Layers change_releases(PolicyLayers now, Bytes change, bool add) {
  if (add) {
    auto release = Release::decode(change);
    if (!release) return std::unexpected(Code::change_malformed);
    const bool taken = std::any_of(now.releases.begin(), now.releases.end(),
                                   [&](const Release& r) { return r.name == release->name; });
    if (!valid(*release) || taken || now.releases.size() >= kMaxReleases) {
      return std::unexpected(Code::change_invalid);
    }
    now.releases.push_back(std::move(*release));
    return now;
  }
  const auto withdrawal = Withdrawal::decode(change);
  if (!withdrawal) return std::unexpected(Code::change_malformed);
  const auto gone = std::erase_if(
      now.releases, [&](const Release& release) { return release.name == withdrawal->name; });
  if (gone == 0) return std::unexpected(Code::change_invalid);
  return now;
}

// Layers that are each within their bounds may still be more than the merged record holds, and a
// policy that does not decode would stop every node.
bool fits(const NetworkPolicy& policy) {
  const Buffer bytes = policy.encode();
  return bytes.size() <= kMaxPolicyBytes && NetworkPolicy::decode(bytes).has_value();
}

Layers changed_layers(const Context& c, ProposalKind kind, Bytes change) {
  Layers out = std::unexpected(Code::change_malformed);
  if (kind == ProposalKind::vendor_policy) out = change_vendor(layers(c), change);
  if (kind == ProposalKind::restriction) out = change_restriction(layers(c), change, false);
  if (kind == ProposalKind::lift) out = change_restriction(layers(c), change, true);
  if (kind == ProposalKind::add_release) out = change_releases(layers(c), change, true);
  if (kind == ProposalKind::withdraw_release) out = change_releases(layers(c), change, false);
  if (out && !fits(merged(*out, c.policy.version, c.height))) {
    return std::unexpected(Code::change_invalid);
  }
  return out;
}

Code check_change(const Context& c, ProposalKind kind, Bytes change) {
  if (kind == ProposalKind::params) {
    const auto params = Params::decode(change);
    if (!params) return Code::change_malformed;
    // Epochs are counted from height 0 by their length, so it stays what it was.
    const bool allowed =
        valid(*params) && *params != c.params && params->epoch_blocks == c.params.epoch_blocks;
    return allowed ? Code::ok : Code::change_invalid;
  }
  if (kind == ProposalKind::revoke_instance) {
    const auto body = Revocation::decode(change);
    if (!body) return Code::change_malformed;
    const auto instance = c.instance(body->instance);
    if (!instance) return Code::instance_unknown;
    return instance->state == InstanceState::revoked ? Code::change_invalid : Code::ok;
  }
  const Layers out = changed_layers(c, kind, change);
  return out ? Code::ok : out.error();
}

// --- the effects, only while due things are done: the rules of a block do not change under its
// transactions ---------------------------------------------------------------------------------

void set_layers(Context& c, const PolicyLayers& now) {
  c.policy = merged(now, c.policy.version + 1, c.height);
  c.store.put(Family::policy, to_buffer(as_bytes(kLayersKey)), now.encode());
  c.store.put(Family::policy, to_buffer(as_bytes(kPolicyKey)), c.policy.encode());
  c.store.put(Family::policy, number_key(c.policy.version), c.policy.encode());
  c.emit("policy.changed", {{"version", std::to_string(c.policy.version)}});
  schedule_policy(c.store, now, c.height);
  review_by_policy(c);
}

Code execute(Context& c, const Proposal& proposal) {
  if (Code code = check_change(c, proposal.kind, proposal.change); code != Code::ok) return code;
  switch (proposal.kind) {
    case ProposalKind::params:
      c.params = *Params::decode(proposal.change);
      c.store.put(Family::params, to_buffer(as_bytes(kParamsKey)), c.params.encode());
      c.reweigh_all = true;
      c.emit("params.changed", {});
      return Code::ok;
    case ProposalKind::revoke_instance:
      end_instance(c, *c.instance(Revocation::decode(proposal.change)->instance),
                   InstanceState::revoked);
      return Code::ok;
    case ProposalKind::vendor_policy:
    case ProposalKind::restriction:
    case ProposalKind::lift:
    case ProposalKind::add_release:
    case ProposalKind::withdraw_release:
      set_layers(c, *changed_layers(c, proposal.kind, proposal.change));
      return Code::ok;
  }
  return Code::change_malformed;
}

void pass(Context& c, Proposal& proposal) {
  proposal.state = ProposalState::passed;
  const uint64_t wait = only_restricts(proposal.kind) ? 1 : c.params.timelock_blocks;
  schedule(c, proposal, c.height + wait);
  put(c, proposal);
  emit(c, proposal);
}

bool is_release_key(const Context& c, const AccountId& account) {
  const auto& keys = c.genesis.release_keys;
  return std::binary_search(keys.begin(), keys.end(), account);
}

uint64_t total_stake(const Context& c) {
  return c.totals().stake_micro;
}

void count(Context& c, Proposal& proposal, const AccountId& account, const Ballot& ballot) {
  c.store.put(Family::proposals, ballot_key(proposal.id, account), ballot.encode());
  (ballot.yes ? proposal.yes_micro : proposal.no_micro) += ballot.stake_micro;
  if (ballot.stake_micro == 0) proposal.approvals += 1;
  using Wide = unsigned __int128;
  // Stake that came since counts as well, or it could outvote what was there.
  const uint64_t electorate = std::max(proposal.electorate_micro, total_stake(c));
  const bool passed =
      by_release_keys(proposal.kind)
          ? proposal.approvals >= c.genesis.release_threshold
          : proposal.yes_micro > 0 &&
                Wide{proposal.yes_micro} * kPermille >= Wide{electorate} * c.params.quorum_permille;
  if (passed) return pass(c, proposal);
  put(c, proposal);
}

std::expected<Proposal, Code> open_proposal(const Context& c, const ProposalId& id,
                                            const AccountId& account, bool by_keys) {
  auto proposal = c.find<Proposal>(Family::proposals, proposal_key(id));
  if (!proposal) return std::unexpected(Code::proposal_unknown);
  if (by_release_keys(proposal->kind) != by_keys) return std::unexpected(Code::wrong_ballot);
  if (proposal->state != ProposalState::open) return std::unexpected(Code::proposal_closed);
  if (c.store.get(Family::proposals, ballot_key(id, account))) {
    return std::unexpected(Code::voted_before);
  }
  return std::move(*proposal);
}

}  // namespace

Verdict apply_propose(Context& c, const Tx& tx, const Propose& body) {
  const auto op = c.operator_of(tx.account);
  const bool keys = by_release_keys(body.kind);
  if (keys && !is_release_key(c, tx.account)) return Code::not_release_key;
  if (!keys && (!op || op->stake_micro < c.params.min_stake_micro)) return Code::stake_too_low;
  if (Code code = check_change(c, body.kind, body.change); code != Code::ok) return code;
  if (!debit(c, tx.account, c.params.proposal_fee_micro)) return Code::insufficient_balance;
  credit(c, treasury_account(), c.params.proposal_fee_micro);
  Proposal proposal;
  proposal.id = proposal_id(c.chain_id(), tx.account, tx.nonce);
  proposal.proposer = tx.account;
  proposal.kind = body.kind;
  proposal.change = body.change;
  proposal.created_height = c.height;
  proposal.electorate_micro = total_stake(c);
  schedule(c, proposal, c.height + c.params.voting_blocks);
  emit(c, proposal);
  Ballot ballot;
  ballot.yes = true;
  ballot.stake_micro = keys ? 0 : op->stake_micro;
  count(c, proposal, tx.account, ballot);
  c.data = id_key(proposal.id);
  return Code::ok;
}

Verdict apply_vote(Context& c, const Tx& tx, const Vote& body) {
  auto proposal = open_proposal(c, body.proposal, tx.account, false);
  if (!proposal) return proposal.error();
  const auto op = c.operator_of(tx.account);
  if (!op || op->stake_micro == 0) return Code::stake_too_low;
  Ballot ballot;
  ballot.yes = body.yes;
  ballot.stake_micro = op->stake_micro;
  count(c, *proposal, tx.account, ballot);
  return Code::ok;
}

Verdict apply_release_approve(Context& c, const Tx& tx, const ReleaseApprove& body) {
  if (!is_release_key(c, tx.account)) return Code::not_release_key;
  auto proposal = open_proposal(c, body.proposal, tx.account, true);
  if (!proposal) return proposal.error();
  Ballot ballot;
  ballot.yes = true;
  count(c, *proposal, tx.account, ballot);
  return Code::ok;
}

// The pause is noted now and takes effect with the next block.
Verdict apply_emergency_pause(Context& c, const Tx& tx, const PauseFormat& body) {
  if (!is_release_key(c, tx.account)) return Code::not_release_key;
  PolicyLayers now = layers(c);
  const bool before = std::any_of(now.pauses.begin(), now.pauses.end(),
                                  [&](const EmergencyPause& p) { return p.format == body.format; });
  if (before) return Code::paused_before;
  if (body.format == 0 || body.format > kMaxFormats) return Code::change_invalid;
  EmergencyPause pause;
  pause.format = body.format;
  pause.until_height = c.height + 1 + c.params.pause_blocks;
  pause.by = tx.account;
  now.pauses.push_back(pause);
  c.store.put(Family::policy, to_buffer(as_bytes(kLayersKey)), now.encode());
  c.store.put(Family::due, due_key(c.height + 1, DueKind::policy, Hash32{}), {});
  c.emit("policy.pause", {{"format", std::to_string(body.format)},
                          {"until_height", std::to_string(pause.until_height)}});
  return Code::ok;
}

void proposal_due(Context& c, const ProposalId& id) {
  auto proposal = c.find<Proposal>(Family::proposals, proposal_key(id));
  invariant(proposal.has_value(), "a proposal falls due that does not exist");
  schedule(c, *proposal, 0);
  if (proposal->state == ProposalState::open) {
    proposal->state = ProposalState::rejected;
  } else {
    const Code code = execute(c, *proposal);
    proposal->state = code == Code::ok ? ProposalState::executed : ProposalState::failed;
  }
  put(c, *proposal);
  emit(c, *proposal);
}

void schedule_policy(Store& store, const PolicyLayers& layers, uint64_t height) {
  const auto at = [&](uint64_t due) {
    if (due > height) store.put(Family::due, due_key(due, DueKind::policy, Hash32{}), {});
  };
  for (const EmergencyPause& pause : layers.pauses) at(pause.until_height);
  for (const Release& release : layers.releases) {
    at(release.valid_from_height);
    if (release.valid_until_height < UINT64_MAX) at(release.valid_until_height + 1);
  }
}

void policy_due(Context& c) {
  c.store.erase(Family::due, due_key(c.height, DueKind::policy, Hash32{}));
  set_layers(c, layers(c));
}

}  // namespace cloister::ledger
