// Chains of certificates that use ECDSA P-384 with SHA-384 throughout: those of AWS Nitro and of
// NVIDIA's devices and reference manifests.
#pragma once

#include <span>

#include "evidence/common/fault.h"

namespace cloister::evidence {

// From the end entity up to the root, in order.
using ChainView = std::span<const crypto::Certificate* const>;

struct ChainRoots {
  const std::vector<Hash32>& pinned;       // SHA-256 of SubjectPublicKeyInfo
  const std::vector<Hash32>& development;  // of simulated vendors
};

// Each certificate names and is signed by the next; the last is self-signed with a key that is
// pinned; all but the first are CAs that may sign certificates, with a path length that suffices;
// the first is no CA and may sign data; nothing critical is left unprocessed. True when the root is
// a simulated one. Else `wrong_chain`.
Result<bool> check_p384_chain(ChainView chain, const ChainRoots& roots);

// The same, but the first certificate may be anything that the second issued, a CA too.
Result<bool> check_p384_issuers(ChainView chain, const ChainRoots& roots);

// Every certificate holds at `now`, both ends counting; returns the earliest end. Else
// `not_yet_valid` before `expired`.
Result<UnixSeconds> check_chain_windows(ChainView chain, UnixSeconds now);

}  // namespace cloister::evidence
