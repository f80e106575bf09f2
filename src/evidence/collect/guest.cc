#include "evidence/collect/guest.h"

namespace cloister::evidence::collect {
namespace {

template <typename T>
bool absent(const Collected<T>& got) {
  return !got && got.error().error == CollectError::not_available;
}

}  // namespace

Collected<GuestEvidence> guest_evidence(const ReportData& report_data,
                                        const GuestInterfaces& interfaces) {
  auto report = tsm_report(report_data, interfaces.reports, interfaces.files);
  if (!absent(report)) return report;
  report = sev_guest_report(report_data, interfaces.device);
  if (!absent(report)) return report;
  const auto td_report = tdx_guest_report(report_data, interfaces.device);
  if (absent(td_report)) {
    return fault(CollectError::not_available,
                 "neither configfs-tsm nor /dev/sev-guest nor /dev/tdx_guest");
  }
  if (!td_report) return std::unexpected(td_report.error());
  return quote_of(*td_report, interfaces.quote_generation);
}

}  // namespace cloister::evidence::collect
