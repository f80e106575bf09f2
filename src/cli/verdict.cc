#include "cli/verdict.h"

#include <fmt/core.h>

#include "base/text.h"
#include "evidence/common/appraisal_json.h"

namespace cloister::cli {
namespace {

using evidence::Appraisal;
using evidence::Check;
using evidence::Error;

constexpr size_t kMaxCellBytes = 72;

std::string cell(const std::string& text) {
  if (text.size() <= kMaxCellBytes) return printable(text);
  return printable(text.substr(0, kMaxCellBytes - 3)) + "...";
}

std::string_view advice(Error error) {
  switch (error) {
    case Error::malformed:
      return "Check --format, and fetch the evidence and collateral again.";
    case Error::unsupported:
      return "This kind of evidence cannot be verified by this version.";
    case Error::collateral_missing:
      return "Add the missing file with --collateral; absent revocation can be waived with "
             "--allow no_revocation, absent manifests with --allow no_rim.";
    case Error::wrong_chain:
      return "Use the certificates of this very device. For a simulated TEE, name its root with "
             "--development-root.";
    case Error::not_yet_valid:
      return "Check --time; the collateral may be newer than that.";
    case Error::expired:
      return "Fetch fresh collateral, or check --time.";
    case Error::revoked:
      return "Do not use this device: its vendor has revoked a certificate.";
    case Error::collateral_mismatch:
      return "Fetch the collateral of this very device.";
    case Error::bad_signature:
      return "Do not trust this: something was changed after signing.";
    case Error::identity_mismatch:
      return "Do not trust this: its parts are of different devices.";
    case Error::no_tcb_level:
      return "The platform's firmware is older than any its vendor lists.";
    case Error::debug_enabled:
      return "Its host can read everything inside. Start it without debug.";
    case Error::policy_denied:
      return "The failed check above says which attribute is not allowed.";
    case Error::service_td:
      return "Start it without a service TD, or --allow service_td.";
    case Error::tcb_status:
      return "Update the platform's firmware, or --allow out_of_date.";
    case Error::measurement_mismatch:
      return "Do not trust this: it runs other code.";
    case Error::report_data_mismatch:
    case Error::nonce_mismatch:
      return "This evidence was made for another connection or challenge.";
  }
  return "";
}

std::string check_lines(const Check& check) {
  std::string out =
      fmt::format("  {:<20} {:<6} {}\n", check.name, check.ok ? "ok" : "FAILED", cell(check.found));
  if (!check.ok) out += fmt::format("  {:<20} {:<6} {}\n", "", "wanted", printable(check.expected));
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "none" : out;
}

}  // namespace

std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

std::string bundle_text(std::optional<Error> error, const std::string& detail) {
  std::string out = fmt::format("{}: bundle\n", error ? "REJECTED" : "ACCEPTED");
  if (error) {
    out += fmt::format("error {}: {}\n  {}\n", name(*error), describe(*error), printable(detail));
  }
  return out;
}

std::string verdict_text(const Appraisal& appraisal, UnixSeconds judged_at) {
  std::string out = fmt::format("{}: {} at {}\n", appraisal.accepted() ? "ACCEPTED" : "REJECTED",
                                name(appraisal.format), utc_text(judged_at));
  if (appraisal.development) out += fmt::format("development: {}\n", evidence::kNoProtection);
  if (appraisal.error) {
    out += fmt::format("error {}: {}\n  {}\n", name(*appraisal.error), describe(*appraisal.error),
                       printable(appraisal.detail));
  }
  if (appraisal.status) {
    out += fmt::format("status {}, advisories {}\n", name(*appraisal.status),
                       joined(appraisal.advisories));
  }
  out += "\n  check                result found\n";
  for (const Check& check : appraisal.checks) out += check_lines(check);
  if (appraisal.error) {
    out += fmt::format("\nWhat to do: {}\n", advice(*appraisal.error));
  } else {
    out +=
        "\nWhat to do: compare the measurement with one that you know; --json prints all claims.\n";
  }
  return out;
}

}  // namespace cloister::cli
