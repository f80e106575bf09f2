// The certificates behind a document: the enclave's leaf ← instance ← zone ← region ← root G1. AWS
// publishes no revocation lists for them; a leaf lives three hours instead.
#pragma once

#include "evidence/nitro/document.h"

namespace cloister::evidence::nitro {

// From the pinned root down to the leaf: each certificate names and is signed by the one before;
// all but the leaf are CAs that may sign certificates with a path length that suffices; the leaf is
// none. P-384 only. True when the root is a simulated one. Else `wrong_chain`.
Result<bool> check_chain(const Document& document, const TrustAnchors& anchors);

// Every certificate holds at `now`, both ends; the earliest end. Else `not_yet_valid` before
// `expired`.
Result<UnixSeconds> check_windows(const Document& document, UnixSeconds now);

}  // namespace cloister::evidence::nitro
