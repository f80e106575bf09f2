#include "evidence/azure/vtpm.h"

#include "evidence/azure/hcl_report.h"
#include "evidence/verify.h"

namespace cloister::evidence {
namespace {

constexpr size_t kReportDataBytes = 64;

AzureVerification refused(Error error, std::string detail) {
  AzureVerification out;
  out.error = error;
  out.detail = std::move(detail);
  return out;
}

// Takes over the refusal of a part, if it is one. True: accepted.
bool passed(AzureVerification& out, const Verification& part) {
  out.error = part.appraisal.error;
  out.detail = part.appraisal.detail;
  return part.verified.has_value();
}

}  // namespace

AzureVerification verify_azure_vtpm(const AzureEvidence& evidence, const Collateral& collateral,
                                    const VerifyPolicy& policy, Bytes nonce, UnixSeconds now) {
  const auto report = azure::parse_hcl_report(evidence.hcl_report);
  if (!report) return refused(report.error().error, report.error().detail);
  const bool tdx = report->hardware == Format::tdx_quote;
  if (tdx != evidence.td_quote.has_value()) {
    return refused(Error::malformed, "a TDX quote comes with the HCL report of a TDX guest only");
  }

  AzureVerification out;
  ByteWriter bound;
  bound.bytes(report->runtime_hash).zeros(kReportDataBytes - report->runtime_hash.size());
  const Evidence hardware{report->hardware, tdx ? *evidence.td_quote : report->hardware_report};
  out.hardware = verify(hardware, collateral, policy, Binding::report_data(bound.view()), now);
  if (!passed(out, *out.hardware)) return out;

  Collateral keys;
  keys.keys = {report->attestation_key};
  out.quote =
      verify({Format::tpm_quote, evidence.tpm_quote}, keys, policy, Binding::nonce(nonce), now);
  passed(out, *out.quote);
  return out;
}

}  // namespace cloister::evidence
