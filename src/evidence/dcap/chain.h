// Intel's certificate hierarchy: who may stand where, for how long, and who is revoked
// (20-attestation, 1.6, steps 2 to 5). Each function judges one thing, so that the verifier can ask
// in the order of the error classes.
#pragma once

#include "evidence/dcap/pck.h"

namespace cloister::evidence::dcap {

enum class PckCa : uint8_t { platform, processor };
// By its name alone; nothing for any other certificate.
std::optional<PckCa> pck_ca_of(const crypto::Certificate& intermediate);
std::string_view name(PckCa ca);  // "platform", as the collateral service calls it

struct ChainVerdict {
  PckCa ca;
  bool development;  // the root is a key of a simulated Intel
};

// The PCK chain ends at a pinned key, each certificate has its role and is signed by the next. The
// root in the quote is only compared with the pins. Else `wrong_chain`.
Result<ChainVerdict> check_pck_chain(const PckChain& chain, const TrustAnchors& anchors);

// The links of that chain, for collateral that comes without a quote. Each refuses with
// `wrong_chain`. check_root: pinned, self-signed, of Intel's form; true for a development root.
Result<bool> check_root(const crypto::Certificate& root, const TrustAnchors& anchors);
Result<PckCa> check_pck_ca(const crypto::Certificate& ca, const crypto::Certificate& root);
Result<void> check_pck_leaf(const crypto::Certificate& leaf, const crypto::Certificate& ca);

constexpr std::string_view kRootName = "Intel SGX Root CA";
constexpr std::string_view kPckName = "Intel SGX PCK Certificate";
constexpr std::string_view kTcbSigningName = "Intel SGX TCB Signing";

// The signer of TCB info and QE identities, issued by the root itself. Without this role check any
// key under the root, for instance an extracted PCK key, could sign TCB info. Else `wrong_chain`.
Result<void> check_tcb_signer(const crypto::Certificate& signer, const crypto::Certificate& root);

// The form a CRL must have (RFC 5280, 5): next update, CRL number, authority key identifier, and no
// critical extension. `malformed`, or `unsupported` for the last.
Result<void> check_crl_form(const crypto::Crl& crl);

// A time during which something may be relied on, both ends included.
struct Window {
  std::string what;
  UnixSeconds from;
  UnixSeconds until;
  bool holds(UnixSeconds now) const { return from <= now && now <= until; }
};
Window window_of(std::string what, const crypto::Certificate& certificate);
Window window_of(std::string what, const crypto::Crl& crl);  // ends before nextUpdate

// All of them hold, and the earliest end; else `not_yet_valid` before `expired`.
Result<UnixSeconds> check_windows(const std::vector<Window>& windows, UnixSeconds now);

}  // namespace cloister::evidence::dcap
