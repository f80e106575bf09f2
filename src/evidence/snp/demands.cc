#include "evidence/snp/demands.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace cloister::evidence::snp {
namespace {

using Unmet = std::optional<std::string>;

Unmet check_bits(std::string_view word, uint64_t found, const SnpDemands::Bits& wanted) {
  if (const uint64_t missing = wanted.set & ~found; missing != 0) {
    return fmt::format("{}: bits 0x{:x} are clear", word, missing);
  }
  if (const uint64_t present = wanted.clear & found; present != 0) {
    return fmt::format("{}: bits 0x{:x} are set", word, present);
  }
  return std::nullopt;
}

// Reports before version 5 say nothing of mitigations, so they meet no demand for one.
Unmet check_mitigations(const SnpDemands& demands, const Report& report) {
  const uint64_t held =
      report.version < 5 ? 0 : report.launch_mitigations & report.current_mitigations;
  return check_bits("mitigations", held, {.set = demands.mitigations, .clear = 0});
}

// POLICY[15:8] and [7:0]: the least ABI that the guest's owner demanded of the firmware.
Unmet check_abi(const SnpDemands& demands, const Report& report) {
  const auto abi = static_cast<uint16_t>(report.policy & 0xFFFF);
  if (abi >= demands.min_abi) return std::nullopt;
  return fmt::format("ABI {}.{}", abi >> 8, abi & 0xFF);
}

Unmet check_firmware(const SnpDemands& demands, const Report& report) {
  const FirmwareVersion& v = report.committed_firmware;
  const Fixed<3> committed = {v.major, v.minor, v.build};
  if (committed >= demands.min_committed_firmware) return std::nullopt;
  return fmt::format("committed firmware {}.{}.{}", v.major, v.minor, v.build);
}

template <typename T, typename U>
bool listed(const std::vector<T>& allowed, const U& found) {
  return allowed.empty() || std::ranges::find(allowed, found) != allowed.end();
}

Unmet check_keys(const SnpDemands& demands, const Report& report) {
  if (!listed(demands.id_key_digests, report.id_key_digest)) {
    return "id key " + to_hex(report.id_key_digest);
  }
  if (demands.author_key_digests.empty()) return std::nullopt;
  if (!report.author_key_enabled || !listed(demands.author_key_digests, report.author_key_digest)) {
    return "author key " + to_hex(report.author_key_digest);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unmet(const SnpDemands& demands, const Report& report,
                                 const std::string& cloud_provider) {
  const auto first = [](std::initializer_list<Unmet> all) {
    const auto* found =
        std::ranges::find_if(all, [](const Unmet& each) { return each.has_value(); });
    return found == all.end() ? std::nullopt : *found;
  };
  Unmet vmpl, cloud;
  if (demands.max_vmpl && report.vmpl > *demands.max_vmpl) {
    vmpl = "VMPL " + std::to_string(report.vmpl);
  }
  if (report.signing_key == SigningKey::vlek && !listed(demands.cloud_providers, cloud_provider)) {
    cloud = "cloud " + cloud_provider;
  }
  return first({check_bits("policy", report.policy, demands.policy),
                check_bits("platform", report.platform_info, demands.platform),
                check_mitigations(demands, report), check_abi(demands, report), vmpl, cloud,
                check_firmware(demands, report), check_keys(demands, report)});
}

}  // namespace cloister::evidence::snp
