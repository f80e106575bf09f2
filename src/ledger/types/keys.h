// Where a record lies in its family. Clients build the key themselves and prove what lies there.
#pragma once

#include "ledger/types/draw.h"
#include "ledger/types/validator.h"

namespace cloister::ledger {

constexpr std::string_view kParamsKey = "params";    // family params: Params
constexpr std::string_view kGenesisKey = "genesis";  // family params: Genesis
constexpr std::string_view kTotalsKey = "totals";    // family params: Totals
constexpr std::string_view kPolicyKey = "current";   // family policy: NetworkPolicy
constexpr std::string_view kLayersKey = "layers";    // family policy: PolicyLayers

// accounts, operators: the account. instances, keys, models, sessions, draws: the id.
inline Buffer id_key(const Hash32& id) {
  return to_buffer(id);
}
// blocks, beacon: the height. policy: the version.
inline Buffer number_key(uint64_t number) {
  return ByteWriter().u64_be(number).take();
}
inline Buffer collateral_key(CollateralKind kind, const Hash32& id) {
  return ByteWriter().u8(static_cast<uint8_t>(kind)).bytes(id).take();
}
// models: the root of the model with this name. Longer than the key of any model.
Buffer model_name_key(std::string_view model_name);
// assignments: what an instance works on, by prefix.
inline Buffer assignment_key(const InstanceId& instance, const SessionId& session) {
  return ByteWriter().bytes(instance).bytes(session).take();
}

// operators: an instance that counts for the operator.
inline Buffer operator_instance_key(const AccountId& account, const InstanceId& instance) {
  return ByteWriter().bytes(account).bytes(instance).take();
}

// validators: the record of one; the address of an operator's active one lies at id_key(account).
inline Buffer validator_key(const ValidatorAddress& address) {
  return to_buffer(address);
}

// draws: how a session came to its instance (Drawn) lies at its id; three more kinds of keys, each
// of its own length. The pools of a model, frozen at a height (FrozenPools):
inline Buffer frozen_key(uint64_t height, const ModelRoot& model) {
  return ByteWriter().u64_be(height).bytes(model).take();
}
inline bool is_frozen_key(Bytes key) {
  return key.size() == 40;
}
// what an instance weighs in a pool now, and what it weighed at the end of a height that requests
// wait for, if that is another value by now.
Buffer weight_key(const PoolKey& pool, const InstanceId& instance);
Buffer since_key(uint64_t height, const PoolKey& pool, const InstanceId& instance);
bool is_weight_key(Bytes key);
bool is_since_key(Bytes key);
Buffer weight_value(const merkle::Weight& weight);  // u64be weight ‖ u64be price
std::pair<PoolKey, merkle::Weight> read_weight(Bytes weight_key, Bytes value);

// proposals: the id of a proposal; who voted on it.
inline Buffer ballot_key(const Hash32& proposal, const AccountId& account) {
  return ByteWriter().bytes(proposal).bytes(account).take();
}

// batches: the id of a batch; what an instance was paid for and committed. checks: the id.
inline Buffer audit_key(const InstanceId& instance) {
  return ByteWriter().bytes(instance).u8(0).take();
}

// due: what falls due at a height, in the order in which it is done.
enum class DueKind : uint8_t {
  instance = 1,
  session = 2,
  proposal = 3,
  policy = 4,
  batch = 5,
  check = 6,
  audit = 7,  // of an instance: whether it committed what it was paid for
  job = 8,    // is forgotten
};
inline Buffer due_key(uint64_t height, DueKind kind, const Hash32& id) {
  return ByteWriter().u64_be(height).u8(static_cast<uint8_t>(kind)).bytes(id).take();
}

}  // namespace cloister::ledger
