// Our verdict for others: an EAT Attestation Result (draft-ietf-rats-ear) as a signed JWT, with the
// trustworthiness vector of AR4SI (draft-ietf-rats-ar4si).
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence::bundle {

struct EarContext {
  UnixSeconds issued_at = 0;
  std::string verifier_build;      // "cloister 0.1.0"
  std::string verifier_developer;  // who answers for this verifier
  std::string policy_id;           // what was demanded, by a name of the caller's; empty: left out
  Buffer nonce;                    // the relying party's, `eat_nonce`; empty: left out
};

struct EarItem {
  std::string label;  // of the submodule
  const Appraisal* appraisal;
};

// AR4SI's categories as an appraisal fills them; 0 is no claim.
struct TrustVector {
  int instance_identity = 0;
  int configuration = 0;
  int executables = 0;
  int hardware = 0;
  int runtime_opaque = 0;
};

// What an appraisal says about each category. Values 2 to 31 affirm, 32 to 95 warn, 96 to 127
// contraindicate (AR4SI, 2.3). A refusal never affirms, and evidence of a simulated TEE is
// contraindicated hardware. Measurements that the caller compares are no claim here: only
// manifests that the verifier itself compared (NVIDIA) affirm executables.
TrustVector trust_vector(const Appraisal& appraisal);
std::string_view tier(const TrustVector& vector);  // the worst: "none", "affirming", …

// The claims set. The appraisal itself goes into the claim "cloister.appraisal" of its submodule.
JsonValue ear_claims(const std::vector<EarItem>& items, const EarContext& context);

// The token (RFC 7519, RFC 7515): ES256 or ES384, as the key's curve says.
std::string sign_ear(const JsonValue& claims, const crypto::PrivateKey& key);

}  // namespace cloister::evidence::bundle
