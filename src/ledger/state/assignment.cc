#include <algorithm>

#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

struct Suitable {
  std::vector<const merkle::SumTree*> trees;
  uint64_t total = 0;
};

Suitable suitable(const Pools::Members& pools, const Session& session) {
  Suitable out;
  for (const Pools::Member& pool : pools) {
    if (!suits(pool.key, session)) continue;
    out.trees.push_back(&pool.tree);
    out.total += pool.tree.total();  // capacities and reputations are bounded: it fits
  }
  return out;
}

FrozenPools frozen_record(uint64_t height, const Pools::Members& pools) {
  FrozenPools out;
  out.height = height;
  for (const Pools::Member& member : pools) {
    Pool pool;
    pool.key = member.key;
    pool.root = member.tree.root().hash;
    pool.total = member.tree.total();
    out.pools.push_back(pool);
  }
  return out;
}

void freeze(Context& c, Session& session) {
  const Pools::Members& pools = c.pools.hold(c.height, session.model_root);
  if (suitable(pools, session).total == 0) {
    c.pools.release(c.store, c.height);
    return refund(c, session, "no suitable instance");
  }
  c.store.put(Family::draws, frozen_key(c.height, session.model_root),
              frozen_record(c.height, pools).encode());
  // The beacon of the next height is decided by keys alone; asking for it here opens its shares.
  want_beacon(c, c.height + 1);
}

void assign(Context& c, Session& session, Instance instance, const Drawn& drawn) {
  instance.open_sessions += 1;
  c.put(instance);
  c.store.put(Family::assignments, assignment_key(instance.id, session.id), {});
  c.store.put(Family::draws, id_key(session.id), drawn.encode());
  session.state = SessionState::assigned;
  session.instance = instance.id;
  session.price_micro = instance.offer_for(session.model_root)->price_micro;
  const auto model = c.find<Model>(Family::models, session.model_root);
  invariant(model.has_value(), "a session's model does not exist");
  session.model_owner = model->owner;
  session.owner_permille = model->owner_permille;
  session.assigned_height = c.height;
  schedule(c, session, c.height + c.params.confirm_deadline_blocks);
  c.put(session);
  c.emit("session.assigned", {{"session", to_hex(session.id)},
                              {"instance", to_hex(instance.id)},
                              {"price_micro", std::to_string(session.price_micro)}});
}

// The request starts again with a new height, new pools and a new beacon.
void miss(Context& c, Session& session) {
  c.emit("session.missed", {{"session", to_hex(session.id)}});
  session.misses += 1;
  if (session.misses > kMaxMisses) return refund(c, session, "no instance was free");
  request_draw(c, session);
}

// Whether the instance can take what it was drawn for: it may have fallen out or filled up after
// the pools were frozen. Falling out by its own fault costs reputation.
bool is_free(Context& c, const Session& session, const Instance& instance) {
  const bool at_fault =
      instance.state == InstanceState::unverified || instance.state == InstanceState::expired;
  if (at_fault) {
    change_reputation(c, instance.operator_account, -int64_t{c.params.reputation_miss_loss});
  }
  const Offer* offer = instance.offer_for(session.model_root);
  return takes_work(instance) && offer && meets(instance, session.requirement) &&
         fits(session, instance.id, offer->price_micro);
}

// Where each try lies in each pool: what `verify_draw` needs. Only a draw that found somebody is
// kept.
void prove(Drawn& drawn, const Suitable& from) {
  for (DrawTry& attempt : drawn.tries) {
    for (const merkle::SumTree* tree : from.trees) {
      attempt.places.push_back(tree->prove(attempt.instance).encode());
    }
  }
}

// Whom the other session of the pair has, while it has somebody.
std::optional<Instance> twins_instance(const Context& c, const Session& session) {
  if (!session.twin) return std::nullopt;
  const auto twin = c.session(*session.twin);
  invariant(twin.has_value(), "a session's twin does not exist");
  return twin->instance && twin->due_height != 0 ? c.instance(*twin->instance) : std::nullopt;
}

struct Outcome {
  Drawn drawn;
  std::optional<InstanceId> winner;
  bool exhausted = false;  // nobody is left who could fit
};

Outcome draw(const Pools::Members& pools, const Hash32& beacon, const Session& session) {
  const Suitable from = suitable(pools, session);
  DrawPoints points(beacon, session.id, from.total);
  Outcome out;
  out.drawn.height = session.request_height;
  while (!out.winner && out.drawn.tries.size() < kMaxDrawTries) {
    const auto point = points.next();
    if (!point) {
      out.exhausted = true;
      break;
    }
    const auto hit = merkle::SumTree::locate(from.trees, *point);
    points.take({hit.before, hit.weight.value, hit.weight.tag});
    DrawTry attempt;
    attempt.instance = hit.weight.id;
    out.drawn.tries.push_back(std::move(attempt));
    if (fits(session, hit.weight.id, hit.weight.tag)) out.winner = hit.weight.id;
  }
  if (out.winner) prove(out.drawn, from);
  return out;
}

}  // namespace

// At the end of block h, before anybody can know the beacon of h + 1 (41-consensus, 10.2).
void freeze_requests(Context& c) {
  for (const SessionId& id : std::exchange(c.requests, {})) {
    auto session = c.session(id);
    invariant(session.has_value(), "a request names no session");
    if (session->state != SessionState::requested || session->request_height != c.height) continue;
    freeze(c, *session);
  }
}

// In block h + 2 or later, always with the beacon of h + 1 and the pools frozen at h: a late beacon
// delays a request, and after its lifetime the deposit goes back. It is never drawn with another.
void draw_session(Context& c, Session& session) {
  const uint64_t h = session.request_height;
  const auto [beacon, too_late] = draw_beacon(c, h);
  if (!beacon && !too_late) {
    schedule(c, session, c.height + 1);
    return c.put(session);
  }
  if (!beacon) {
    c.pools.release(c.store, h);
    return refund(c, session, "no beacon");
  }
  const auto other = twins_instance(c, session);
  if (other) session.apart_formats = vendor_formats(*other);
  const Outcome outcome = draw(c.pools.held(h, session.model_root), *beacon, session);
  c.pools.release(c.store, h);
  if (!outcome.winner && outcome.exhausted) return refund(c, session, "no suitable instance");
  if (!outcome.winner) return miss(c, session);
  auto instance = c.instance(*outcome.winner);
  invariant(instance.has_value(), "a drawn instance does not exist");
  if (!is_free(c, session, *instance)) return miss(c, session);
  if (other && !apart(*instance, *other)) return miss(c, session);
  assign(c, session, std::move(*instance), outcome.drawn);
}

}  // namespace cloister::ledger
