// What a device measured against what NVIDIA's reference manifests say that it may.
#pragma once

#include "evidence/nvidia/report.h"
#include "evidence/rim/rim.h"

namespace cloister::evidence::nvidia {

enum class Component : uint8_t { driver, vbios };  // `vbios` also stands for a switch's BIOS
std::string_view name(Component component);        // "driver", "vbios"

// What of the collateral may be about one component of a device.
struct ManifestChoice {
  std::optional<size_t> place;  // among the manifests: the newest by signer of version and chip
  bool any = false;             // some manifest of this component was supplied
};
struct ManifestSubject {
  Component component{};
  std::string version;  // as the device reports it
  std::string product;  // "GH100", "LS10"
  std::string edition;  // "GPU", "SWITCH"
};
// Manifests do not say which component they are for, but versions tell: a BIOS's has five groups of
// two hexadecimal digits.
ManifestChoice choose_manifest(const ManifestSubject& subject,
                               std::span<const rim::RimHeader> manifests);

// Every active golden of every manifest has a measurement that equals one of its alternatives:
// RIM index i stands for SPDM block i + 1. The manifests' active indices are disjoint. Index 35 is
// NVDEC0, left out only when the device says that it is off. `measurement_mismatch` otherwise, and
// when a manifest compares nothing. Returns how many were compared.
Result<size_t> compare(const Report& report, std::span<const rim::VerifiedRim* const> manifests);

}  // namespace cloister::evidence::nvidia
