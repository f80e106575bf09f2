#include "evidence/collect/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <memory>

namespace cloister::evidence::collect {
namespace {

// NVML's interface as nvml.h declares it.
using Device = struct NvmlDeviceHandle*;
struct AttestationReport {
  unsigned cec_present;
  unsigned size;
  unsigned cec_size;
  unsigned char nonce[0x20];
  unsigned char report[0x2000];
  unsigned char cec_report[0x1000];
};
struct GpuCertificate {
  unsigned chain_size;
  unsigned attestation_chain_size;
  unsigned char chain[0x1000];
  unsigned char attestation_chain[0x1400];
};
struct SystemState {
  unsigned environment, cc_feature, developer_tools;
};
constexpr int kSuccess = 0, kNotSupported = 3, kNoPermission = 4;

class Nvml {
 public:
  static Collected<std::unique_ptr<Nvml>> open(const char* path) {
    auto out = std::make_unique<Nvml>();
    out->library_.reset(::dlopen(path, RTLD_NOW | RTLD_LOCAL));
    if (!out->library_) return fault(CollectError::not_available, "no library of NVIDIA's driver");
    const bool complete = out->find(out->init, "nvmlInit_v2") &&
                          out->find(out->shutdown, "nvmlShutdown") &&
                          out->find(out->device_count, "nvmlDeviceGetCount_v2") &&
                          out->find(out->device_handle, "nvmlDeviceGetHandleByIndex_v2") &&
                          out->find(out->report, "nvmlDeviceGetConfComputeGpuAttestationReport") &&
                          out->find(out->certificate, "nvmlDeviceGetConfComputeGpuCertificate") &&
                          out->find(out->state, "nvmlSystemGetConfComputeState");
    if (!complete) {
      return fault(CollectError::not_available, "a driver without confidential computing");
    }
    if (const int failed = out->init(); failed != kSuccess) return failure("nvmlInit_v2", failed);
    out->initialised_ = true;
    return out;
  }
  ~Nvml() {
    if (initialised_) shutdown();
  }
  Nvml() = default;
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  static std::unexpected<CollectFault> failure(const char* call, int code) {
    const CollectError error = code == kNotSupported   ? CollectError::not_available
                               : code == kNoPermission ? CollectError::no_permission
                                                       : CollectError::refused;
    return fault(error, std::string(call) + ": NVML code " + std::to_string(code));
  }

  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*device_count)(unsigned*) = nullptr;
  int (*device_handle)(unsigned, Device*) = nullptr;
  int (*report)(Device, AttestationReport*) = nullptr;
  int (*certificate)(Device, GpuCertificate*) = nullptr;
  int (*state)(SystemState*) = nullptr;

 private:
  struct Close {
    void operator()(void* library) const { ::dlclose(library); }
  };
  template <typename Function>
  bool find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library_.get(), name));
    return function != nullptr;
  }

  std::unique_ptr<void, Close> library_;
  bool initialised_ = false;
};

Collected<size_t> count_of(const Nvml& nvml) {
  unsigned count = 0;
  if (const int failed = nvml.device_count(&count); failed != kSuccess) {
    return Nvml::failure("nvmlDeviceGetCount_v2", failed);
  }
  return count;
}

// The buffers are larger than what they hold; only the size counts.
Collected<GpuEvidence> evidence_of(const Nvml& nvml, unsigned index, const Fixed<32>& nonce) {
  Device device = nullptr;
  if (const int failed = nvml.device_handle(index, &device); failed != kSuccess) {
    return Nvml::failure("nvmlDeviceGetHandleByIndex_v2", failed);
  }
  const auto report = std::make_unique<AttestationReport>();
  std::ranges::copy(nonce, report->nonce);
  if (const int failed = nvml.report(device, report.get()); failed != kSuccess) {
    return Nvml::failure("nvmlDeviceGetConfComputeGpuAttestationReport", failed);
  }
  const auto certificate = std::make_unique<GpuCertificate>();
  if (const int failed = nvml.certificate(device, certificate.get()); failed != kSuccess) {
    return Nvml::failure("nvmlDeviceGetConfComputeGpuCertificate", failed);
  }
  if (report->size == 0 || report->size > sizeof report->report ||
      certificate->attestation_chain_size == 0 ||
      certificate->attestation_chain_size > sizeof certificate->attestation_chain) {
    return fault(CollectError::bad_answer, "GPU " + std::to_string(index) + ": a size");
  }
  const Bytes chain(certificate->attestation_chain, certificate->attestation_chain_size);
  return GpuEvidence{{Format::nvidia_gpu, Buffer(report->report, report->report + report->size)},
                     to_buffer(chain)};
}

}  // namespace

Collected<std::vector<GpuEvidence>> gpu_evidence(const Fixed<32>& nonce, const char* library) {
  const auto nvml = Nvml::open(library);
  if (!nvml) return std::unexpected(nvml.error());
  const auto count = count_of(**nvml);
  if (!count) return std::unexpected(count.error());
  std::vector<GpuEvidence> out;
  for (unsigned i = 0; i < *count; ++i) {
    auto one = evidence_of(**nvml, i, nonce);
    if (!one) return std::unexpected(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

Collected<GpuState> gpu_state(const char* library) {
  const auto nvml = Nvml::open(library);
  if (!nvml) return std::unexpected(nvml.error());
  const auto count = count_of(**nvml);
  if (!count) return std::unexpected(count.error());
  SystemState state{};
  if (const int failed = (*nvml)->state(&state); failed != kSuccess) {
    return Nvml::failure("nvmlSystemGetConfComputeState", failed);
  }
  return GpuState{*count, state.cc_feature != 0, state.developer_tools != 0};
}

}  // namespace cloister::evidence::collect
