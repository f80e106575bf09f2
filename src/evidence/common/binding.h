// The last stage of every verification: does the evidence carry what the caller expects?
#pragma once

#include "evidence/common/fault.h"

namespace cloister::evidence {

// `report_data`, `nonce`: what the evidence carries; nothing where its format has no such field, so
// that a caller who expects one is refused. Compared whole and in constant time. Returns what to
// write into the check.
Result<std::string> check_binding(const Binding& binding, std::optional<Bytes> report_data,
                                  std::optional<Bytes> nonce);

}  // namespace cloister::evidence
