// Everything one verification looks at: the quote taken apart, and of the collateral the pieces
// that play a role for it. Nothing here is authentic yet.
#pragma once

#include "evidence/dcap/chain.h"
#include "evidence/dcap/qe_identity.h"
#include "evidence/dcap/tcb_info.h"

namespace cloister::evidence::dcap {

struct Inputs {
  Quote quote;
  PckChain pck;
  PckExtension platform;
  TcbInfo tcb_info;
  QeIdentity qe_identity;
  crypto::Certificate tcb_signer;
  std::optional<crypto::Crl> root_crl;  // absent only when policy allows it
  std::optional<crypto::Crl> pck_crl;
  bool foreign_crl = false;  // a CRL of some other issuer was supplied
};

// Of several candidates for a role the one is taken that fits the quote, then one whose window
// holds at `now`, then the newest. The choice rests on unsigned content and may only lead to a
// refusal: whatever is chosen must pass every check. Refuses `malformed`, `unsupported`,
// `collateral_missing`, and `wrong_chain` when the only signer offered has another role.
Result<Inputs> gather(Bytes quote, const Collateral& collateral, const VerifyPolicy& policy,
                      UnixSeconds now);

}  // namespace cloister::evidence::dcap
