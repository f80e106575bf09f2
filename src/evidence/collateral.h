// Whether a vendor signed a piece of collateral, and which piece it is. The ledger keeps what
// passes here, so everything else is refused: an object that no pinned root vouches for, one that
// is not current, and any file that came along without standing in the chain that signs the object.
#pragma once

#include "evidence/common/evidence.h"

namespace cloister::evidence::dcap {
class PckChains;
}

namespace cloister::evidence {

// The numbers lie in the ledger's state and never change.
enum class CollateralKind : uint8_t {
  tdx_tcb_info = 1,
  sgx_tcb_info = 2,
  tdx_qe_identity = 3,
  sgx_qe_identity = 4,
  certificate = 5,  // of an AMD endorsement key, VCEK or VLEK
  crl = 6,
  manifest = 7,     // NVIDIA's, of a driver, a VBIOS or a switch BIOS
  ocsp_answer = 8,  // about one certificate below a root of NVIDIA
};

// What an object is the newest of. A later object of the same name replaces an earlier one:
//   SHA-256("cloister collateral v1" ‖ 00 ‖ u8 kind ‖ key of the vendor's root ‖ what)
// with `what`: TCB info FMSPC ‖ PCEID; QE identity nothing; CRL the key of its issuer; certificate
// u8 kind of key ‖ TCB ‖ chip id or cloud; manifest nvidia::manifest_subject; OCSP answer entry_id
// (common/standing.h) of the certificate. Keys are SHA-256 of SubjectPublicKeyInfo. The root is
// part of the name, so that a simulated vendor's object never stands in the place of a real one's.
struct CollateralName {
  CollateralKind kind{};
  Hash32 id{};
  auto operator<=>(const CollateralName&) const = default;
};

struct CollateralFacts {
  CollateralName name;
  UnixSeconds issued_at = 0;    // manifests: notBefore of the signer, which is all that tells
  UnixSeconds next_update = 0;  // as the vendor wrote it; certificates, manifests: notAfter
  uint64_t number = 0;          // TCB evaluation number, CRL number; else 0
  bool development = false;     // the root is a simulated vendor's
};

enum class CollateralError : uint8_t {
  malformed = 1,    // not one object and its certificates, or not of the vendor's form
  unverified = 2,   // no chain of the right roles from a pinned root signs it
  not_current = 3,  // the object or a certificate of its chain is not valid at `now`
};
std::string_view describe(CollateralError error);

constexpr size_t kMaxSigningCertificates = 8;

// `files`: the object first, then the certificates that sign it, up to the root.
//  - TCB info, QE identity (20-attestation, 1.6, steps 5 to 7): signed by the TCB signing
//    certificate, which the pinned Intel root itself issued.
//  - Intel CRL (step 4): of the root, or of a PCK CA that the root issued.
//  - AMD VCEK or VLEK certificate (2.3, step 3): issued by the ASK or ASVK of its product line,
//    which the pinned ARK of that line issued.
//  - AMD CRL (step 4): of a pinned ARK.
//  - NVIDIA manifest (3.2, step 7): signed by the chain in its KeyInfo; nothing comes along.
//  - NVIDIA OCSP answer (step 4): about the first certificate that comes along, the others being
//    its issuers in order; whatever it says.
//
// Every certificate that comes along must itself stand in that hierarchy, in its role, and be valid
// at `now`. Both ends of each window count; a CRL ends before its nextUpdate. Causes are looked for
// in the order of CollateralError. Whether a CRL revokes a certificate of the chain is for `verify`
// to decide, which sees both.
std::expected<CollateralFacts, CollateralError> verify_collateral(std::span<const Buffer> files,
                                                                  const TrustAnchors& anchors,
                                                                  UnixSeconds now);

// The names of all that verification of this evidence looks at, under any of `anchors` that may be
// its root. Nothing in the evidence is believed: a forged one names what it likes and is refused
// later. Refuses as the verifier does when the evidence has not its form, and a VLEK report as
// `unsupported`: it does not say whose key signed it. `chains` remembers PCK chains for whoever
// verifies the evidence next.
std::expected<std::vector<CollateralName>, Error> collateral_needed(const Evidence& evidence,
                                                                    const TrustAnchors& anchors,
                                                                    const dcap::PckChains& chains);
std::expected<std::vector<CollateralName>, Error> collateral_needed(const Evidence& evidence,
                                                                    const TrustAnchors& anchors);

// The same for an NVIDIA device, whose certificates are among `chain`: answers about them, and the
// manifests of its versions. Answers about a manifest's signers have names once it is there.
std::expected<std::vector<CollateralName>, Error> device_collateral_needed(
    const Evidence& device, const Collateral& chain, const TrustAnchors& anchors);
std::vector<CollateralName> manifest_collateral_needed(std::string_view manifest);

}  // namespace cloister::evidence
