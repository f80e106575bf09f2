#include "ledger/state/context.h"

namespace cloister::ledger {

CollateralLookup collateral_of(const Context& c) {
  return [&c](CollateralKind kind, const Hash32& id) {
    return c.find<CollateralRecord>(Family::collateral, collateral_key(kind, id));
  };
}

// Vendors' objects only ever move forward: a lower number, or the same number issued earlier, would
// bring back what a vendor has replaced.
Verdict apply_collateral(Context& c, const Tx&, const PutCollateral& body) {
  if (body.files.empty()) return Code::collateral_malformed;
  auto record = c.verifier.verify_collateral(body.files, c.genesis, c.now());
  if (!record) return record.error();
  const Buffer key = collateral_key(record->kind, record->id);
  const auto held = c.find<CollateralRecord>(Family::collateral, key);
  if (held && (record->number < held->number || record->issued_at < held->issued_at)) {
    return Code::collateral_rollback;
  }
  record->files = body.files;
  const bool changes = held && c.verifier.changes_standing(*held, *record);
  // Two statements of one date: whoever could put the one could put the other, again and again.
  if (changes && record->number == held->number && record->issued_at == held->issued_at) {
    return Code::collateral_rollback;
  }
  if (changes) c.vendors_changed = true;
  c.store.put(Family::collateral, key, record->encode());
  c.emit("collateral.put", {{"kind", std::string(name(record->kind))},
                            {"id", to_hex(record->id)},
                            {"number", std::to_string(record->number)}});
  return Code::ok;
}

}  // namespace cloister::ledger
