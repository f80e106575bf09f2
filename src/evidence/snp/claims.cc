#include "evidence/snp/claims.h"

#include <fmt/core.h>

#include "base/text.h"

namespace cloister::evidence::snp {
namespace {

std::string flags(uint64_t word) {
  return fmt::format("0x{:x}", word);
}

std::string text_of(const FirmwareVersion& v) {
  return fmt::format("{}.{}.{}", v.major, v.minor, v.build);
}

}  // namespace

JsonValue claims_of(const Report& report, const VekExtensions& vek) {
  JsonValue out = JsonValue::object({
      {"version", report.version},
      {"product", name(vek.product)},
      {"signing_key", name(report.signing_key)},
      {"guest_svn", report.guest_svn},
      {"policy", flags(report.policy)},
      {"vmpl", report.vmpl},
      {"measurement", to_hex(report.measurement)},
      {"host_data", to_hex(report.host_data)},
      {"report_data", to_hex(report.report_data)},
      {"family_id", to_hex(report.family_id)},
      {"image_id", to_hex(report.image_id)},
      {"id_key_digest", to_hex(report.id_key_digest)},
      {"author_key_enabled", report.author_key_enabled},
      {"author_key_digest", to_hex(report.author_key_digest)},
      {"report_id", to_hex(report.report_id)},
      {"report_id_ma", to_hex(report.report_id_of_migration_agent)},
      {"chip_id", to_hex(report.chip_id)},
      {"platform_info", flags(report.platform_info)},
      {"reported_tcb", to_hex(report.reported_tcb)},
      {"current_tcb", to_hex(report.current_tcb)},
      {"committed_tcb", to_hex(report.committed_tcb)},
      {"launch_tcb", to_hex(report.launch_tcb)},
      {"current_firmware", text_of(report.current_firmware)},
      {"committed_firmware", text_of(report.committed_firmware)},
  });
  if (report.cpuid) {
    const Cpuid& c = *report.cpuid;
    out.set("cpuid", fmt::format("{:02x}-{:02x}-{:02x}", c.family, c.model, c.stepping));
  }
  if (report.signing_key == SigningKey::vlek) out.set("csp_id", vek.cloud_provider);
  if (report.version >= 5) {
    out.set("launch_mitigations", flags(report.launch_mitigations));
    out.set("current_mitigations", flags(report.current_mitigations));
  }
  return out;
}

}  // namespace cloister::evidence::snp
