// The user's own rules: a fourth layer, which can only take away.
#pragma once

#include "policy/policy.h"

namespace cloister::policy {

// What is left empty demands nothing beyond the ledger's rules.
struct LocalPolicy {
  std::optional<std::vector<evidence::TcbStatus>> accepted_statuses;
  uint64_t min_tcb_evaluation_number = 0;
  std::vector<std::string> denied_advisories;
  std::vector<std::string> distrusted_products;
  std::vector<Buffer> denied_measurements;
  std::optional<std::vector<Buffer>> accepted_measurements;  // of the ledger's releases, only these
  std::vector<evidence::Format> refused_formats;
  bool refuse_development = false;
};

// `outer` with the user's rules taken from it. Whatever `outer` refuses stays refused.
LayeredRules tightened(const LayeredRules& outer, const LocalPolicy& local);

}  // namespace cloister::policy
