#include "evidence/nvidia/goldens.h"

#include <algorithm>
#include <set>

namespace cloister::evidence::nvidia {
namespace {

constexpr uint32_t kNvdec0Index = 35;

bool is_bios_version(std::string_view version) {
  constexpr std::string_view kForm = "xx.xx.xx.xx.xx";
  return std::ranges::equal(version, kForm, [](char c, char form) {
    return form == '.' ? c == '.' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

std::unexpected<Fault> mismatch(std::string what) {
  return refuse(Error::measurement_mismatch, std::move(what));
}

bool matches(const rim::Golden& golden, const Report& report) {
  if (golden.index >= report.measurements.size() || golden.size_bytes != kMeasurementBytes) {
    return false;
  }
  const Bytes measured = report.measurements[golden.index];
  return std::ranges::any_of(golden.alternatives,
                             [&](const Buffer& each) { return equal(each, measured); });
}

Result<size_t> compare_one(const Report& report, const rim::VerifiedRim& manifest,
                           std::set<uint32_t>& seen) {
  size_t compared = 0;
  std::string differing;
  for (const rim::Golden& golden : manifest.goldens()) {
    if (!golden.active) continue;
    if (!seen.insert(golden.index).second) {
      return mismatch("two manifests measure index " + std::to_string(golden.index));
    }
    if (golden.index == kNvdec0Index && report.opaque.nvdec0_on == false) continue;
    ++compared;
    if (!matches(golden, report)) differing += " " + std::to_string(golden.index);
  }
  if (!differing.empty()) return mismatch(manifest.version() + ": index" + differing + " differs");
  if (compared == 0) return mismatch(manifest.version() + " compares nothing");
  return compared;
}

}  // namespace

std::string_view name(Component component) {
  return component == Component::driver ? "driver" : "vbios";
}

ManifestChoice choose_manifest(const ManifestSubject& subject,
                               std::span<const rim::RimHeader> manifests) {
  ManifestChoice out;
  for (size_t i = 0; i < manifests.size(); ++i) {
    const rim::RimHeader& header = manifests[i];
    if (is_bios_version(header.version) != (subject.component == Component::vbios)) continue;
    out.any = true;
    const bool suits = header.version == subject.version && header.product == subject.product &&
                       header.edition == subject.edition;
    const bool newer =
        !out.place || header.signer_not_before > manifests[*out.place].signer_not_before;
    if (suits && newer) out.place = i;
  }
  return out;
}

Result<size_t> compare(const Report& report, std::span<const rim::VerifiedRim* const> manifests) {
  std::set<uint32_t> seen;
  size_t compared = 0;
  for (const rim::VerifiedRim* manifest : manifests) {
    const auto one = compare_one(report, *manifest, seen);
    if (!one) return one;
    compared += *one;
  }
  return compared;
}

}  // namespace cloister::evidence::nvidia
