// Everything one verification looks at: the quote taken apart, and of the collateral the pieces
// that play a role for it. Nothing here is authentic yet.
#pragma once

#include "evidence/dcap/chain.h"
#include "evidence/dcap/prepared.h"

namespace cloister::evidence::dcap {

// Pointers are into the Prepared that the inputs were gathered from.
struct Inputs {
  Quote quote;
  std::shared_ptr<const Platform> platform;
  const TcbInfo* tcb_info = nullptr;
  const QeIdentity* qe_identity = nullptr;
  const crypto::Certificate* tcb_signer = nullptr;
  const crypto::Crl* root_crl = nullptr;  // null only when policy allows it
  const crypto::Crl* pck_crl = nullptr;
  bool foreign_crl = false;  // a CRL of some other issuer was supplied
};

// Of several candidates for a role the one is taken that fits the quote, then one whose window
// holds at `now`, then the newest. The choice rests on unsigned content and may only lead to a
// refusal: whatever is chosen must pass every check. Refuses `malformed`, `unsupported`,
// `collateral_missing`, and `wrong_chain` when the only signer offered has another role.
Result<Inputs> gather(Bytes quote, Tee tee, const Prepared& prepared, const VerifyPolicy& policy,
                      UnixSeconds now);

}  // namespace cloister::evidence::dcap
