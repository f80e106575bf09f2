// Where a record lies in its family. Clients build the key themselves and prove what lies there.
#pragma once

#include "ledger/types/session.h"

namespace cloister::ledger {

constexpr std::string_view kParamsKey = "params";    // family params: Params
constexpr std::string_view kGenesisKey = "genesis";  // family params: Genesis
constexpr std::string_view kPolicyKey = "current";   // family policy: NetworkPolicy

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
// collateral: CollateralIndex. Shorter than the key of any record.
inline Buffer collateral_index_key() {
  return {0};
}
// assignments: what an instance works on, by prefix.
inline Buffer assignment_key(const InstanceId& instance, const SessionId& session) {
  return ByteWriter().bytes(instance).bytes(session).take();
}

// due: what falls due at a height, in the order in which it is done.
enum class DueKind : uint8_t { instance = 1, session = 2 };
inline Buffer due_key(uint64_t height, DueKind kind, const Hash32& id) {
  return ByteWriter().u64_be(height).u8(static_cast<uint8_t>(kind)).bytes(id).take();
}

}  // namespace cloister::ledger
