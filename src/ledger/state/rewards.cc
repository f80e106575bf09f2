#include <algorithm>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

constexpr uint64_t kCpuClass = 1, kGpuClass = 3;

// 0: nothing for this epoch. Each job that the instance let down takes a tenth.
uint64_t reward_weight(const Instance& instance, uint64_t epoch_start) {
  if (instance.state != InstanceState::active || instance.active_since > epoch_start) return 0;
  const bool gpu = std::any_of(instance.platforms.begin(), instance.platforms.end(),
                               [](const Platform& p) { return p.format == kNvidiaGpuFormat; });
  const uint64_t available = 10 - std::min<uint64_t>(instance.epoch_misses, 10);
  return (gpu ? kGpuClass : kCpuClass) * available;
}

}  // namespace

void reward_epoch(Context& c) {
  if (c.height % c.params.epoch_blocks != 0) return;
  const uint64_t start = c.height - c.params.epoch_blocks;
  std::vector<std::pair<AccountId, uint64_t>> shares;
  std::vector<Instance> missed;
  uint64_t total = 0;
  c.store.for_each(Family::instances, {}, [&](Bytes, Bytes value) {
    auto instance = Instance::decode(value);
    invariant(instance.has_value(), "a stored record does not decode");
    if (const uint64_t weight = reward_weight(*instance, start)) {
      shares.push_back({instance->operator_account, weight});
      total += weight;
    }
    if (instance->epoch_misses > 0) missed.push_back(std::move(*instance));
    return true;
  });
  const uint64_t reward =
      std::min(c.params.epoch_reward_micro, c.account(treasury_account()).balance_micro);
  using Wide = unsigned __int128;
  for (const auto& [account, weight] : shares) {
    const auto part = static_cast<uint64_t>(Wide{reward} * weight / total);
    invariant(debit(c, treasury_account(), part), "the treasury pays what it does not have");
    credit(c, account, part);
  }
  for (Instance& instance : missed) {
    instance.epoch_misses = 0;
    c.put(instance);
  }
  if (total > 0) {
    c.emit("epoch.rewarded", {{"epoch", std::to_string(c.height / c.params.epoch_blocks - 1)},
                              {"reward_micro", std::to_string(reward)},
                              {"instances", std::to_string(shares.size())}});
  }
}

}  // namespace cloister::ledger
