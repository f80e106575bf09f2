#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

std::vector<InstanceId> active_instances(const Context& c) {
  std::vector<InstanceId> out;
  c.store.for_each(Family::instances, {}, [&](Bytes, Bytes value) {
    const auto instance = Instance::decode(value);
    invariant(instance.has_value(), "a stored record does not decode");
    if (instance->state == InstanceState::active) out.push_back(instance->id);
    return true;
  });
  return out;
}

Code by_policy(const Context& c, const Instance& instance) {
  for (const Platform& platform : instance.platforms) {
    const Code code = c.verifier.reassess(platform, c.policy, c.height);
    if (code != Code::ok) return code;
  }
  return Code::ok;
}

}  // namespace

StandingVerdict judge_standings(const Context& c, const StandingJudge& judge, Instance& instance) {
  const auto kept = c.find<Standings>(Family::standings, instance.id);
  invariant(kept && kept->items.size() == instance.platforms.size(), "a standing an item");
  StandingVerdict worst;
  for (size_t i = 0; i < kept->items.size(); ++i) {
    const StandingVerdict verdict = judge(instance.platforms[i], kept->items[i]);
    if (worst.code == Code::ok || verdict.key_revoked) worst = verdict;
  }
  return worst;
}

void review_by_policy(Context& c) {
  for (const InstanceId& id : active_instances(c)) {
    Instance instance = *c.instance(id);
    const Code code = by_policy(c, instance);
    if (code != Code::ok) suspend_instance(c, std::move(instance), code);
  }
}

void review_by_vendors(Context& c) {
  const StandingJudge judge = c.verifier.standing_judge(collateral_of(c));
  for (const InstanceId& id : active_instances(c)) {
    const Instance before = *c.instance(id);
    Instance now = before;
    const StandingVerdict verdict = judge_standings(c, judge, now);
    if (verdict.key_revoked) {
      revoke_instance(c, std::move(now), {treasury_account(), 0}, name(verdict.code));
      continue;
    }
    const Code code = verdict.code == Code::ok ? by_policy(c, now) : verdict.code;
    if (code != Code::ok) {
      suspend_instance(c, std::move(now), code);
    } else if (now != before) {
      c.put(now);
      c.emit("instance.reassessed", {{"instance", to_hex(id)}});
    }
  }
}

}  // namespace cloister::ledger
