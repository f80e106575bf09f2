// An appraisal as people and as scripts read it.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::cli {

// {"verdict", "error", "status", "advisories", "claims"}; for evidence of a simulated TEE also
// "development": "no hardware protection".
JsonValue verdict_json(const evidence::Appraisal& appraisal);

// A verdict line, the checks as a table, what to do. Control characters of the evidence do not
// reach the terminal.
std::string verdict_text(const evidence::Appraisal& appraisal, UnixSeconds judged_at);

}  // namespace cloister::cli
