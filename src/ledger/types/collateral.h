// What vendors signed about platforms, as the ledger keeps it.
#pragma once

#include <functional>

#include "ledger/types/enums.h"
#include "ledger/types/limits.h"
#include "ledger/types/record.h"

namespace cloister::ledger {

// A vendor-signed object whose signature chain was verified when it came.
struct CollateralRecord : Record<CollateralRecord> {
  CollateralKind kind = CollateralKind::certificate;
  Hash32 id{};                // what it is the newest of: a platform's TCB info, a CA's CRL, …
  std::vector<Buffer> files;  // the object and the chain that signs it, as received
  uint64_t issued_at = 0;     // Unix seconds
  uint64_t next_update = 0;
  uint64_t number = 0;  // TCB evaluation number or CRL number

  template <typename R, typename V>
  static void fields(R& r, V& v) {
    v(1, "kind", r.kind);
    v(2, "id", r.id);
    v(3, "files", r.files, kMaxCollateralFiles, kMaxCollateralBytes);
    v(4, "issued_at", r.issued_at);
    v(5, "next_update", r.next_update);
    v(6, "number", r.number);
  }
  bool operator==(const CollateralRecord&) const = default;
};

// The record of a name, where there is one. Evidence says by itself which names judging it needs
// (evidence/collateral.h), so nobody ever needs all of them.
using CollateralLookup =
    std::function<std::optional<CollateralRecord>(CollateralKind kind, const Hash32& id)>;

}  // namespace cloister::ledger
