// The authentic content of a TDX quote as named values, for reports and for comparison with
// vectors.
#pragma once

#include "evidence/dcap/gather.h"

namespace cloister::evidence::dcap {

// Lower-case hex in the byte order of the evidence. The PPID and the platform instance id name the
// operator's machine and are left out.
JsonValue claims_of(const Inputs& inputs, PckCa ca);

}  // namespace cloister::evidence::dcap
