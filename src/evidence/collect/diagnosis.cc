#include "evidence/collect/diagnosis.h"

#include <unistd.h>

#include <cerrno>

namespace cloister::evidence::collect {
namespace {

Health health_of(CollectError error) {
  return error == CollectError::not_available ? Health::absent : Health::problem;
}

std::string guest_advice(CollectError error) {
  switch (error) {
    case CollectError::not_available:
      return "Start this machine as an Intel TDX or AMD SEV-SNP guest, with Linux 6.7 or later.";
    case CollectError::no_permission:
      return "Run as root, or give this user the folder /sys/kernel/config/tsm/report.";
    case CollectError::busy:
      return "Find the process that keeps asking for reports, and try again.";
    case CollectError::refused:
      return "See the kernel's log; on TDX the host's quote generation service must run.";
    case CollectError::bad_answer:
      return "Update the kernel; if it stays so, report it with `uname -r`.";
  }
  std::abort();
}

Finding guest_finding(const GuestInterfaces& interfaces) {
  const auto got = guest_evidence(ReportData{}, interfaces);
  if (!got) {
    return {"confidential guest", health_of(got.error().error), got.error().detail,
            guest_advice(got.error().error)};
  }
  return {"confidential guest", Health::works,
          std::string(name(got->evidence.format)) + " of " +
              std::to_string(got->evidence.bytes.size()) + " bytes",
          ""};
}

std::string gpu_advice(const CollectFault& fault) {
  switch (fault.error) {
    case CollectError::not_available:
      return "For confidential GPUs install NVIDIA's driver, 535 or later.";
    case CollectError::no_permission:
      return "Run as root: NVML gives reports to nobody else.";
    default:
      return "See the driver's log: nvidia-smi conf-compute -f and dmesg.";
  }
}

Finding gpu_finding(const std::string& library) {
  constexpr const char* kSubject = "NVIDIA GPUs";
  const auto state = gpu_state(library.c_str());
  if (!state) {
    return {kSubject, health_of(state.error().error), state.error().detail,
            gpu_advice(state.error())};
  }
  const std::string count = std::to_string(state->count) + " GPUs";
  if (state->count == 0) return {kSubject, Health::absent, "none", ""};
  if (!state->confidential) {
    return {
        kSubject, Health::problem, count + ", confidential computing is off",
        "Switch it on at the host (nvtrust, gpu-admin-tools --set-cc-mode=on) and start again."};
  }
  if (state->developer_tools) {
    return {kSubject, Health::problem, count + ", in developer mode: open for debuggers",
            "Set the mode to on, not devtools: it protects nothing."};
  }
  const auto reports = gpu_evidence(Fixed<32>{}, library.c_str());
  if (!reports)
    return {kSubject, Health::problem, reports.error().detail, gpu_advice(reports.error())};
  return {kSubject, Health::works, count + ", each gives a report", ""};
}

Finding tpm_finding(const std::filesystem::path& device) {
  constexpr const char* kSubject = "TPM";
  if (::access(device.c_str(), F_OK) != 0) {
    return {kSubject, Health::absent, device.string() + " is not there", ""};
  }
  if (::access(device.c_str(), R_OK | W_OK) != 0) {
    return {kSubject, Health::problem, device.string() + " may not be used by this process",
            "Run as root, or add this user to the group tss."};
  }
  return {kSubject, Health::works,
          device.string() + " is there; cloister collect --tpm-nonce quotes it", ""};
}

}  // namespace

Diagnosis diagnose(const DiagnosisOptions& options) {
  Diagnosis out;
  out.findings = {guest_finding(options.guest), gpu_finding(options.nvml),
                  tpm_finding(options.tpm)};
  out.attests = out.findings.front().health == Health::works;
  return out;
}

}  // namespace cloister::evidence::collect
