// The devices of guests whose kernel has no configfs-tsm: /dev/sev-guest (linux/sev-guest.h), and
// /dev/tdx_guest (linux/tdx-guest.h) with Intel's quote generation service over vsock.
#pragma once

#include <functional>

#include "evidence/collect/collect.h"

namespace cloister::evidence::collect {

// Opens `path` and makes one ioctl on it. Returns 0 or an errno value.
using DeviceCall = std::function<int(const char* path, unsigned long request, void* argument)>;
int call_device(const char* path, unsigned long request, void* argument);

constexpr const char* kSevGuest = "/dev/sev-guest";
constexpr const char* kTdxGuest = "/dev/tdx_guest";

// SNP_GET_REPORT at VMPL 0. `refused` says the firmware's status when it is the firmware that
// refuses.
Collected<GuestEvidence> sev_guest_report(const ReportData& report_data,
                                          const DeviceCall& call = call_device);

// TDX_CMD_GET_REPORT0: the 1024 bytes of a TDREPORT, which only this machine can check. A quote of
// it is made by the host: see quote_generation.h.
Collected<Buffer> tdx_guest_report(const ReportData& report_data,
                                   const DeviceCall& call = call_device);

}  // namespace cloister::evidence::collect
