// What this machine can attest, and what stands in the way.
#pragma once

#include "evidence/collect/guest.h"
#include "evidence/collect/nvml.h"

namespace cloister::evidence::collect {

enum class Health : uint8_t {
  works,    // evidence came
  absent,   // the machine has none of this; no fault by itself
  problem,  // it has, and something must be mended
};

struct Finding {
  std::string subject;  // "confidential guest", "NVIDIA GPUs", "TPM"
  Health health{};
  std::string found;
  std::string to_do;  // empty when there is nothing to do
};

struct Diagnosis {
  std::vector<Finding> findings;
  bool attests = false;  // the guest itself gave hardware evidence
};

struct DiagnosisOptions {
  GuestInterfaces guest;
  std::string nvml = kNvmlLibrary;
  std::filesystem::path tpm = "/dev/tpmrm0";
};

// Asks for real evidence (with report data and nonce of zeros) and throws it away.
Diagnosis diagnose(const DiagnosisOptions& options = {});

}  // namespace cloister::evidence::collect
