#include "ledger/state/context.h"

namespace cloister::ledger {

namespace {

// False when the ledger holds as many records as a verifier may be handed.
bool enter_index(Context& c, const CollateralRecord& record) {
  auto index = c.find<CollateralIndex>(Family::collateral, collateral_index_key())
                   .value_or(CollateralIndex());
  if (index.entries.size() >= kMaxCollateralRecords) return false;
  CollateralName entry;
  entry.kind = record.kind;
  entry.id = record.id;
  index.entries.push_back(entry);
  c.store.put(Family::collateral, collateral_index_key(), index.encode());
  return true;
}

}  // namespace

std::vector<CollateralRecord> all_collateral(const Context& c) {
  std::vector<CollateralRecord> out;
  c.store.for_each(Family::collateral, {}, [&](Bytes key, Bytes value) {
    if (equal(key, collateral_index_key())) return true;
    auto record = CollateralRecord::decode(value);
    invariant(record.has_value(), "a stored record does not decode");
    out.push_back(std::move(*record));
    return true;
  });
  return out;
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
  if (!held && !enter_index(c, *record)) return Code::collateral_full;
  record->files = body.files;
  if (held && c.verifier.changes_standing(*held, *record)) c.vendors_changed = true;
  c.store.put(Family::collateral, key, record->encode());
  c.emit("collateral.put", {{"kind", std::string(name(record->kind))},
                            {"id", to_hex(record->id)},
                            {"number", std::to_string(record->number)}});
  return Code::ok;
}

}  // namespace cloister::ledger
