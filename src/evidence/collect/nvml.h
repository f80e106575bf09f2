// Evidence of this machine's NVIDIA GPUs through the driver's library, NVML, found at run time: no
// build needs the driver.
#pragma once

#include "evidence/collect/collect.h"

namespace cloister::evidence::collect {

struct GpuEvidence {
  Evidence evidence;
  Buffer device_chain;  // PEM, leaf first
};

struct GpuState {
  size_t count = 0;
  bool confidential = false;     // confidential computing is on
  bool developer_tools = false;  // on, and open for debuggers: protects nothing
};

constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";

// Every GPU of the machine, in the driver's order, or the first fault: a GPU is never left out.
Collected<std::vector<GpuEvidence>> gpu_evidence(const Fixed<32>& nonce,
                                                 const char* library = kNvmlLibrary);
Collected<GpuState> gpu_state(const char* library = kNvmlLibrary);

}  // namespace cloister::evidence::collect
