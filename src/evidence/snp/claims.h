// The claims of an SNP report for reports and for the command line, named as in the vectors.
#pragma once

#include "evidence/snp/chain.h"

namespace cloister::evidence::snp {

// Only of a report whose signature holds: the names promise nothing about checks still to come.
JsonValue claims_of(const Report& report, const VekExtensions& vek);

}  // namespace cloister::evidence::snp
