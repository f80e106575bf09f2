// The plain ledger's world as the real store would hold it.
#include "ledger/state/plain_ledger_testing.h"

namespace cloister::ledger {

using namespace plain;

std::map<Buffer, Buffer> PlainLedger::family(Family family) const {
  std::map<Buffer, Buffer> out;
  const auto all = [&](const auto& records) {
    for (const auto& [id, record] : records) out[id_key(id)] = record.encode();
  };
  const auto text_key = [](std::string_view text) { return to_buffer(as_bytes(text)); };
  switch (family) {
    case Family::accounts:
      all(w_.accounts);
      break;
    case Family::assignments:
      for (const auto& [id, s] : w_.sessions) {
        if (holds_instance(s)) out[assignment_key(*s.instance, id)] = {};
      }
      break;
    case Family::batches:
      all(w_.batches);
      for (const auto& [id, record] : w_.audits) out[audit_key(id)] = record.encode();
      break;
    case Family::beacon:
      for (const auto& [at, record] : w_.beacons) out[number_key(at)] = record.encode();
      break;
    case Family::blocks:
      for (const auto& [at, record] : blocks_) out[number_key(at)] = record.encode();
      break;
    case Family::checks:
      all(w_.checks);
      break;
    case Family::collateral:
      for (const auto& [key, record] : w_.collateral) out[key] = record.encode();
      break;
    case Family::due:
      for (const auto& [at, kind, id] : due()) out[due_key(at, kind, id)] = {};
      break;
    case Family::instances:
      for (const auto& [id, each] : w_.instances) {
        Instance record = each;
        record.open_sessions = open_on(id);
        out[id_key(id)] = record.encode();
      }
      break;
    case Family::jobs:
      all(w_.jobs);
      break;
    case Family::keys:
      all(w_.keys);
      break;
    case Family::standings:
      all(w_.standings);
      break;
    case Family::models:
      all(w_.models);
      for (const auto& [id, model] : w_.models) out[model_name_key(model.name)] = id_key(id);
      break;
    case Family::operators:
      for (const auto& [id, each] : w_.operators) {
        Operator record = each;
        record.live_instances = live_of(id);
        out[id_key(id)] = record.encode();
      }
      for (const auto& [id, each] : w_.instances) {
        if (is_live(id)) out[operator_instance_key(each.operator_account, id)] = {};
      }
      break;
    case Family::params: {
      out[text_key(kParamsKey)] = params_.encode();
      out[text_key(kGenesisKey)] = genesis_.encode();
      Totals totals;
      totals.stake_micro = all_stake();
      totals.validators = validators_now();
      if (!w_.operators.empty()) out[text_key(kTotalsKey)] = totals.encode();
      break;
    }
    case Family::platforms:
      for (const auto& [id, instance] : w_.platforms) out[id_key(id)] = id_key(instance);
      break;
    case Family::policy:
      out[text_key(kPolicyKey)] = policy().encode();
      out[text_key(kLayersKey)] = w_.layers.encode();
      for (const auto& [version, record] : policies_) out[number_key(version)] = record.encode();
      break;
    case Family::proposals:
      all(w_.proposals);
      for (const auto& [key, record] : w_.ballots) {
        out[ballot_key(key.first, key.second)] = record.encode();
      }
      break;
    case Family::sessions:
      all(w_.sessions);
      break;
    case Family::validators:
      for (const auto& [address, record] : w_.validators) {
        out[validator_key(address)] = record.encode();
        if (record.state == ValidatorState::active) {
          out[id_key(record.operator_account)] = validator_key(address);
        }
      }
      break;
    case Family::draws:
    case Family::outbox:
      break;
  }
  return out;
}

}  // namespace cloister::ledger
