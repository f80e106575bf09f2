#include "evidence/collect/guest_device.h"

#include <fcntl.h>
#include <linux/sev-guest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cloister::evidence::collect {
namespace {

constexpr size_t kSnpReportBytes = 1184;
constexpr size_t kTdReportBytes = 1024;

// As linux/tdx-guest.h has it, which not every system installs.
struct TdxReportRequest {
  uint8_t report_data[64];
  uint8_t td_report[kTdReportBytes];
};
constexpr unsigned long kTdxGetReport0 = _IOWR('T', 1, TdxReportRequest);

// AMD 56860, MSG_REPORT_RSP: status, size, 24 reserved bytes, the report.
constexpr size_t kResponseHead = 32;

std::string said(const char* path, int errno_value) {
  return std::string(path) + ": " + std::strerror(errno_value);
}

Collected<Buffer> read_response(Bytes response) {
  ByteReader in(response);
  const auto status = in.u32_le(), size = in.u32_le();
  if (!in.take(kResponseHead - 8)) return fault(CollectError::bad_answer, "a short response");
  if (*status != 0) {
    return fault(CollectError::refused, "the firmware's status is " + std::to_string(*status));
  }
  const auto report = *size == kSnpReportBytes ? in.take(*size) : std::nullopt;
  if (!report) return fault(CollectError::bad_answer, "not a report of 1184 bytes");
  return to_buffer(*report);
}

}  // namespace

int call_device(const char* path, unsigned long request, void* argument) {
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return errno;
  const int failed = ::ioctl(fd, request, argument) == 0 ? 0 : errno;
  ::close(fd);
  return failed;
}

Collected<GuestEvidence> sev_guest_report(const ReportData& report_data, const DeviceCall& call) {
  snp_report_req request{};
  snp_report_resp response{};
  std::memcpy(request.user_data, report_data.data(), report_data.size());
  snp_guest_request_ioctl message{};
  message.msg_version = 1;
  message.req_data = reinterpret_cast<uintptr_t>(&request);
  message.resp_data = reinterpret_cast<uintptr_t>(&response);
  if (const int failed = call(kSevGuest, SNP_GET_REPORT, &message); failed != 0) {
    return fault(error_of(failed), said(kSevGuest, failed));
  }
  auto report = read_response({response.data, sizeof response.data});
  if (!report) return std::unexpected(report.error());
  return GuestEvidence{{Format::snp_report, std::move(*report)}, {}};
}

Collected<Buffer> tdx_guest_report(const ReportData& report_data, const DeviceCall& call) {
  TdxReportRequest request{};
  std::memcpy(request.report_data, report_data.data(), report_data.size());
  if (const int failed = call(kTdxGuest, kTdxGetReport0, &request); failed != 0) {
    return fault(error_of(failed), said(kTdxGuest, failed));
  }
  return Buffer(request.td_report, request.td_report + kTdReportBytes);
}

}  // namespace cloister::evidence::collect
