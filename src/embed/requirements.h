// The demands of cloister.h by name.
#pragma once

#include "evidence/common/policy.h"

namespace cloister::embed {

// False: no such requirement, or not a value of its form. Then nothing was changed.
[[nodiscard]] bool require(evidence::VerifyPolicy& policy, std::string_view requirement,
                           std::string_view value);

}  // namespace cloister::embed
