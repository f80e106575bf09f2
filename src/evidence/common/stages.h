// A verification as a table of stages: each looks at one thing, the order is fixed, and the first
// refusal is the verdict.
#pragma once

#include "evidence/common/fault.h"

namespace cloister::evidence {

// `run` returns what it found, for the report, or why it refuses.
template <typename Verifier>
struct Stage {
  const char* check;
  const char* expected;
  Result<std::string> (Verifier::*run)();
};

// Records a check for every stage that ran. True when all of them passed; else `appraisal` holds
// the refusal.
template <typename Verifier, size_t N>
[[nodiscard]] bool run_stages(Verifier& verifier, const Stage<Verifier> (&stages)[N],
                              Appraisal& appraisal) {
  for (const Stage<Verifier>& stage : stages) {
    const Result<std::string> found = (verifier.*stage.run)();
    appraisal.checks.push_back(
        {stage.check, found.has_value(), stage.expected, found ? *found : found.error().detail});
    if (found) continue;
    appraisal.error = found.error().error;
    appraisal.detail = found.error().detail;
    return false;
  }
  return true;
}

}  // namespace cloister::evidence
