// ATT_REQUEST: a ClientCertificateRequest (RFC 9261, section 4) that asks for evidence. Pure.
//
//   u8 17 ‖ u24 length ‖ u8 32 ‖ context[32] ‖ u16 length ‖ extensions, exactly these, in this
//   order:
//     13      signature_algorithms: ecdsa_secp256r1_sha256
//     0xFF35  cmw_attestation: empty
//     0xFF36  atls_params: u8 version ‖ u8 mode ‖ instance_id[32] ‖ policy_hash[32] ‖ u32 max_age_s
//             ‖ u8 count ‖ count × (u8 length ‖ media type)
#pragma once

#include "channel/atls/error.h"
#include "evidence/common/evidence.h"

namespace cloister::atls {

constexpr size_t kMaxRequestBytes = 2048;
constexpr uint8_t kProtocolVersion = 1;

using RequestContext = Fixed<32>;

enum class Mode : uint8_t {
  full_evidence = 1,
  key_proof_only = 2,  // known to the format; no server here offers it
};

struct AttestationRequest {
  RequestContext context{};  // random, unique on the connection
  Mode mode = Mode::full_evidence;
  Hash32 instance_id{};  // whom the client means to reach
  Hash32 policy_hash{};  // under which policy it will judge
  uint32_t max_age_s = 0;
  std::vector<evidence::Format> formats;  // acceptable ones, ascending, at least one
  bool operator==(const AttestationRequest&) const = default;
};

Buffer encode_request(const AttestationRequest& request);
Result<AttestationRequest> decode_request(Bytes bytes);

}  // namespace cloister::atls
