// What policy demands of an SNP guest and its platform beyond the strict default.
#pragma once

#include "evidence/snp/report.h"

namespace cloister::evidence::snp {

// The first demand that the report does not meet, in words; nothing when it meets all.
// `cloud_provider`: the CSP id of a VLEK certificate, empty for a VCEK.
std::optional<std::string> unmet(const SnpDemands& demands, const Report& report,
                                 const std::string& cloud_provider);

}  // namespace cloister::evidence::snp
