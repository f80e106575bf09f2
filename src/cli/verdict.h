// An appraisal as people read it.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::cli {

// The first lines about a bundle: what all its items together come to.
std::string bundle_text(std::optional<evidence::Error> error, const std::string& detail);

// A verdict line, the checks as a table, what to do. Control characters of the evidence do not
// reach the terminal.
std::string verdict_text(const evidence::Appraisal& appraisal, UnixSeconds judged_at);

std::string printable(std::string text);  // control characters become '?'

}  // namespace cloister::cli
