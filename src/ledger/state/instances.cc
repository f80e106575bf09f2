#include <algorithm>
#include <charconv>

#include "ledger/state/context.h"
#include "ledger/types/binding.h"

namespace cloister::ledger {
namespace {

bool endpoint_valid(std::string_view endpoint) {
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = endpoint.substr(0, colon), digits = endpoint.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return false;
  if (digits[0] == '0') return false;
  return host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-[]:") ==
         std::string_view::npos;
}

Code check_evidence_size(std::span<const EvidenceItem> evidence) {
  if (evidence.empty()) return Code::evidence_absent;
  size_t total = 0;
  for (const EvidenceItem& item : evidence) total += item.bytes.size();
  return total > kMaxEvidenceItemBytes ? Code::evidence_too_large : Code::ok;
}

// Evidence names a recent block, which dates it: it cannot be older than that block.
Code check_block(const Context& c, uint64_t height, const Hash32& hash) {
  const auto block = c.find<BlockRef>(Family::blocks, number_key(height));
  if (!block || block->hash != hash) return Code::block_unknown;
  if (c.height - height > c.params.evidence_max_age_blocks) return Code::block_too_old;
  return Code::ok;
}

// An instance that serves a model may go on with it to the end of its sessions.
Code check_offers(const Context& c, const std::vector<Offer>& offers, const Claims& claims,
                  bool registering) {
  if (offers.empty()) return Code::models_invalid;
  for (size_t i = 0; i < offers.size(); ++i) {
    if (i > 0 && !(offers[i - 1].model_root < offers[i].model_root)) return Code::models_invalid;
    const auto loaded = std::find(claims.models.begin(), claims.models.end(), offers[i].model_root);
    if (loaded == claims.models.end()) return Code::models_invalid;
    const auto model = c.find<Model>(Family::models, offers[i].model_root);
    if (!model) return Code::model_unknown;
    if (model->deprecated && registering) return Code::model_deprecated;
  }
  return Code::ok;
}

// What anyone can see to be wrong before the costly part.
Code check_registration(const Context& c, const Tx& tx, const RegisterInstance& body,
                        const std::optional<Claims>& claims) {
  const Registration& r = body.registration;
  const auto op = c.operator_of(tx.account);
  if (!op || op->stake_micro < c.params.min_stake_micro) return Code::stake_too_low;
  if (op->live_instances >= kMaxInstancesPerOperator) return Code::too_many_instances;
  if (!verify_registration(body, c.chain_id(), tx.account)) return Code::identity_signature;
  if (!claims) return Code::claims_malformed;
  if (claims->role != Claims::kServer || claims->instance_id != instance_id_of(r.identity_key) ||
      claims->gpu_evidence_sha256 != gpu_evidence_digest(r.evidence)) {
    return Code::claims_mismatch;
  }
  if (Code code = check_offers(c, r.offers, *claims, true); code != Code::ok) return code;
  if (r.capacity == 0 || r.capacity > kMaxCapacity) return Code::capacity_invalid;
  if (!endpoint_valid(r.endpoint)) return Code::endpoint_invalid;
  if (Code code = check_evidence_size(r.evidence); code != Code::ok) return code;
  return check_block(c, r.block_height, r.block_hash);
}

// An identity that served before may come back with new evidence, unless it is live or was revoked.
bool may_register_again(const Instance& before, const AccountId& operator_account) {
  return before.operator_account == operator_account &&
         (before.state == InstanceState::expired || before.state == InstanceState::retired);
}

void count_live(Context& c, const Instance& instance, bool live) {
  const AccountId& account = instance.operator_account;
  auto op = c.operator_of(account);
  invariant(op && (live || op->live_instances > 0), "an operator's instances are miscounted");
  op->live_instances += live ? 1 : -1u;
  c.put(account, *op);
  if (live) {
    c.store.put(Family::operators, operator_instance_key(account, instance.id), {});
  } else {
    c.store.erase(Family::operators, operator_instance_key(account, instance.id));
  }
}

void set_platforms(Instance& instance, std::vector<Platform> platforms) {
  instance.platforms = std::move(platforms);
  instance.development = std::any_of(instance.platforms.begin(), instance.platforms.end(),
                                     [](const Platform& platform) { return platform.development; });
}

// One live instance a machine: another operator's is in the way, the operator's own gives way.
Code claim_platforms(Context& c, const Instance& instance) {
  for (const Platform& platform : instance.platforms) {
    const auto held = c.store.get(Family::platforms, platform.id_hash);
    const auto holder = held ? c.instance(*to_fixed<32>(*held)) : std::nullopt;
    if (holder && holder->id != instance.id && is_live(*holder)) {
      if (holder->operator_account != instance.operator_account) return Code::platform_in_use;
      end_instance(c, *holder, InstanceState::retired);
    }
    c.store.put(Family::platforms, id_key(platform.id_hash), id_key(instance.id));
  }
  return Code::ok;
}

void mark_verified(Context& c, Instance& instance, std::vector<Buffer> standings) {
  const Buffer key = due_key(instance.expires_height, DueKind::instance, instance.id);
  c.store.erase(Family::due, key);
  if (instance.state != InstanceState::active || instance.active_since == 0) {
    instance.active_since = c.height;
  }
  instance.state = InstanceState::active;
  instance.policy_version = c.policy.version;
  instance.verified_height = c.height;
  instance.expires_height = c.height + c.params.instance_lifetime_blocks;
  c.store.put(Family::due, due_key(instance.expires_height, DueKind::instance, instance.id), {});
  c.put(instance);
  Standings kept;
  kept.items = std::move(standings);
  c.store.put(Family::standings, id_key(instance.id), kept.encode());
}

// What evidence that names this block must be bound to.
void bind_to_block(Instance& instance, std::string_view chain_id, const Claims& claims,
                   uint64_t height, const Hash32& block) {
  const AccountId& op = instance.operator_account;
  instance.binding = registration_binding(chain_id, op, block, height, claims);
  instance.gpu_nonce.reset();
  if (!all_zero(claims.gpu_evidence_sha256)) {
    instance.gpu_nonce = registration_gpu_nonce(chain_id, op, block, height, claims);
  }
}

Instance new_instance(const Context& c, const Tx& tx, const Registration& r, const Claims& claims) {
  Instance out;
  out.id = claims.instance_id;
  out.operator_account = tx.account;
  out.identity_key = r.identity_key;
  out.spki_sha256 = claims.spki_sha256;
  out.key_config_sha256 = claims.key_config_sha256;
  out.claims = r.claims;
  bind_to_block(out, c.chain_id(), claims, r.block_height, r.block_hash);
  out.evidence_sha256 = evidence_hash(r.evidence);
  out.endpoint = r.endpoint;
  out.offers = r.offers;
  out.capacity = r.capacity;
  out.registered_height = c.height;
  return out;
}

bool same_platforms(const Instance& a, const Instance& b) {
  return std::equal(a.platforms.begin(), a.platforms.end(), b.platforms.begin(), b.platforms.end(),
                    [](const Platform& x, const Platform& y) {
                      return x.format == y.format && x.id_hash == y.id_hash;
                    });
}

Code check_renewal(const Context& c, const Tx& tx, const RenewInstance& body,
                   const Instance& instance, const std::optional<Claims>& claims) {
  const Renewal& r = body.renewal;
  if (!speaks_for(tx, instance)) return Code::not_of_instance;
  if (!is_live(instance)) return Code::instance_not_live;
  if (!verify_renewal(body, c.chain_id(), instance.identity_key)) return Code::identity_signature;
  if (!claims) return Code::claims_malformed;
  if (claims->role != Claims::kServer || claims->instance_id != instance.id ||
      claims->spki_sha256 != instance.spki_sha256 ||
      claims->gpu_evidence_sha256 != gpu_evidence_digest(r.evidence)) {
    return Code::claims_mismatch;
  }
  if (Code code = check_offers(c, instance.offers, *claims, false); code != Code::ok) return code;
  if (Code code = check_evidence_size(r.evidence); code != Code::ok) return code;
  return check_block(c, r.block_height, r.block_hash);
}

// A renewal that fails takes the instance out of the draw in the same block. Only the instance
// itself or its operator can bring one, so nobody else can do this to it.
Verdict renewal_failed(Context& c, Instance instance, Code code) {
  suspend_instance(c, std::move(instance), code);
  return {code, true};
}

}  // namespace

std::expected<Admitted, Code> verify_evidence(const Context& c, const NetworkPolicy& policy,
                                              std::span<const EvidenceItem> evidence,
                                              const Instance& instance) {
  auto admitted = c.verifier.admit({evidence, instance.binding, instance.gpu_nonce,
                                    collateral_of(c), c.genesis, policy, c.height, c.now()});
  invariant(!admitted || (admitted->platforms.size() == admitted->standings.size() &&
                          admitted->platforms.size() >= evidence.size() &&
                          admitted->platforms.size() <= kMaxPlatformsPerInstance),
            "a platform an item, and a standing a platform");
  return admitted;
}

Verdict apply_register(Context& c, const Tx& tx, const RegisterInstance& body) {
  const Registration& r = body.registration;
  const auto claims = Claims::decode(r.claims);
  if (Code code = check_registration(c, tx, body, claims); code != Code::ok) return code;
  const auto before = c.instance(claims->instance_id);
  if (before && !may_register_again(*before, tx.account)) return Code::instance_exists;
  Instance instance = new_instance(c, tx, r, *claims);
  auto admitted = verify_evidence(c, c.policy, r.evidence, instance);
  if (!admitted) return admitted.error();
  set_platforms(instance, std::move(admitted->platforms));
  if (Code code = claim_platforms(c, instance); code != Code::ok) return code;
  if (before) {
    instance.open_sessions = before->open_sessions;  // still closing
    instance.key_epoch = before->key_epoch;          // epochs never repeat
  }
  count_live(c, instance, true);
  mark_verified(c, instance, std::move(admitted->standings));
  c.data = id_key(instance.id);
  c.emit("instance.registered",
         {{"instance", to_hex(instance.id)}, {"operator", to_hex(instance.operator_account)}});
  return Code::ok;
}

Verdict apply_renew(Context& c, const Tx& tx, const RenewInstance& body) {
  const Renewal& r = body.renewal;
  auto instance = c.instance(r.instance);
  if (!instance) return Code::instance_unknown;
  const auto claims = Claims::decode(r.claims);
  if (Code code = check_renewal(c, tx, body, *instance, claims); code != Code::ok) return code;
  Instance renewed = *instance;
  renewed.claims = r.claims;
  renewed.key_config_sha256 = claims->key_config_sha256;
  bind_to_block(renewed, c.chain_id(), *claims, r.block_height, r.block_hash);
  renewed.evidence_sha256 = evidence_hash(r.evidence);
  auto admitted = verify_evidence(c, c.policy, r.evidence, renewed);
  if (!admitted) return renewal_failed(c, *instance, admitted.error());
  set_platforms(renewed, std::move(admitted->platforms));
  if (!same_platforms(*instance, renewed)) {
    return renewal_failed(c, *instance, Code::platform_changed);
  }
  mark_verified(c, renewed, std::move(admitted->standings));
  c.emit("instance.renewed", {{"instance", to_hex(renewed.id)}});
  return Code::ok;
}

void suspend_instance(Context& c, Instance instance, Code code) {
  instance.state = InstanceState::unverified;
  c.put(instance);
  release_sessions(c, instance.id, false);
  c.emit("instance.unverified",
         {{"instance", to_hex(instance.id)}, {"code", std::string(name(code))}});
}

void end_instance(Context& c, Instance instance, InstanceState state) {
  if (is_live(instance)) {
    c.store.erase(Family::due, due_key(instance.expires_height, DueKind::instance, instance.id));
    c.store.erase(Family::keys, instance.id);
    c.store.erase(Family::standings, instance.id);
    count_live(c, instance, false);
  }
  instance.state = state;
  c.put(instance);
  c.emit("instance." + std::string(name(state)), {{"instance", to_hex(instance.id)}});
  release_sessions(c, instance.id, state == InstanceState::revoked);
}

void instance_due(Context& c, const InstanceId& id) {
  const auto instance = c.instance(id);
  invariant(instance && is_live(*instance), "an instance falls due that is not live");
  end_instance(c, *instance, InstanceState::expired);
}

}  // namespace cloister::ledger
