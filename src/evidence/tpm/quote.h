// A TPM 2.0 quote with the PCR values that it vouches for (TPM 2.0 Library, part 2: 10.12.8
// TPMS_ATTEST, 10.12.1 TPMS_QUOTE_INFO, 11.3.4 TPMT_SIGNATURE), in an envelope of JSON:
//   {"message": hex of TPMS_ATTEST, "signature": hex, "pcrs": [hex of each selected PCR, by index]}
#pragma once

#include "crypto/hash.h"
#include "crypto/public_key.h"
#include "evidence/common/fault.h"

namespace cloister::evidence::tpm {

constexpr size_t kPcrCount = 24;  // of a PC client's TPM
constexpr size_t kMaxMessageBytes = 1024;
constexpr size_t kMaxSignatureBytes = 1024;
constexpr size_t kMaxNonceBytes = 64;  // TPM2B_DATA holds a digest at most

struct Signature {
  // Nothing when the bare value came: then the key says which.
  std::optional<crypto::SignatureScheme> scheme;
  Buffer raw;  // as PublicKey::verify takes it

  // Nothing when a key of this kind cannot have made it.
  std::optional<crypto::SignatureScheme> scheme_for(crypto::KeyKind kind) const;
};
crypto::HashKind hash_of(crypto::SignatureScheme scheme);

struct Quote {
  Buffer message;  // what is signed
  Signature signature;
  Buffer qualified_signer;
  Buffer extra_data;  // the challenge
  uint64_t clock_ms = 0;
  uint32_t reset_count = 0, restart_count = 0;
  bool clock_safe = false;
  uint64_t firmware_version = 0;
  crypto::HashKind bank{};
  std::vector<uint8_t> selected;  // ascending
  std::vector<Buffer> pcrs;       // one for each of `selected`
  Buffer pcr_digest;
};

// The signature is a TPMT_SIGNATURE, or the bare value: 64 or 96 bytes r‖s of ECDSA with the
// curve's hash; 256, 384 or 512 bytes of RSASSA-PKCS1 with SHA-256.
//
// `malformed`: the envelope or a structure has another shape, a length out of its bounds, bytes
// after its end, another count of PCR values than are selected. `unsupported`: an attestation of
// another type than a quote; not exactly one bank, or one that is not of SHA-256, SHA-384 or
// SHA-512; a signature scheme other than RSASSA and ECDSA, with a hash other than SHA-256 and
// SHA-384.
Result<Quote> parse_quote(Bytes envelope);

}  // namespace cloister::evidence::tpm
