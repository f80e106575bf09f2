// A device's answer to GET_MEASUREMENTS (DMTF DSP0274, SPDM 1.1, 10.11), with the request before
// it: both are what the device signs.
#pragma once

#include "evidence/nvidia/opaque.h"

namespace cloister::evidence::nvidia {

constexpr size_t kMeasurementBytes = 48;  // SHA-384

struct Report {
  Fixed<32> nonce{};            // of the request: the verifier's
  Fixed<32> responder_nonce{};  // the device's own; never a challenge of ours
  std::vector<Fixed<kMeasurementBytes>> measurements;  // SPDM index 1 first
  Opaque opaque;
  Bytes signed_bytes;  // a view of the input; SPDM 1.1 puts no context before it
  Bytes signature_rs;
};

// The signature is found by the lengths, never from the end. `malformed`: another code, measurement
// indices other than 1 to n, a length that disagrees, bytes after the end. `unsupported`: another
// version of SPDM. Else see parse_opaque.
Result<Report> parse_report(DeviceKind kind, Bytes bytes);

}  // namespace cloister::evidence::nvidia
