#include "embed/requirements.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace cloister::embed {
namespace {

using evidence::VerifyPolicy;

// Decimal, or hexadecimal after "0x"; at most `max`.
std::optional<uint64_t> number(std::string_view text, uint64_t max = UINT64_MAX) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, value, hex ? 16 : 10);
  const bool good = fault == std::errc() && at == end && !text.empty() && value <= max;
  return good ? std::optional(value) : std::nullopt;
}

// "1.55" or "1.55.30": exactly N numbers below 256.
template <size_t N>
std::optional<Fixed<N>> dotted(std::string_view text) {
  Fixed<N> out{};
  for (size_t i = 0; i < N; ++i) {
    const size_t dot = i + 1 == N ? text.size() : text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto value = number(text.substr(0, dot), UINT8_MAX);
    if (!value) return std::nullopt;
    out[i] = static_cast<uint8_t>(*value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out;
}

// Stores what was read, if something was.
template <typename To, typename From>
bool store(To& to, const std::optional<From>& from) {
  if (from) to = static_cast<To>(*from);
  return from.has_value();
}
template <typename Item>
bool append(std::vector<Item>& to, const std::optional<Item>& from) {
  if (from) to.push_back(*from);
  return from.has_value();
}

using Value = std::string_view;
struct Requirement {
  std::string_view name;
  bool (*apply)(VerifyPolicy&, Value);
};
constexpr Requirement kRequirements[] = {
    {"min_tcb_evaluation_number",
     [](VerifyPolicy& p, Value v) { return store(p.min_tcb_evaluation_number, number(v)); }},
    {"max_nitro_age_s",
     [](VerifyPolicy& p, Value v) {
       p.max_nitro_age_s = number(v);
       return p.max_nitro_age_s.has_value();
     }},
    {"distrusted_product",
     [](VerifyPolicy& p, Value v) {
       return append(p.distrusted_products, std::optional<std::string>(v));
     }},
    {"denied_advisory",
     [](VerifyPolicy& p, Value v) {
       return append(p.denied_advisories, std::optional<std::string>(v));
     }},
    {"min_nvidia_driver",
     [](VerifyPolicy& p, Value v) {
       p.min_nvidia_driver = v;
       return true;
     }},
    {"min_nvidia_vbios",
     [](VerifyPolicy& p, Value v) {
       p.min_nvidia_vbios = v;
       return true;
     }},
    {"snp_policy_set", [](VerifyPolicy& p, Value v) { return store(p.snp.policy.set, number(v)); }},
    {"snp_policy_clear",
     [](VerifyPolicy& p, Value v) { return store(p.snp.policy.clear, number(v)); }},
    {"snp_platform_set",
     [](VerifyPolicy& p, Value v) { return store(p.snp.platform.set, number(v)); }},
    {"snp_platform_clear",
     [](VerifyPolicy& p, Value v) { return store(p.snp.platform.clear, number(v)); }},
    {"snp_mitigations",
     [](VerifyPolicy& p, Value v) { return store(p.snp.mitigations, number(v)); }},
    {"snp_max_vmpl",
     [](VerifyPolicy& p, Value v) {
       const auto level = number(v, 3);
       if (level) p.snp.max_vmpl = static_cast<uint32_t>(*level);
       return level.has_value();
     }},
    {"snp_min_abi",
     [](VerifyPolicy& p, Value v) {
       const auto abi = dotted<2>(v);
       if (abi) p.snp.min_abi = static_cast<uint16_t>((*abi)[0] << 8 | (*abi)[1]);
       return abi.has_value();
     }},
    {"snp_min_committed_firmware",
     [](VerifyPolicy& p, Value v) { return store(p.snp.min_committed_firmware, dotted<3>(v)); }},
    {"snp_cloud_provider",
     [](VerifyPolicy& p, Value v) {
       return append(p.snp.cloud_providers, std::optional<std::string>(v));
     }},
    {"snp_id_key_digest",
     [](VerifyPolicy& p, Value v) { return append(p.snp.id_key_digests, fixed_from_hex<48>(v)); }},
    {"snp_author_key_digest",
     [](VerifyPolicy& p, Value v) {
       return append(p.snp.author_key_digests, fixed_from_hex<48>(v));
     }},
};

}  // namespace

bool require(VerifyPolicy& policy, std::string_view requirement, std::string_view value) {
  const auto* found = std::ranges::find(kRequirements, requirement, &Requirement::name);
  if (found == std::end(kRequirements) || value.empty()) return false;
  VerifyPolicy changed = policy;
  if (!found->apply(changed, value)) return false;
  policy = std::move(changed);
  return true;
}

}  // namespace cloister::embed
