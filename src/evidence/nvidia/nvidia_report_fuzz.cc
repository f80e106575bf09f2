// A report that parses accounts for every byte, and parses to nothing when it is cut.
#include <cstdlib>

#include "evidence/nvidia/report.h"

using namespace cloister;
using namespace cloister::evidence::nvidia;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  for (const DeviceKind kind : {DeviceKind::gpu, DeviceKind::nvswitch}) {
    const auto report = parse_report(kind, bytes);
    if (!report) continue;
    if (report->signed_bytes.size() + report->signature_rs.size() != size) abort();
    if (report->measurements.empty() || report->opaque.vbios_version.empty()) abort();
    if (parse_report(kind, bytes.first(size - 1))) abort();
  }
  return 0;
}
