#include "evidence/verify.h"

#include "evidence/dcap/verify.h"
#include "evidence/snp/verify.h"

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

}  // namespace

Verification verify(const Evidence& evidence, const Collateral& collateral,
                    const VerifyPolicy& policy, const Binding& binding, UnixSeconds now) {
  if (evidence.bytes.size() > kMaxEvidenceBytes) {
    return refused(evidence.format, Error::malformed, "evidence is too large");
  }
  switch (evidence.format) {
    case Format::tdx_quote:
      return dcap::verify_tdx_quote(evidence.bytes, collateral, policy, binding, now);
    case Format::snp_report:
      return verify_snp_report(evidence.bytes, collateral, policy, binding, now);
    default:
      break;
  }
  return refused(evidence.format, Error::unsupported, "no verifier for this format");
}

}  // namespace cloister::evidence
