// An appraisal as people read it.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::cli {

// A verdict line, the checks as a table, what to do. Control characters of the evidence do not
// reach the terminal.
std::string verdict_text(const evidence::Appraisal& appraisal, UnixSeconds judged_at);

}  // namespace cloister::cli
