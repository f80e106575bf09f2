#include "evidence/collateral.h"

#include <iterator>

#include "crypto/hash.h"
#include "evidence/collateral_parts.h"

namespace cloister::evidence {
namespace {

constexpr std::string_view kNameDomain = "cloister collateral v1";

bool holds_one_object(const Collateral& c) {
  return c.tcb_infos.size() + c.qe_identities.size() + c.certificates.size() + c.crls.size() +
                 c.rims.size() + c.ocsp_responses.size() ==
             1 &&
         c.keys.empty();
}

// By its form: only Intel signs JSON, only AMD's endorsement keys come as certificates, and a list
// is Intel's when it comes with a root of that name.
bool looks_like_intel(const CollateralFiles& files) {
  if (!files.object.certificates.empty()) return false;
  if (files.object.crls.empty()) return true;
  for (const crypto::Certificate& certificate : files.certificates) {
    if (certificate.subject_common_name() == dcap::kRootName) return true;
  }
  return false;
}

std::optional<uint64_t> small_number(Bytes big_endian) {
  if (big_endian.size() > sizeof(uint64_t)) return std::nullopt;
  uint64_t out = 0;
  for (uint8_t byte : big_endian) out = out << 8 | byte;
  return out;
}

}  // namespace

std::string_view describe(CollateralError error) {
  switch (error) {
    case CollateralError::malformed:
      return "The files are not collateral of a known form.";
    case CollateralError::unverified:
      return "No pinned root vouches for the collateral.";
    case CollateralError::not_current:
      return "The collateral is not valid at this time.";
  }
  return "Unknown error.";
}

std::optional<CollateralFiles> sort_files(std::span<const Buffer> files) {
  CollateralFiles out;
  if (files.empty() || !out.object.add(files.front()) || !holds_one_object(out.object)) {
    return std::nullopt;
  }
  Collateral chain;
  for (const Buffer& file : files.subspan(1)) {
    if (!chain.add(file)) return std::nullopt;
  }
  const bool only_certificates = chain.tcb_infos.empty() && chain.qe_identities.empty() &&
                                 chain.crls.empty() && chain.rims.empty() &&
                                 chain.ocsp_responses.empty() && chain.keys.empty();
  if (!only_certificates || chain.certificates.size() > kMaxSigningCertificates) {
    return std::nullopt;
  }
  out.certificates = std::move(chain.certificates);
  return out;
}

CollateralName name_of(CollateralKind kind, const Hash32& root_key, Bytes what) {
  crypto::Sha256 hash;
  const Fixed<2> separator_and_kind = {0, static_cast<uint8_t>(kind)};
  hash.update(kNameDomain).update(separator_and_kind).update(root_key).update(what);
  return {kind, hash.finish()};
}

CollateralResult crl_facts(const crypto::Crl& crl, const Hash32& root_key,
                           const Hash32& issuer_key) {
  if (!dcap::check_crl_form(crl)) return std::unexpected(CollateralError::malformed);
  const auto number = small_number(*crl.number());
  if (!number) return std::unexpected(CollateralError::malformed);
  return CollateralFacts{crl_name(root_key, issuer_key), crl.this_update(), *crl.next_update(),
                         *number, false};
}

CollateralResult current(const CollateralFacts& facts, const std::vector<dcap::Window>& windows,
                         UnixSeconds now) {
  if (!dcap::check_windows(windows, now)) return std::unexpected(CollateralError::not_current);
  return facts;
}

std::vector<dcap::Window> windows_of(const std::vector<crypto::Certificate>& certificates) {
  std::vector<dcap::Window> out;
  out.reserve(certificates.size());
  for (const crypto::Certificate& certificate : certificates) {
    out.push_back(dcap::window_of("certificate", certificate));
  }
  return out;
}

CollateralResult verify_collateral(std::span<const Buffer> files, const TrustAnchors& anchors,
                                   UnixSeconds now) {
  const auto sorted = sort_files(files);
  if (!sorted) return std::unexpected(CollateralError::malformed);
  const Collateral& object = sorted->object;
  if (!object.rims.empty() || !object.ocsp_responses.empty()) {
    return verify_nvidia_collateral(*sorted, anchors, now);
  }
  return looks_like_intel(*sorted) ? verify_intel(*sorted, anchors, now)
                                   : verify_amd(*sorted, anchors, now);
}

NeededCollateral collateral_needed(const Evidence& evidence, const TrustAnchors& anchors) {
  return collateral_needed(evidence, anchors, dcap::PckChains());
}

NeededCollateral collateral_needed(const Evidence& evidence, const TrustAnchors& anchors,
                                   const dcap::PckChains& chains) {
  if (evidence.bytes.size() > kMaxEvidenceBytes) return std::unexpected(Error::malformed);
  switch (evidence.format) {
    case Format::tdx_quote:
      return needed_by_quote(evidence.bytes, dcap::Tee::tdx, chains);
    case Format::sgx_quote:
      return needed_by_quote(evidence.bytes, dcap::Tee::sgx, chains);
    case Format::snp_report:
      return needed_by_snp_report(evidence.bytes, anchors);
    default:
      break;
  }
  return std::unexpected(Error::unsupported);
}

}  // namespace cloister::evidence
