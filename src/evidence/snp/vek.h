// What AMD writes into the certificate of a versioned endorsement key: the key that signs reports
// is derived from the chip (VCEK) or lent to a cloud (VLEK), and from the firmware's version
// numbers (VCEK and VLEK Certificate and KDS Interface Specification, 57230, table 8 and
// following).
#pragma once

#include "evidence/snp/report.h"

namespace cloister::evidence::snp {

struct VekExtensions {
  ProductLine product{};
  Tcb tcb{};                   // in the report's byte order of this product line
  Buffer hardware_id;          // VCEK: 64 bytes, Turin 8; VLEK: empty
  std::string cloud_provider;  // VLEK: CSP id; VCEK: empty
};

// Values may be raw or wrapped in DER: AMD has issued both. Turin, and only Turin, has structure
// version 1 and the extension of the FMC. malformed: an extension is absent that the kind needs,
// has another length or value range, or belongs to the other kind or another structure version.
// unsupported: a product line that is not known.
std::expected<VekExtensions, Error> parse_vek(const crypto::Certificate& certificate,
                                              SigningKey kind);

}  // namespace cloister::evidence::snp
