// The words of the interface: formats, errors and statuses.
#include <array>

#include "evidence/common/evidence.h"

namespace cloister::evidence {
namespace {

struct ErrorWords {
  Error error;
  std::string_view name;
  std::string_view sentence;
};

constexpr std::array<ErrorWords, 18> kErrors = {{
    {Error::malformed, "malformed", "The bytes are not of the format."},
    {Error::unsupported, "unsupported", "This version, algorithm or device is not verified here."},
    {Error::collateral_missing, "collateral_missing", "An input that is needed is absent."},
    {Error::wrong_chain, "wrong_chain", "A certificate chain does not lead to the vendor's root."},
    {Error::not_yet_valid, "not_yet_valid", "Something is judged before its validity begins."},
    {Error::expired, "expired", "Something is judged after its validity has ended."},
    {Error::revoked, "revoked", "The vendor has revoked a certificate of the chain."},
    {Error::collateral_mismatch, "collateral_mismatch", "The collateral is for something else."},
    {Error::bad_signature, "bad_signature", "A signature or digest does not hold."},
    {Error::identity_mismatch, "identity_mismatch", "Authentic parts do not belong together."},
    {Error::no_tcb_level, "no_tcb_level", "No TCB level of the vendor matches."},
    {Error::debug_enabled, "debug_enabled", "The machine runs in debug mode."},
    {Error::policy_denied, "policy_denied", "An attribute is not allowed by policy."},
    {Error::service_td, "service_td", "A service TD is bound to the machine."},
    {Error::tcb_status, "tcb_status", "The TCB status is not among the accepted ones."},
    {Error::measurement_mismatch, "measurement_mismatch", "A measurement is not the expected one."},
    {Error::report_data_mismatch, "report_data_mismatch", "The report data is not as expected."},
    {Error::nonce_mismatch, "nonce_mismatch", "The nonce is not the expected one."},
}};

struct StatusWord {
  TcbStatus status;
  std::string_view name;
};

constexpr std::array<StatusWord, 9> kStatuses = {{
    {TcbStatus::up_to_date, "UpToDate"},
    {TcbStatus::sw_hardening_needed, "SWHardeningNeeded"},
    {TcbStatus::configuration_needed, "ConfigurationNeeded"},
    {TcbStatus::configuration_and_sw_hardening_needed, "ConfigurationAndSWHardeningNeeded"},
    {TcbStatus::out_of_date, "OutOfDate"},
    {TcbStatus::out_of_date_configuration_needed, "OutOfDateConfigurationNeeded"},
    {TcbStatus::td_relaunch_advised, "TDRelaunchAdvised"},
    {TcbStatus::td_relaunch_advised_configuration_needed, "TDRelaunchAdvisedConfigurationNeeded"},
    {TcbStatus::revoked, "Revoked"},
}};

struct FormatWord {
  Format format;
  std::string_view name;
};

constexpr std::array<FormatWord, 9> kFormats = {{
    {Format::tdx_quote, "tdx-quote"},
    {Format::sgx_quote, "sgx-quote"},
    {Format::snp_report, "snp-report"},
    {Format::nvidia_gpu, "nvidia-gpu"},
    {Format::nvidia_switch, "nvidia-switch"},
    {Format::nvidia_rim, "nvidia-rim"},
    {Format::tpm_quote, "tpm-quote"},
    {Format::nitro, "nitro"},
    {Format::cca_token, "cca-token"},
}};

}  // namespace

std::string_view name(Format format) {
  for (const FormatWord& word : kFormats) {
    if (word.format == format) return word.name;
  }
  return "unknown";
}

std::optional<Format> format_from(std::string_view name) {
  for (const FormatWord& word : kFormats) {
    if (word.name == name) return word.format;
  }
  return std::nullopt;
}

bool carries_report_data(Format format) {
  switch (format) {
    case Format::tdx_quote:
    case Format::sgx_quote:
    case Format::snp_report:
    case Format::nitro:
      return true;
    default:
      return false;
  }
}

bool carries_nonce(Format format) {
  switch (format) {
    case Format::nvidia_gpu:
    case Format::nvidia_switch:
    case Format::tpm_quote:
    case Format::nitro:
    case Format::cca_token:
      return true;
    default:
      return false;
  }
}

std::string_view name(Error error) {
  for (const ErrorWords& words : kErrors) {
    if (words.error == error) return words.name;
  }
  return "unknown";
}

std::string_view describe(Error error) {
  for (const ErrorWords& words : kErrors) {
    if (words.error == error) return words.sentence;
  }
  return "Unknown error.";
}

std::string_view name(TcbStatus status) {
  for (const StatusWord& word : kStatuses) {
    if (word.status == status) return word.name;
  }
  return "unknown";
}

std::optional<TcbStatus> tcb_status_from(std::string_view name) {
  for (const StatusWord& word : kStatuses) {
    if (word.name == name) return word.status;
  }
  return std::nullopt;
}

}  // namespace cloister::evidence
