#include "evidence/fetch/plan.h"

#include "base/text.h"
#include "evidence/dcap/chain.h"
#include "evidence/dcap/quote.h"
#include "evidence/fetch/plan_nvidia.h"
#include "evidence/snp/report.h"

namespace cloister::evidence::fetch {
namespace {

using Plan = std::expected<std::vector<Wanted>, FetchFault>;

std::unexpected<FetchFault> fail(FetchError error, std::string detail) {
  return std::unexpected(FetchFault{error, std::move(detail)});
}

Plan for_quote(Bytes bytes, dcap::Tee kind, const PlanOptions& options) {
  const auto quote = dcap::parse_quote(bytes, kind);
  if (!quote) return fail(FetchError::bad_evidence, quote.error().detail);
  const auto chain = dcap::parse_pck_chain(quote->pck_chain_pem);
  if (!chain) return fail(FetchError::bad_evidence, chain.error().detail);
  const auto platform = dcap::pck_extension_of(chain->leaf);
  if (!platform) return fail(FetchError::bad_evidence, platform.error().detail);
  const auto ca = dcap::pck_ca_of(chain->intermediate);
  if (!ca) return fail(FetchError::bad_evidence, "the quote names no PCK CA");

  const std::string host = options.pccs.value_or(std::string(kIntelHost));
  const std::string tee = kind == dcap::Tee::tdx ? "/tdx" : "/sgx";
  std::vector<Wanted> out = {
      {"tcb_info.json", host, tee + "/certification/v4/tcb?fmspc=" + to_hex(platform->fmspc),
       AnswerForm::signed_json, "TCB-Info-Issuer-Chain", "tcb_info_signers.pem"},
      {"qe_identity.json", host, tee + "/certification/v4/qe/identity", AnswerForm::signed_json,
       "SGX-Enclave-Identity-Issuer-Chain", "qe_identity_signers.pem"},
      {"pck.crl", host,
       "/sgx/certification/v4/pckcrl?ca=" + std::string(dcap::name(*ca)) + "&encoding=der",
       AnswerForm::crl, "", ""},
  };
  if (options.pccs) {
    out.push_back({"root.crl", host, "/sgx/certification/v4/rootcacrl", AnswerForm::crl, "", ""});
  } else {
    out.push_back({"root.crl", std::string(kIntelCertificatesHost), "/IntelSGXRootCA.der",
                   AnswerForm::crl, "", ""});
  }
  return out;
}

std::expected<snp::ProductLine, FetchFault> product_of(const snp::Report& report,
                                                       const PlanOptions& options) {
  std::optional<snp::ProductLine> said;
  if (report.cpuid) said = snp::product_from_cpuid(report.cpuid->family, report.cpuid->model);
  if (report.cpuid && !said) return fail(FetchError::bad_evidence, "an unknown processor");
  if (!said && options.product) said = snp::product_from_name(*options.product);
  if (!said) {
    return fail(FetchError::product_unknown, "a version 2 report: give --product Milan or Genoa");
  }
  return *said;
}

// KDS Interface Specification, 57230, 4.1: the levels by name, in decimal.
std::string levels_of(const snp::Tcb& tcb, snp::ProductLine line) {
  const auto level = [&](const char* name, size_t at) {
    return std::string(name) + "=" + std::to_string(tcb[at]);
  };
  if (line == snp::ProductLine::turin) {
    return level("fmcSPL", 0) + "&" + level("blSPL", 1) + "&" + level("teeSPL", 2) + "&" +
           level("snpSPL", 3) + "&" + level("ucodeSPL", 7);
  }
  return level("blSPL", 0) + "&" + level("teeSPL", 1) + "&" + level("snpSPL", 6) + "&" +
         level("ucodeSPL", 7);
}

Plan for_report(Bytes bytes, const PlanOptions& options) {
  const auto report = snp::parse_report(bytes);
  if (!report) {
    return fail(FetchError::bad_evidence, std::string(evidence::describe(report.error())));
  }
  const auto line = product_of(*report, options);
  if (!line) return std::unexpected(line.error());
  const std::string product(snp::name(*line));
  const std::string host(kAmdHost);
  const std::string kind(snp::name(report->signing_key));
  std::vector<Wanted> out;
  // A VLEK certificate is the cloud's, who hands it to the guest; the service has no address of it.
  if (report->signing_key == snp::SigningKey::vcek) {
    if (all_zero(report->chip_id)) {
      return fail(FetchError::bad_evidence, "the report hides the chip id that names its key");
    }
    const size_t chip_bytes = *line == snp::ProductLine::turin ? 8 : 64;
    out.push_back({"vcek.der", host,
                   "/vcek/v1/" + product + "/" + to_hex(Bytes(report->chip_id).first(chip_bytes)) +
                       "?" + levels_of(report->reported_tcb, *line),
                   AnswerForm::certificate, "", ""});
  }
  out.push_back({"cert_chain.pem", host, "/" + kind + "/v1/" + product + "/cert_chain",
                 AnswerForm::pem_chain, "", ""});
  out.push_back({"ark.crl", host, "/" + kind + "/v1/" + product + "/crl", AnswerForm::crl, "", ""});
  return out;
}

}  // namespace

std::string_view name(FetchError error) {
  switch (error) {
    case FetchError::bad_evidence:
      return "bad_evidence";
    case FetchError::nothing_to_fetch:
      return "nothing_to_fetch";
    case FetchError::product_unknown:
      return "product_unknown";
    case FetchError::host_refused:
      return "host_refused";
    case FetchError::unreachable:
      return "unreachable";
    case FetchError::deadline:
      return "deadline";
    case FetchError::too_large:
      return "too_large";
    case FetchError::not_found:
      return "not_found";
    case FetchError::refused_by_service:
      return "refused_by_service";
    case FetchError::bad_answer:
      return "bad_answer";
    case FetchError::folder_not_writable:
      return "folder_not_writable";
  }
  return "unknown";
}

std::string_view describe(FetchError error) {
  switch (error) {
    case FetchError::bad_evidence:
      return "The evidence does not say what it needs.";
    case FetchError::nothing_to_fetch:
      return "Evidence of this format needs nothing that a service offers.";
    case FetchError::product_unknown:
      return "The report does not name its product line.";
    case FetchError::host_refused:
      return "The address is not one that collateral is fetched from.";
    case FetchError::unreachable:
      return "The service could not be reached.";
    case FetchError::deadline:
      return "The service did not answer in time.";
    case FetchError::too_large:
      return "The service's answer is larger than such an answer may be.";
    case FetchError::not_found:
      return "The service does not know this object.";
    case FetchError::refused_by_service:
      return "The service refused the request.";
    case FetchError::bad_answer:
      return "The service's answer is not what was asked for.";
    case FetchError::folder_not_writable:
      return "The folder cannot be written.";
  }
  return "Unknown error.";
}

std::expected<std::vector<Wanted>, FetchFault> plan(const Evidence& evidence,
                                                    const PlanOptions& options) {
  switch (evidence.format) {
    case Format::tdx_quote:
      return for_quote(evidence.bytes, dcap::Tee::tdx, options);
    case Format::sgx_quote:
      return for_quote(evidence.bytes, dcap::Tee::sgx, options);
    case Format::snp_report:
      return for_report(evidence.bytes, options);
    case Format::nvidia_gpu:
    case Format::nvidia_switch:
      return plan_nvidia(evidence, options.device_chain);
    default:
      return fail(FetchError::nothing_to_fetch, std::string(evidence::name(evidence.format)));
  }
}

}  // namespace cloister::evidence::fetch
