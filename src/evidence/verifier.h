// Judging much evidence against the same collateral and policy.
#pragma once

#include "evidence/common/evidence.h"
#include "evidence/dcap/prepared.h"

namespace cloister::evidence {

// Answers exactly as `verify` does. What does not depend on a piece of evidence or on the time is
// worked out once: documents and certificates are parsed, and a vendor's signature that held is
// remembered (never one that did not, and never a verdict). May be used by several threads.
class Verifier {
 public:
  Verifier(Collateral collateral, VerifyPolicy policy);

  Verification verify(const Evidence& evidence, const Binding& binding, UnixSeconds now) const;

 private:
  const Collateral collateral_;
  const VerifyPolicy policy_;
  const dcap::Prepared intel_;
};

}  // namespace cloister::evidence
