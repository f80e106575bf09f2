// The user's rules in a file, `policy.toml`:
//
//   accepted_statuses = ["UpToDate"]           # of those that the ledger accepts
//   min_tcb_evaluation_number = 17
//   denied_advisories = ["INTEL-SA-00837"]
//   distrusted_products = ["Milan"]
//   accepted_measurements = ["hex"]            # of the ledger's releases, only these
//   denied_measurements = ["hex"]
//   refused_formats = ["snp-report"]
//   refuse_development = true                  # no simulated hardware
//
// Every key may be left out: then the ledger's rule stands. None can allow what the ledger refuses.
#pragma once

#include <expected>
#include <filesystem>

#include "policy/local.h"

namespace cloister::cli {

std::expected<policy::LocalPolicy, std::string> read_local_policy(
    const std::filesystem::path& path);

}  // namespace cloister::cli
