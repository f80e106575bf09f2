#include "ledger/state/pools.h"

#include <algorithm>
#include <set>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

template <typename T>
T stored(Bytes value) {
  auto record = T::decode(value);
  invariant(record.has_value(), "a stored record does not decode");
  return std::move(*record);
}

uint64_t reputation_factor(const std::optional<Operator>& op, const Params& params) {
  if (!op || op->stake_micro < params.min_stake_micro) return 0;
  return (op->reputation + 9) / 10;
}

// Instances whose weight may have changed: their own record did, or their operator is worth less. A
// gain reaches each instance with the next change of its record, such as its next session, so that
// a settlement costs the same whoever runs how many.
std::set<InstanceId> touched(const Store& store, const Params& params) {
  std::set<InstanceId> out;
  std::vector<Buffer> operators;
  store.for_each_difference([&](const Store::Difference& d) {
    if (d.family == Family::instances) out.insert(*to_fixed<32>(d.key));
    if (d.family != Family::operators || d.key.size() != sizeof(AccountId)) return;
    const auto factor = [&](const std::optional<Bytes>& value) {
      return reputation_factor(value ? Operator::decode(*value) : std::nullopt, params);
    };
    const uint64_t before = factor(d.before), after = factor(d.after);
    if (after < before || (before == 0 && after > 0)) operators.push_back(to_buffer(d.key));
  });
  for (const Buffer& account : operators) {
    store.for_each(Family::operators, account, [&](Bytes key, Bytes) {
      if (key.size() > sizeof(AccountId)) out.insert(*to_fixed<32>(key.subspan(32)));
      return true;
    });
  }
  return out;
}

template <typename T>
T due_record(const Store& store, Family family, Bytes id) {
  const auto value = store.get(family, id);
  invariant(value.has_value(), "something falls due that does not exist");
  return stored<T>(*value);
}

// The height and model whose pools something that falls due will draw from.
std::optional<std::pair<uint64_t, ModelRoot>> waits_for(const Store& store, DueKind kind,
                                                        Bytes id) {
  if (kind == DueKind::session) {
    const auto session = due_record<Session>(store, Family::sessions, id);
    if (session.state != SessionState::requested) return std::nullopt;
    return std::pair(session.request_height, session.model_root);
  }
  if (kind == DueKind::batch) {
    const auto batch = due_record<Batch>(store, Family::batches, id);
    return std::pair(batch.height, batch.model_root);
  }
  if (kind == DueKind::check) {
    const auto check = due_record<Check>(store, Family::checks, id);
    if (check.state != CheckState::appealed) return std::nullopt;
    return std::pair(check.draw_height, check.model_root);
  }
  return std::nullopt;
}

std::set<InstanceId> everyone(const Store& store) {
  std::set<InstanceId> out;
  store.for_each(Family::instances, {}, [&](Bytes key, Bytes) {
    out.insert(*to_fixed<32>(key));
    return true;
  });
  return out;
}

std::set<PoolKey> pools_of(const Instance& instance) {
  std::set<PoolKey> out;
  for (const Offer& offer : instance.offers) out.insert(pool_of(instance, offer));
  return out;
}

}  // namespace

uint64_t draw_weight(const Instance& instance, const Operator& op, const Params& params) {
  if (!takes_work(instance)) return 0;
  return uint64_t{instance.capacity - instance.open_sessions} * reputation_factor(op, params);
}

void Pools::set(Store& store, const PoolKey& key, const merkle::Weight& weight) {
  const auto at = now_.find(key);
  const merkle::Weight before =
      at == now_.end() ? merkle::Weight{weight.id, 0, 0} : at->second.find(weight.id);
  if (before == weight) return;
  if (!held_.empty()) {
    // The newest height that somebody waits for keeps what it saw; older ones look here as well.
    const Buffer since = since_key(held_.rbegin()->first, key, weight.id);
    if (!store.get(Family::draws, since)) {
      store.put(Family::draws, since, weight_value(before));
    }
  }
  if (weight.value > 0) {
    store.put(Family::draws, weight_key(key, weight.id), weight_value(weight));
  } else {
    store.erase(Family::draws, weight_key(key, weight.id));
  }
  merkle::SumTree& tree = now_[key];
  tree.update({weight});
  if (tree.total() == 0) now_.erase(key);
}

void Pools::refresh(Store& store, const Params& params, bool all) {
  for (const InstanceId& id : all ? everyone(store) : touched(store, params)) {
    const auto value = store.get(Family::instances, id);
    invariant(value.has_value(), "an instance is gone");
    const Instance instance = stored<Instance>(*value);
    const auto operator_value = store.get(Family::operators, instance.operator_account);
    invariant(operator_value.has_value(), "an instance has no operator");
    const uint64_t weight = draw_weight(instance, stored<Operator>(*operator_value), params);
    std::set<PoolKey> left;
    if (const auto sealed = store.sealed().get(Family::instances, id)) {
      left = pools_of(stored<Instance>(*sealed));
    }
    for (const Offer& offer : instance.offers) {
      const PoolKey key = pool_of(instance, offer);
      left.erase(key);
      set(store, key, {id, weight, weight > 0 ? offer.price_micro : 0});
    }
    for (const PoolKey& key : left) set(store, key, {id, 0, 0});
  }
}

Pools::Members Pools::of_model(const ModelRoot& model) const {
  Members out;
  PoolKey first;
  first.model_root = model;
  for (auto i = now_.lower_bound(first); i != now_.end() && i->first.model_root == model; ++i) {
    // Real platforms come in few kinds. What lies past the bound is not drawn.
    if (out.size() == kMaxPoolsPerModel) break;
    out.push_back({i->first, i->second});
  }
  return out;
}

const Pools::Members& Pools::hold(uint64_t height, const ModelRoot& model) {
  Held& held = held_[height];
  ++held.requests;
  auto [at, fresh] = held.models.try_emplace(model);
  if (fresh) at->second = of_model(model);
  return at->second;
}

const Pools::Members& Pools::held(uint64_t height, const ModelRoot& model) const {
  const auto at = held_.find(height);
  invariant(at != held_.end() && at->second.models.contains(model), "no pools were frozen");
  return at->second.models.at(model);
}

void Pools::release(Store& store, uint64_t height) {
  const auto at = held_.find(height);
  invariant(at != held_.end(), "a height is released that nobody holds");
  if (--at->second.requests > 0) return;
  std::vector<std::pair<Buffer, Buffer>> entries;
  store.for_each(Family::draws, number_key(height), [&](Bytes key, Bytes value) {
    if (is_since_key(key)) entries.push_back({to_buffer(key), to_buffer(value)});
    return true;
  });
  for (auto& [key, value] : entries) {
    store.erase(Family::draws, key);
    if (at == held_.begin()) continue;
    // What this height saw, the one before it saw too, unless it noted otherwise.
    Buffer older = number_key(std::prev(at)->first);
    older.insert(older.end(), key.begin() + 8, key.end());
    if (!store.get(Family::draws, older)) store.put(Family::draws, older, std::move(value));
  }
  held_.erase(at);
}

Pools Pools::load(const Store& store) {
  Pools out;
  std::map<PoolKey, std::vector<merkle::Weight>> weights;
  std::map<uint64_t, std::map<PoolKey, std::vector<merkle::Weight>>> since;
  store.for_each(Family::draws, {}, [&](Bytes key, Bytes value) {
    if (is_weight_key(key)) {
      const auto [pool, weight] = read_weight(key, value);
      weights[pool].push_back(weight);
    } else if (is_since_key(key)) {
      const auto [pool, weight] = read_weight(key.subspan(8), value);
      since[*ByteReader(key).u64_be()][pool].push_back(weight);
    }
    return true;
  });
  for (auto& [pool, list] : weights) out.now_[pool].update(std::move(list));

  std::map<uint64_t, std::map<ModelRoot, uint64_t>> waiting;
  store.for_each(Family::due, {}, [&](Bytes key, Bytes) {
    if (const auto held = waits_for(store, DueKind{key[8]}, key.subspan(9))) {
      ++waiting[held->first][held->second];
    }
    return true;
  });
  // From now backwards: each held height takes back what changed after it.
  Pools past = out;
  for (auto height = waiting.rbegin(); height != waiting.rend(); ++height) {
    for (auto& [pool, list] : since[height->first]) past.now_[pool].update(std::move(list));
    std::erase_if(past.now_, [](const auto& entry) { return entry.second.total() == 0; });
    Held& held = out.held_[height->first];
    for (const auto& [model, requests] : height->second) {
      held.requests += requests;
      held.models[model] = past.of_model(model);
    }
  }
  return out;
}

}  // namespace cloister::ledger
