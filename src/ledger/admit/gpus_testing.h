// GPUs of a test hierarchy, as a machine that has them would collect them.
#pragma once

#include "evidence/bundle/cmw.h"
#include "evidence/nvidia/scenario_testing.h"

namespace cloister::ledger {

// A GPU of its own, under manifests that all share.
evidence::nvidia::Scenario another_gpu(uint8_t number);

// What they answer to `nonce`, with their certificates.
evidence::bundle::Bundle collected(std::vector<evidence::nvidia::Scenario> gpus,
                                   const Hash32& nonce);

}  // namespace cloister::ledger
