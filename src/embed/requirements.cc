#include "embed/requirements.h"

#include <charconv>

namespace cloister::embed {
namespace {

std::optional<uint64_t> decimal(std::string_view text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, value);
  return fault == std::errc() && at == end && !text.empty() ? std::optional(value) : std::nullopt;
}

}  // namespace

bool require(evidence::VerifyPolicy& policy, std::string_view requirement, std::string_view value) {
  if (value.empty()) return false;
  const auto number = decimal(value);
  if (requirement == "min_tcb_evaluation_number" && number) {
    policy.min_tcb_evaluation_number = *number;
  } else if (requirement == "max_nitro_age_s" && number) {
    policy.max_nitro_age_s = number;
  } else if (requirement == "distrusted_product") {
    policy.distrusted_products.emplace_back(value);
  } else if (requirement == "denied_advisory") {
    policy.denied_advisories.emplace_back(value);
  } else if (requirement == "min_nvidia_driver") {
    policy.min_nvidia_driver = value;
  } else if (requirement == "min_nvidia_vbios") {
    policy.min_nvidia_vbios = value;
  } else {
    return false;
  }
  return true;
}

}  // namespace cloister::embed
