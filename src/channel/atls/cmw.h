// Evidence on its way: a CMW collection (RFC 9999) in deterministic CBOR. Pure.
//
//   {0: [claims media type, claims bytes], 1: [media type, evidence bytes], 2: …}
//
// Labels rise without gaps. The claims' bytes stay as they came, for they are hashed.
#pragma once

#include "channel/atls/error.h"
#include "evidence/common/evidence.h"

namespace cloister::atls {

constexpr size_t kMaxEvidenceItems = 4;
constexpr size_t kMaxClaimsBytes = 4096;
// What fits into the one extension of a Certificate entry: 2^16 - 1 less its two length fields.
constexpr size_t kMaxCmwBytes = 65535 - 6;

constexpr std::string_view kClaimsMediaType = "application/vnd.cloister.claims+cbor";

struct Attestation {
  Buffer claims;
  std::vector<evidence::Evidence> evidence;
};

// Nothing when it does not fit.
std::optional<Buffer> encode_cmw(const Attestation& attestation);
// evidence_absent when well-formed but without evidence, else evidence_malformed.
Result<Attestation> decode_cmw(Bytes bytes);

}  // namespace cloister::atls
