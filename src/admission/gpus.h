// The GPUs of an instance, and the switches between them, judged as one machine.
#pragma once

#include "admission/admission.h"

namespace cloister::admission {

// `item`: of format nvidia_gpu, a CMW collection of every device's measurements and the device
// certificates (30-channels, section 1). Everything else that judging takes comes from the ledger:
// who sends evidence may not choose among the vendor's manifests and answers. Each device must
// answer `question.gpu_nonce`. More devices than a record holds beside a CPU are `unsupported`,
// more than five certificates a device `malformed`.
//
// Adds one verdict a device, the decisive one last, and sets the refusal. `item` is the last of the
// question, and verdicts on CPUs are there already: anything else is refused as `unsupported`.
void judge_gpus(const ledger::EvidenceItem& item, const Question& question, Judgement& out);

}  // namespace cloister::admission
