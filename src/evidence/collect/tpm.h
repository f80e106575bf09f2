// A quote of this machine's TPM 2.0, through tpm2-tss.
#pragma once

#include "evidence/collect/collect.h"

namespace cloister::evidence::collect {

struct TpmEvidence {
  Evidence evidence;                  // the envelope of evidence/tpm/quote.h
  crypto::PublicKey attestation_key;  // ECC P-256; restricted to what the TPM made, fixed in it
};

constexpr const char* kTpmDevice = "device:/dev/tpmrm0";

// Quotes PCRs `selection` (of SHA-256 or SHA-384; at least one) for `nonce` (at most 32 bytes) with
// an attestation key derived for this call in the owner's hierarchy: the same one every time, until
// the owner is changed. Nothing about the key is certified here: who relies on the quote must know
// the key to be of this TPM. `tcti`: how the TPM is reached, in the words of tpm2-tss.
Collected<TpmEvidence> tpm_quote(Bytes nonce, const PcrSelection& selection,
                                 const char* tcti = kTpmDevice);

}  // namespace cloister::evidence::collect
