#include "ledger/state/context.h"

namespace cloister::ledger {
namespace {

// The instance, when it is live and the sender is the instance itself or its operator.
std::expected<Instance, Code> own_live_instance(const Context& c, const Tx& tx,
                                                const InstanceId& id) {
  auto instance = c.instance(id);
  if (!instance) return std::unexpected(Code::instance_unknown);
  if (!speaks_for(tx, *instance)) {
    return std::unexpected(Code::not_of_instance);
  }
  if (!is_live(*instance)) return std::unexpected(Code::instance_not_live);
  return std::move(*instance);
}

Code check_keys(const Context& c, const Instance& instance, const KeyConfig& keys) {
  if (keys.epoch <= instance.key_epoch) return Code::key_epoch_invalid;
  const auto now = static_cast<uint64_t>(c.time_ms);
  if (keys.valid_until_ms <= keys.valid_from_ms || keys.valid_until_ms <= now ||
      keys.valid_until_ms - keys.valid_from_ms > kMaxKeyLifeMs) {
    return Code::key_validity_invalid;
  }
  return Code::ok;
}

}  // namespace

Verdict apply_rotate(Context& c, const Tx& tx, const RotateKeys& body) {
  const KeyRotation& rotation = body.rotation;
  auto instance = own_live_instance(c, tx, rotation.instance);
  if (!instance) return instance.error();
  if (!verify_rotation(body, c.chain_id(), instance->identity_key)) {
    return Code::identity_signature;
  }
  if (Code code = check_keys(c, *instance, rotation.keys); code != Code::ok) return code;
  const Buffer key = id_key(instance->id);
  KeySet keys = c.find<KeySet>(Family::keys, key).value_or(KeySet());
  keys.epochs.push_back(rotation.keys);
  if (keys.epochs.size() > kKeyEpochs) keys.epochs.erase(keys.epochs.begin());
  c.store.put(Family::keys, key, keys.encode());
  instance->key_epoch = rotation.keys.epoch;
  c.put(*instance);
  c.emit("instance.keys",
         {{"instance", to_hex(instance->id)}, {"epoch", std::to_string(rotation.keys.epoch)}});
  return Code::ok;
}

Verdict apply_drain(Context& c, const Tx& tx, const DrainInstance& body) {
  auto instance = own_live_instance(c, tx, body.instance);
  if (!instance) return instance.error();
  if (instance->draining) return Code::instance_draining;
  instance->draining = true;
  c.put(*instance);
  c.emit("instance.draining", {{"instance", to_hex(instance->id)}});
  return Code::ok;
}

Verdict apply_retire(Context& c, const Tx& tx, const RetireInstance& body) {
  auto instance = own_live_instance(c, tx, body.instance);
  if (!instance) return instance.error();
  end_instance(c, std::move(*instance), InstanceState::retired);
  return Code::ok;
}

}  // namespace cloister::ledger
