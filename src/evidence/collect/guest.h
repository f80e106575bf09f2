// The guest's own evidence by whatever interface its kernel has.
#pragma once

#include "evidence/collect/guest_device.h"
#include "evidence/collect/quote_generation.h"
#include "evidence/collect/tsm_report.h"

namespace cloister::evidence::collect {

// Everything that a machine may offer; tests replace it.
struct GuestInterfaces {
  std::filesystem::path reports = kTsmReports;
  TsmFiles files = TsmFiles::of_system();
  DeviceCall device = call_device;
  QgsTransport quote_generation = qgs_over_vsock();
};

// configfs-tsm, else /dev/sev-guest, else /dev/tdx_guest with the quote generation service. The
// next is asked only when one is not there: an interface that is there and refuses is the answer.
Collected<GuestEvidence> guest_evidence(const ReportData& report_data,
                                        const GuestInterfaces& interfaces = {});

}  // namespace cloister::evidence::collect
