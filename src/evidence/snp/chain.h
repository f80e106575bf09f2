// The certificates behind a report: VCEK ← SEV-<line> ← ARK-<line>, or VLEK ← SEV-VLEK-<line> ←
// ARK-<line>, and the ARK's revocation list (KDS Interface Specification, 57230, chapters 2 and 4).
#pragma once

#include "evidence/common/checks.h"
#include "evidence/snp/vek.h"

namespace cloister::evidence::snp {

// Chosen by what they say about themselves; believed only after the functions below.
struct Chain {
  crypto::Certificate vek;
  crypto::Certificate intermediate;  // ASK or ASVK
  crypto::Certificate root;          // ARK
  std::optional<crypto::Crl> crl;    // of this root; the newest when several came
  bool only_foreign_crls = false;    // lists came, none of them of this root
  VekExtensions extensions;
  bool development = false;  // set by check_roles_and_signatures
};

// Finds the chain of this report's key in the collateral. collateral_missing: no certificate of the
// kind the report names, no issuer, or no CRL at all unless `allow_no_revocation`; malformed or
// unsupported: the certificate's extensions or the CRL's shape.
std::optional<Chain> find_chain(const Report& report, const Collateral& collateral,
                                const VerifyPolicy& policy, CheckList& checks);

// A root whose key is pinned: for a product line by its vendor, or as that of a simulated AMD.
struct Pin {
  ProductLine line;  // that the root names
  bool development;
};
std::optional<Pin> pin_of(const crypto::Certificate& root, const TrustAnchors& anchors);

// What a certificate is not, in words; empty when it has its role and its issuer's signature.
std::string fault_of_root(const crypto::Certificate& root);
std::string fault_of_intermediate(const crypto::Certificate& intermediate,
                                  const crypto::Certificate& root, SigningKey kind,
                                  ProductLine line);
std::string fault_of_vek(const crypto::Certificate& vek, const crypto::Certificate& intermediate,
                         SigningKey kind);

// wrong_chain: the root's key is not pinned for the chain's product line, or a name, a role or a
// signature is not as the vendor issues it. A root that comes with the collateral lends its key to
// the signature check only; the pin decides.
bool check_roles_and_signatures(Chain& chain, SigningKey kind, const VerifyPolicy& policy,
                                CheckList& checks);

// not_yet_valid, expired: any certificate or the CRL, both ends.
bool check_windows(const Chain& chain, UnixSeconds now, CheckList& checks);

// revoked; collateral_mismatch: lists came but none of this root, waived or not; bad_signature: the
// list is not signed by the root.
bool check_revocation(const Chain& chain, CheckList& checks);

// The last second at which every window still holds.
UnixSeconds valid_until(const Chain& chain);

}  // namespace cloister::evidence::snp
