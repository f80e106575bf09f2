#include <algorithm>
#include <map>

#include "crypto/hash.h"
#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

struct Active {
  Instance instance;
  uint64_t weight;  // free capacity × reputation of the operator; above zero
};

// Everyone who may be drawn at all, ascending by id.
std::vector<Active> active_instances(const Context& c) {
  std::vector<Active> out;
  std::map<AccountId, std::optional<Operator>> operators;
  c.store.for_each(Family::instances, {}, [&](Bytes, Bytes value) {
    auto instance = Instance::decode(value);
    invariant(instance.has_value(), "a stored record does not decode");
    if (!takes_work(*instance)) return true;
    const AccountId& account = instance->operator_account;
    auto [op, fresh] = operators.try_emplace(account);
    if (fresh) op->second = c.operator_of(account);
    if (!op->second || op->second->stake_micro < c.params.min_stake_micro) return true;
    const uint64_t free = instance->capacity - instance->open_sessions;
    const uint64_t weight = free * op->second->reputation;
    if (weight > 0) out.push_back({std::move(*instance), weight});
    return true;
  });
  return out;
}

bool suits(const Instance& instance, const Session& session) {
  const Offer* offer = instance.offer_for(session.model_root);
  const auto& excluded = session.excluded;
  return offer && offer->price_micro <= session.price_cap_micro &&
         meets(instance, session.requirement) &&
         std::find(excluded.begin(), excluded.end(), instance.id) == excluded.end();
}

void freeze(Context& c, Session& session, std::span<const Active> active) {
  Candidates candidates;
  candidates.height = c.height;
  for (const Active& each : active) {
    if (!suits(each.instance, session)) continue;
    Candidate candidate;
    candidate.id = each.instance.id;
    candidate.weight = each.weight;
    candidates.list.push_back(candidate);
  }
  if (candidates.list.empty()) return refund(c, session, "no suitable instance");
  cap_candidates(candidates.list, c.block_hash);
  c.store.put(Family::draws, id_key(session.id), candidates.encode());
  // The beacon of the next height is decided by keys alone; asking for it here opens its shares.
  if (!c.beacon(c.height + 1)) {
    Beacon beacon;
    beacon.height = c.height + 1;
    c.put(beacon);
  }
}

void assign(Context& c, Session& session, Instance instance) {
  instance.open_sessions += 1;
  c.put(instance);
  c.store.put(Family::assignments, assignment_key(instance.id, session.id), {});
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

// The drawn instance fell out or filled up after the set was frozen: the request starts again with
// a new height, a new set and a new beacon.
void miss(Context& c, Session& session, const Instance& instance) {
  const bool at_fault =
      instance.state == InstanceState::unverified || instance.state == InstanceState::expired;
  if (at_fault) {
    change_reputation(c, instance.operator_account, -int64_t{c.params.reputation_miss_loss});
  }
  c.emit("session.missed", {{"session", to_hex(session.id)}, {"instance", to_hex(instance.id)}});
  session.misses += 1;
  if (session.misses > kMaxMisses) return refund(c, session, "no instance was free");
  request_draw(c, session);
}

}  // namespace

void cap_candidates(std::vector<Candidate>& list, const Hash32& block_hash) {
  if (list.size() <= kMaxCandidates) return;
  std::vector<std::pair<Hash32, Candidate>> ranked;
  for (const Candidate& candidate : list) {
    ByteWriter input;
    input.text("cloister cap v1").u8(0).bytes(block_hash).bytes(candidate.id);
    ranked.push_back({crypto::sha256(input.view()), candidate});
  }
  std::sort(ranked.begin(), ranked.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  list.clear();
  for (size_t i = 0; i < kMaxCandidates; ++i) list.push_back(ranked[i].second);
  std::sort(list.begin(), list.end(),
            [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
}

// At the end of block h, before anybody can know the beacon of h + 1 (41-consensus, 10.2).
void freeze_requests(Context& c) {
  if (c.requests.empty()) return;
  const std::vector<Active> active = active_instances(c);
  const std::vector<SessionId> requests = std::move(c.requests);
  for (const SessionId& id : requests) {
    auto session = c.session(id);
    invariant(session.has_value(), "a request names no session");
    if (session->state != SessionState::requested || session->request_height != c.height) continue;
    freeze(c, *session, active);
  }
}

// In block h + 2 or later, always with the beacon of h + 1 and the set frozen at h: a late beacon
// delays a request, and after its lifetime the deposit goes back. It is never drawn with another.
void draw_session(Context& c, Session& session) {
  const auto beacon = c.beacon(session.request_height + 1);
  if (!beacon || !beacon->value) {
    if (c.height - session.request_height >= c.params.request_lifetime_blocks) {
      return refund(c, session, "no beacon");
    }
    schedule(c, session, c.height + 1);
    c.put(session);
    return;
  }
  const auto candidates = c.find<Candidates>(Family::draws, session.id);
  invariant(candidates && candidates->height == session.request_height, "no frozen set");
  const auto winner = draw(*beacon->value, session.id, *candidates);
  invariant(winner.has_value(), "a frozen set is empty");
  auto instance = c.instance(*winner);
  invariant(instance.has_value(), "a candidate does not exist");
  const bool free = takes_work(*instance) && suits(*instance, session);
  if (!free) return miss(c, session, *instance);
  assign(c, session, std::move(*instance));
}

}  // namespace cloister::ledger
