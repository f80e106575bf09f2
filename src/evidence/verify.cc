#include "evidence/verify.h"

#include "evidence/cca/verify.h"
#include "evidence/dcap/verify.h"
#include "evidence/nitro/verify.h"
#include "evidence/nvidia/verify.h"
#include "evidence/rim/rim.h"
#include "evidence/snp/verify.h"
#include "evidence/tpm/verify.h"
#include "evidence/verifier.h"

namespace cloister::evidence {
namespace {

Verification refused(Format format, Error error, std::string detail) {
  Verification out;
  out.appraisal.format = format;
  out.appraisal.error = error;
  out.appraisal.checks = {{"evidence_form", false, "evidence of a known format", detail}};
  out.appraisal.detail = std::move(detail);
  return out;
}

Verification judge(const Evidence& evidence, const Collateral& collateral,
                   const dcap::Prepared& intel, const VerifyPolicy& policy, const Binding& binding,
                   UnixSeconds now) {
  if (evidence.bytes.size() > kMaxEvidenceBytes) {
    return refused(evidence.format, Error::malformed, "evidence is too large");
  }
  switch (evidence.format) {
    case Format::tdx_quote:
      return dcap::verify_quote(dcap::Tee::tdx, evidence.bytes, intel, policy, binding, now);
    case Format::sgx_quote:
      return dcap::verify_quote(dcap::Tee::sgx, evidence.bytes, intel, policy, binding, now);
    case Format::snp_report:
      return verify_snp_report(evidence.bytes, collateral, policy, binding, now);
    case Format::nitro:
      return verify_nitro(evidence.bytes, policy, binding, now);
    case Format::cca_token:
      return verify_cca(evidence.bytes, collateral, binding);
    case Format::nvidia_gpu:
      return verify_nvidia(nvidia::DeviceKind::gpu, evidence.bytes, collateral, policy, binding,
                           now);
    case Format::nvidia_switch:
      return verify_nvidia(nvidia::DeviceKind::nvswitch, evidence.bytes, collateral, policy,
                           binding, now);
    case Format::nvidia_rim:
      return rim::verify_nvidia_rim(evidence.bytes, collateral, policy, binding, now);
    case Format::tpm_quote:
      return verify_tpm_quote(evidence.bytes, collateral, policy, binding);
  }
  return refused(evidence.format, Error::unsupported, "no such format");
}

}  // namespace

Verification verify(const Evidence& evidence, const Collateral& collateral,
                    const VerifyPolicy& policy, const Binding& binding, UnixSeconds now) {
  return judge(evidence, collateral, dcap::Prepared(collateral), policy, binding, now);
}

PreparedCollateral::PreparedCollateral(Collateral collateral,
                                       std::shared_ptr<const dcap::PckChains> chains)
    : collateral_(std::move(collateral)), intel_(collateral_, std::move(chains)) {}

Verification verify(const Evidence& evidence, const PreparedCollateral& collateral,
                    const VerifyPolicy& policy, const Binding& binding, UnixSeconds now) {
  return judge(evidence, collateral.collateral(), collateral.intel(), policy, binding, now);
}

Verifier::Verifier(Collateral collateral, VerifyPolicy policy)
    : collateral_(std::move(collateral)), policy_(std::move(policy)) {}

Verification Verifier::verify(const Evidence& evidence, const Binding& binding,
                              UnixSeconds now) const {
  return evidence::verify(evidence, collateral_, policy_, binding, now);
}

}  // namespace cloister::evidence
