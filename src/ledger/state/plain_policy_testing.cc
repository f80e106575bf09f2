// The plain ledger's rules and vendors: what changes between blocks, and whom that refuses.
#include <algorithm>

#include "ledger/state/plain_ledger_testing.h"

namespace cloister::ledger {

using namespace plain;

void PlainLedger::schedule_policy() {
  const auto at = [&](uint64_t due) {
    if (due > height_) w_.policy_heights.insert(due);
  };
  for (const EmergencyPause& pause : w_.layers.pauses) at(pause.until_height);
  for (const Release& release : w_.layers.releases) {
    at(release.valid_from_height);
    if (release.valid_until_height != UINT64_MAX) at(release.valid_until_height + 1);
  }
}

void PlainLedger::set_policy() {
  const uint64_t version = policy().version + 1;
  policies_[version] = merged(w_.layers, version, height_);
  schedule_policy();
  std::vector<InstanceId> refused;
  for (const auto& [id, each] : w_.instances) {
    const bool good =
        std::all_of(each.platforms.begin(), each.platforms.end(), [&](const Platform& platform) {
          return verifier_->reassess(platform, policy(), height_) == Code::ok;
        });
    if (each.state == InstanceState::active && !good) refused.push_back(id);
  }
  for (const InstanceId& id : refused) suspend(id);
}

void PlainLedger::review_by_vendors() {
  const StandingJudge judge = verifier_->standing_judge(collateral());
  std::vector<InstanceId> fallen, taken_back;
  for (auto& [id, each] : w_.instances) {
    if (each.state != InstanceState::active) continue;
    bool good = true, revoked = false;
    for (size_t i = 0; i < each.platforms.size(); ++i) {
      const StandingVerdict verdict = judge(each.platforms[i], w_.standings.at(id).items[i]);
      good = good && verdict.code == Code::ok;
      revoked = revoked || verdict.key_revoked;
    }
    for (const Platform& platform : each.platforms) {
      good = good && verifier_->reassess(platform, policy(), height_) == Code::ok;
    }
    if (revoked) {
      taken_back.push_back(id);
    } else if (!good) {
      fallen.push_back(id);
    }
  }
  for (const InstanceId& id : taken_back) revoke(id, treasury_account(), 0);
  for (const InstanceId& id : fallen) suspend(id);
}

PolicyLayers PlainLedger::changed(ProposalKind kind, Bytes change) const {
  PolicyLayers out = w_.layers;
  if (kind == ProposalKind::vendor_policy) out.vendor = *VendorPolicy::decode(change);
  if (kind == ProposalKind::add_release) out.releases.push_back(*Release::decode(change));
  if (kind == ProposalKind::withdraw_release) {
    const std::string gone = Withdrawal::decode(change)->name;
    std::erase_if(out.releases, [&](const Release& release) { return release.name == gone; });
  }
  if (kind == ProposalKind::restriction || kind == ProposalKind::lift) {
    const auto restriction = *Restriction::decode(change);
    std::erase(out.restrictions, restriction);
    if (kind == ProposalKind::restriction) out.restrictions.push_back(restriction);
    if (restriction.kind == RestrictionKind::format) {
      std::erase_if(out.pauses,
                    [&](const EmergencyPause& p) { return p.format == restriction.value[0]; });
    }
  }
  return out;
}

// Why a change may not be proposed, or not take effect.
std::optional<Code> PlainLedger::refuses(ProposalKind kind, Bytes change) const {
  const auto known_release = [&](const std::string& release_name) {
    return std::any_of(w_.layers.releases.begin(), w_.layers.releases.end(),
                       [&](const Release& release) { return release.name == release_name; });
  };
  bool good = false;
  if (kind == ProposalKind::params) {
    const auto next = Params::decode(change);
    if (!next) return Code::change_malformed;
    good = valid(*next) && *next != params_ && next->epoch_blocks == params_.epoch_blocks;
    return good ? std::nullopt : std::optional(Code::change_invalid);
  }
  if (kind == ProposalKind::revoke_instance) {
    const auto body = Revocation::decode(change);
    if (!body) return Code::change_malformed;
    const auto at = w_.instances.find(body->instance);
    if (at == w_.instances.end()) return Code::instance_unknown;
    if (at->second.state == InstanceState::revoked) return Code::change_invalid;
    return std::nullopt;
  }
  if (kind == ProposalKind::vendor_policy) {
    const auto vendor_policy = VendorPolicy::decode(change);
    if (!vendor_policy) return Code::change_malformed;
    const auto& statuses = vendor_policy->accepted_statuses;
    const std::set<uint8_t> sorted(statuses.begin(), statuses.end());
    good = std::equal(statuses.begin(), statuses.end(), sorted.begin(), sorted.end()) &&
           *vendor_policy != w_.layers.vendor;
  } else if (kind == ProposalKind::restriction || kind == ProposalKind::lift) {
    const auto restriction = Restriction::decode(change);
    if (!restriction) return Code::change_malformed;
    const auto& list = w_.layers.restrictions;
    const bool known = std::find(list.begin(), list.end(), *restriction) != list.end();
    good = valid(*restriction) && known == (kind == ProposalKind::lift) &&
           (known || list.size() < kMaxPolicyNames);
  } else if (kind == ProposalKind::add_release) {
    const auto release = Release::decode(change);
    if (!release) return Code::change_malformed;
    const bool of_device = release->format == 4 || release->format == 5;
    good = !release->name.empty() && !known_release(release->name) &&
           (of_device ? release->measurement.empty()
                      : !release->measurement.empty() && release->min_driver.empty() &&
                            release->min_firmware.empty()) &&
           release->valid_from_height <= release->valid_until_height &&
           w_.layers.releases.size() < kMaxReleases;
  } else {
    const auto withdrawal = Withdrawal::decode(change);
    if (!withdrawal) return Code::change_malformed;
    good = known_release(withdrawal->name);
  }
  if (!good) return Code::change_invalid;
  const NetworkPolicy next = merged(changed(kind, change), policy().version, height_);
  const bool fits = next.encode().size() <= kMaxPolicyBytes && NetworkPolicy::decode(next.encode());
  return fits ? std::nullopt : std::optional(Code::change_invalid);
}

void PlainLedger::conclude(Proposal& proposal) {
  proposal.due_height = 0;
  if (proposal.state == ProposalState::open) {
    proposal.state = ProposalState::rejected;
    return;
  }
  if (refuses(proposal.kind, proposal.change)) {
    proposal.state = ProposalState::failed;
    return;
  }
  proposal.state = ProposalState::executed;
  if (proposal.kind == ProposalKind::params) {
    params_ = *Params::decode(proposal.change);
    weigh_all_ = true;
  } else if (proposal.kind == ProposalKind::revoke_instance) {
    end_instance(Revocation::decode(proposal.change)->instance, InstanceState::revoked);
  } else {
    w_.layers = changed(proposal.kind, proposal.change);
    set_policy();
  }
}

}  // namespace cloister::ledger
