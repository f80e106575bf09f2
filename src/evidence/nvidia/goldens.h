// What a device measured against what NVIDIA's reference manifests say that it may.
#pragma once

#include "evidence/nvidia/report.h"
#include "evidence/rim/rim.h"

namespace cloister::evidence::nvidia {

// Every active golden of every manifest has a measurement that equals one of its alternatives:
// RIM index i stands for SPDM block i + 1. The manifests' active indices are disjoint. Index 35 is
// NVDEC0, left out only when the device says that it is off. `measurement_mismatch` otherwise, and
// when a manifest compares nothing. Returns how many were compared.
Result<size_t> compare(const Report& report, std::span<const rim::VerifiedRim* const> manifests);

}  // namespace cloister::evidence::nvidia
