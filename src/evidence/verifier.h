// Judging much evidence against the same collateral and policy.
#pragma once

#include "evidence/common/evidence.h"
#include "evidence/dcap/prepared.h"

namespace cloister::evidence {

// Collateral of which everything is worked out once that depends neither on a piece of evidence nor
// on policy or time: documents and certificates are parsed, and a vendor's signature that held is
// remembered (never one that did not, and never a verdict). May be used by several threads.
class PreparedCollateral {
 public:
  // PCK chains that other collateral's verifications have seen may be shared.
  explicit PreparedCollateral(Collateral collateral, std::shared_ptr<const dcap::PckChains> chains =
                                                         std::make_shared<const dcap::PckChains>());
  PreparedCollateral(const PreparedCollateral&) = delete;
  PreparedCollateral& operator=(const PreparedCollateral&) = delete;

  const Collateral& collateral() const { return collateral_; }
  const dcap::Prepared& intel() const { return intel_; }

 private:
  const Collateral collateral_;
  const dcap::Prepared intel_;
};

// Answers exactly as `verify` does with the same collateral.
Verification verify(const Evidence& evidence, const PreparedCollateral& collateral,
                    const VerifyPolicy& policy, const Binding& binding, UnixSeconds now);

// The same with one policy for all.
class Verifier {
 public:
  Verifier(Collateral collateral, VerifyPolicy policy);

  Verification verify(const Evidence& evidence, const Binding& binding, UnixSeconds now) const;

 private:
  const PreparedCollateral collateral_;
  const VerifyPolicy policy_;
};

}  // namespace cloister::evidence
