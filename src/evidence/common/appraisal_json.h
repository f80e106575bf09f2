// An appraisal as scripts and other programs read it.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence {

// {"format", "verdict": "accept"|"reject", "error", "detail", "status", "advisories", "claims",
// "checks": [{"name", "ok", "expected", "found"}]}; for evidence of a simulated TEE also
// "development": "no hardware protection". Names and values are interface.
JsonValue to_json(const Appraisal& appraisal);

constexpr std::string_view kNoProtection = "no hardware protection";

}  // namespace cloister::evidence
