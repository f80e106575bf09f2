// The opaque data of NVIDIA's measurements: what the device says of itself, as type, length, value
// (u16, u16, bytes; little-endian). It is part of what the device signs.
#pragma once

#include <map>

#include "evidence/common/fault.h"

namespace cloister::evidence::nvidia {

enum class DeviceKind : uint8_t { gpu, nvswitch };

enum class FeatureFlag : uint8_t { spt = 0, mpt = 1, ppcie = 2 };
std::string_view name(FeatureFlag flag);  // "SPT": one GPU passed through; "MPT": several; "PPCIE"

constexpr size_t kMaxOpaqueBytes = 4096;
constexpr size_t kMaxOpaqueFields = 64;
constexpr uint16_t kKnownOpaqueVersion = 1;

using Pdi = Fixed<8>;  // what a device on the NVLink fabric is called, as its certificate prints it

struct Opaque {
  std::string driver_version;  // "550.90.07"; empty for a switch
  std::string vbios_version;   // "96.00.9F.00.01", for a switch that of its BIOS
  // What reference manifests are filed under, where the device says it.
  std::string project, project_sku, chip_sku;
  std::optional<bool> nvdec0_on;  // NVDEC0 is measured only when it is on
  std::optional<Fixed<48>> fwid;  // of the first mutable firmware
  std::optional<bool> protected_pcie_on;
  std::optional<FeatureFlag> feature_flag;
  std::vector<Pdi> switches;  // GPU: of the switches at its links, each once
  std::optional<Pdi> pdi;     // switch: its own
  std::vector<Pdi> gpus;      // switch: of the GPUs that it connects, each once
};

// `malformed`: a field twice, one that overruns or has not its length, bytes after the last, no
// driver or VBIOS version for a GPU, no BIOS version for a switch, a flag that is neither on nor
// off. `unsupported`: an opaque version or feature flag that is not known.
Result<Opaque> parse_opaque(DeviceKind kind, Bytes bytes);

}  // namespace cloister::evidence::nvidia
