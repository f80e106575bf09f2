#include "policy/local.h"

#include <algorithm>

namespace cloister::policy {

LayeredRules tightened(const LayeredRules& outer, const LocalPolicy& local) {
  Rules inner = outer.merged;  // silence agrees
  if (local.accepted_statuses) inner.accepted_statuses = *local.accepted_statuses;
  inner.min_tcb_evaluation_number = local.min_tcb_evaluation_number;
  inner.denied_advisories = local.denied_advisories;
  inner.distrusted_products = local.distrusted_products;
  inner.denied_measurements = local.denied_measurements;
  inner.paused_formats = local.refused_formats;
  if (local.accepted_measurements) {
    std::erase_if(inner.releases, [&](const Release& release) {
      if (is_device(release.format)) return false;  // no program of the network's
      const auto& accepted = *local.accepted_measurements;
      return std::ranges::find(accepted, release.measurement) == accepted.end();
    });
  }
  inner.allow_development = !local.refuse_development;
  return strictest(outer, inner, Layer::local);
}

}  // namespace cloister::policy
