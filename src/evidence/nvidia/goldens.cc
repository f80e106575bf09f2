#include "evidence/nvidia/goldens.h"

#include <algorithm>
#include <set>

namespace cloister::evidence::nvidia {
namespace {

constexpr uint32_t kNvdec0Index = 35;

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
