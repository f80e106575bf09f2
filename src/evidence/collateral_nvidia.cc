// NVIDIA's part of collateral.cc: reference manifests, and OCSP answers about devices and about the
// signers of manifests.
#include "crypto/ocsp.h"
#include "evidence/collateral_parts.h"
#include "evidence/nvidia/device_chain.h"
#include "evidence/nvidia/manifest_facts.h"
#include "evidence/nvidia/manifests.h"
#include "evidence/rim/ocsp.h"
#include "evidence/rim/swid.h"

namespace cloister::evidence {
namespace {

std::unexpected<CollateralError> refusal(Error error) {
  switch (error) {
    case Error::malformed:
    case Error::unsupported:
      return std::unexpected(CollateralError::malformed);
    case Error::not_yet_valid:
    case Error::expired:
      return std::unexpected(CollateralError::not_current);
    default:
      return std::unexpected(CollateralError::unverified);
  }
}

std::vector<const crypto::Certificate*> view_of(const std::vector<crypto::Certificate>& chain) {
  std::vector<const crypto::Certificate*> out;
  for (const crypto::Certificate& each : chain) out.push_back(&each);
  return out;
}

// A manifest carries its own chain, so nothing may come along. Whether its signers are revoked is
// for `verify` to decide, which sees their OCSP answers.
CollateralResult verify_manifest(const CollateralFiles& files, const TrustAnchors& anchors,
                                 UnixSeconds now) {
  if (!files.certificates.empty()) return std::unexpected(CollateralError::unverified);
  VerifyPolicy policy;
  policy.anchors = anchors;
  policy.allow_no_revocation = true;
  const auto verified = rim::verify_rim(files.object.rims.front(), Collateral(), policy, now);
  if (!verified) return refusal(verified.error().error);
  const Hash32 subject =
      nvidia::manifest_subject(verified->product(), verified->edition(), verified->version());
  return CollateralFacts{manifest_name(verified->root_key(), subject),
                         verified->signer_not_before(), verified->valid_until(), 0,
                         verified->development()};
}

// The certificate that the answer is about comes along with its issuers, in order, up to a root of
// devices or of manifests.
CollateralResult verify_answer(const CollateralFiles& files, const TrustAnchors& anchors,
                               UnixSeconds now) {
  const auto response = crypto::OcspResponse::from_der(files.object.ocsp_responses.front());
  if (!response || response->has_unknown_critical_extension() || files.certificates.size() < 2) {
    return std::unexpected(CollateralError::malformed);
  }
  const auto chain = view_of(files.certificates);
  std::vector<Hash32> roots = anchors.nvidia_device_root;
  roots.insert(roots.end(), anchors.nvidia_rim_root.begin(), anchors.nvidia_rim_root.end());
  const auto development = check_p384_issuers(chain, {roots, anchors.development_nvidia});
  if (!development) return refusal(development.error().error);
  const auto answer = response->answer_for(*chain[0], *chain[1]);
  if (!answer) return std::unexpected(CollateralError::unverified);
  VerifyPolicy policy;
  policy.anchors = anchors;
  const rim::OcspFound found{{chain.begin() + 1, chain.end()}, *response, *answer};
  const auto until = rim::check_ocsp_authentic(found, policy, now);
  if (!until) return refusal(until.error().error);
  if (!check_chain_windows(chain, now)) return std::unexpected(CollateralError::not_current);
  return CollateralFacts{answers_about(files.certificates, 0).front(), answer->this_update,
                         *answer->next_update, 0, *development};
}

}  // namespace

std::vector<CollateralName> answers_about(std::span<const crypto::Certificate> chain,
                                          size_t first) {
  std::vector<CollateralName> out;
  for (size_t i = first; i + 1 < chain.size(); ++i) {
    const Hash32 entry = entry_id(chain[i + 1].spki_sha256(), chain[i].serial());
    out.push_back(answer_name(chain.back().spki_sha256(), entry));
  }
  return out;
}

CollateralResult verify_nvidia_collateral(const CollateralFiles& files, const TrustAnchors& anchors,
                                          UnixSeconds now) {
  return files.object.rims.empty() ? verify_answer(files, anchors, now)
                                   : verify_manifest(files, anchors, now);
}

NeededCollateral device_collateral_needed(const Evidence& device, const Collateral& chain,
                                          const TrustAnchors& anchors) {
  const bool gpu = device.format == Format::nvidia_gpu;
  if (!gpu && device.format != Format::nvidia_switch) return std::unexpected(Error::unsupported);
  const auto kind = gpu ? nvidia::DeviceKind::gpu : nvidia::DeviceKind::nvswitch;
  const auto report = nvidia::parse_report(kind, device.bytes);
  if (!report) return std::unexpected(report.error().error);
  const auto found = nvidia::find_chain(kind, *report, chain);
  if (!found) return std::unexpected(found.error().error);
  auto out = answers_about(found->certificates, nvidia::kFirstRevocable);
  const std::string chip = nvidia::chip_of(found->certificates.front());
  for (const auto& of : nvidia::subjects_of(kind, report->opaque, chip)) {
    const Hash32 subject = nvidia::manifest_subject(of.product, of.edition, of.version);
    for (const auto* roots : {&anchors.nvidia_rim_root, &anchors.development_nvidia}) {
      for (const Hash32& root : *roots) out.push_back(manifest_name(root, subject));
    }
  }
  return out;
}

std::vector<CollateralName> manifest_collateral_needed(std::string_view manifest) {
  const auto swid = rim::parse_swid(manifest);
  return swid ? answers_about(swid->signature.certificates, 0) : std::vector<CollateralName>();
}

}  // namespace cloister::evidence
