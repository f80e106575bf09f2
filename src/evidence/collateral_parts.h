// What the vendors' parts of collateral.cc share. For the source files of this folder.
#pragma once

#include "evidence/collateral.h"
#include "evidence/dcap/chain.h"
#include "evidence/dcap/prepared.h"
#include "evidence/dcap/tee.h"

namespace cloister::evidence {

// One object and the certificates that came with it. Nothing here is authentic yet.
struct CollateralFiles {
  Collateral object;  // holds exactly one
  std::vector<crypto::Certificate> certificates;
};

// The object first. Nothing when these are not one object and its certificates.
std::optional<CollateralFiles> sort_files(std::span<const Buffer> files);

using CollateralResult = std::expected<CollateralFacts, CollateralError>;

CollateralResult verify_intel(const CollateralFiles& files, const TrustAnchors& anchors,
                              UnixSeconds now);
CollateralResult verify_amd(const CollateralFiles& files, const TrustAnchors& anchors,
                            UnixSeconds now);
CollateralResult verify_nvidia_collateral(const CollateralFiles& files, const TrustAnchors& anchors,
                                          UnixSeconds now);

using NeededCollateral = std::expected<std::vector<CollateralName>, Error>;
NeededCollateral needed_by_quote(Bytes quote, dcap::Tee tee, const dcap::PckChains& chains);
NeededCollateral needed_by_snp_report(Bytes report, const TrustAnchors& anchors);

// The names of answers about every certificate of a chain that has one.
std::vector<CollateralName> answers_about(std::span<const crypto::Certificate> chain, size_t first);

CollateralName name_of(CollateralKind kind, const Hash32& root_key, Bytes what);
CollateralName tcb_info_name(dcap::Tee tee, const Hash32& root_key, const Fixed<6>& fmspc,
                             const Fixed<2>& pce_id);
CollateralName qe_identity_name(dcap::Tee tee, const Hash32& root_key);
inline CollateralName manifest_name(const Hash32& root_key, const Hash32& subject) {
  return name_of(CollateralKind::manifest, root_key, subject);
}
// `entry`: entry_id of the certificate that is asked about.
inline CollateralName answer_name(const Hash32& root_key, const Hash32& entry) {
  return name_of(CollateralKind::ocsp_answer, root_key, entry);
}
inline CollateralName crl_name(const Hash32& root_key, const Hash32& issuer_key) {
  return name_of(CollateralKind::crl, root_key, issuer_key);
}

// The facts of a list whose issuer's signature has been checked. `malformed`: another form than
// RFC 5280, 5 asks for, or a number beyond 64 bits.
CollateralResult crl_facts(const crypto::Crl& crl, const Hash32& root_key,
                           const Hash32& issuer_key);

// `not_current` unless all of them hold.
CollateralResult current(const CollateralFacts& facts, const std::vector<dcap::Window>& windows,
                         UnixSeconds now);

// The windows of what came along.
std::vector<dcap::Window> windows_of(const std::vector<crypto::Certificate>& certificates);

}  // namespace cloister::evidence
