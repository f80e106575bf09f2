// Judges all the evidence of a bundle.
#pragma once

#include "evidence/bundle/cmw.h"

namespace cloister::evidence::bundle {

struct ItemVerification {
  std::string label;
  Verification verification;
};

struct BundleVerification {
  std::vector<ItemVerification> items;  // each, whatever the others found
  std::optional<Error> error;           // the lowest class of any item, else of rules over several
  std::string detail;
  bool accepted() const { return !error && !items.empty(); }
};

// A pure function: every item by its verifier, against the bundle's collateral and `more`. A bundle
// that brings a key along is refused: keys count when the caller vouches for them. NVIDIA
// devices are judged as one machine of just these (evidence/nvidia/group.h). `binding` holds for
// every item whose format carries what it expects; when no item carries it, that is a refusal.
// Whether the items belong to one machine, beyond that, is the caller's to bind (30-channels, 1).
BundleVerification verify_bundle(const Bundle& bundle, const Collateral& more,
                                 const VerifyPolicy& policy, const Binding& binding,
                                 UnixSeconds now);

}  // namespace cloister::evidence::bundle
