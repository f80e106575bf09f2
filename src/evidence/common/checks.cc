#include "evidence/common/checks.h"

#include <fmt/core.h>

namespace cloister::evidence {

bool CheckList::require(std::string_view name, bool ok, Error error, std::string expected,
                        std::string found) {
  if (!ok && !appraisal_.error) {
    appraisal_.error = error;
    appraisal_.detail = fmt::format("{}: expected {}; found {}", name, expected, found);
  }
  appraisal_.checks.push_back({std::string(name), ok, std::move(expected), std::move(found)});
  return ok;
}

}  // namespace cloister::evidence
