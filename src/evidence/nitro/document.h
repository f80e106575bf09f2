// The attestation document of AWS Nitro Enclaves (AWS Nitro Enclaves NSM API, "Attestation document
// specification"), inside its COSE_Sign1.
#pragma once

#include "evidence/cose/sign1.h"

namespace cloister::evidence::nitro {

constexpr size_t kMaxPcrs = 32;
constexpr size_t kMaxCaBundle = 8;
constexpr size_t kMaxCertificateBytes = 1024;
constexpr size_t kMaxPublicKeyBytes = 1024;
constexpr size_t kMaxUserDataBytes = 512;
constexpr size_t kMaxNonceBytes = 512;
constexpr size_t kMaxModuleIdBytes = 128;

struct Document {
  cose::Sign1 message;  // views of the evidence
  std::string module_id;
  uint64_t timestamp_ms;  // by the hypervisor's clock
  std::map<uint8_t, Buffer> pcrs;
  crypto::Certificate leaf;
  std::vector<crypto::Certificate> cabundle;  // root first
  std::optional<Buffer> public_key, user_data, nonce;
};

// `malformed`: another shape, an absent, unknown or repeated field, a length out of its bounds, a
// certificate that does not parse. `unsupported`: another signature algorithm or digest.
Result<Document> parse_document(Bytes bytes);

}  // namespace cloister::evidence::nitro
