// cloister verify: evidence of any format, judged offline at a time that the caller names.
#include "evidence/verify.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/nearest.h"
#include "cli/verdict.h"
#include "evidence/common/appraisal_json.h"

namespace cloister::cli {
namespace {

using evidence::Appraisal;
using evidence::Binding;
using evidence::VerifyPolicy;

// Anything that keeps the arguments from being used, in words.
template <typename T>
using Usable = std::expected<T, std::string>;

struct VerifyOptions {
  std::string evidence;
  std::string format;
  std::vector<std::string> collateral;
  UnixSeconds time = 0;
  std::optional<std::string> report_data;  // given and empty is a mistake, not an absence
  std::optional<std::string> nonce;
  std::vector<std::string> allow;
  std::vector<std::string> development_roots;
  bool json = false;
};

struct NamedFile {
  std::string path;
  Buffer content;
};

struct Request {
  evidence::Evidence evidence;
  std::vector<NamedFile> collateral;
  VerifyPolicy policy;
  Binding binding = Binding::not_compared();
  UnixSeconds time = 0;
};

struct KnownFormat {
  std::string_view name;
};
constexpr KnownFormat kFormats[] = {
    {"tdx-quote"},  {"sgx-quote"}, {"snp-report"}, {"nvidia-gpu"}, {"nvidia-switch"},
    {"nvidia-rim"}, {"tpm-quote"}, {"nitro"},      {"cca-token"},  {"bundle"},
};

template <typename Entries>
std::vector<std::string> names_of(const Entries& entries) {
  std::vector<std::string> out;
  for (const auto& entry : entries) out.emplace_back(entry.name);
  return out;
}

template <typename Entries>
auto find_named(const Entries& entries, std::string_view name) {
  return std::find_if(std::begin(entries), std::end(entries),
                      [&](const auto& entry) { return entry.name == name; });
}

std::vector<std::string> permission_names() {
  const auto names = evidence::permissions();
  return {names.begin(), names.end()};
}

std::unexpected<std::string> unusable(std::string text) {
  return std::unexpected(std::move(text));
}

Usable<evidence::Format> format_from(const std::string& name) {
  if (find_named(kFormats, name) == std::end(kFormats)) {
    return unusable("no format " + name + suggestion(name, names_of(kFormats)));
  }
  const auto format = evidence::format_from(name);
  if (!format) return unusable("format " + name + " is not built yet");
  return *format;
}

Usable<Buffer> read(const std::string& path, size_t max_bytes) {
  auto content = read_file(path, max_bytes);
  if (!content) return unusable(fmt::format("{}: {}", path, describe(content.error())));
  return std::move(*content);
}

// A folder stands for the files in it, in order of their names.
Usable<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      out.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      if (entry.is_regular_file(error)) inside.push_back(entry.path().string());
    }
    if (error) return unusable(path + ": the folder cannot be read");
    std::sort(inside.begin(), inside.end());
    out.insert(out.end(), inside.begin(), inside.end());
  }
  if (out.size() > evidence::kMaxCollateralObjects) return unusable("too many collateral files");
  return out;
}

Usable<std::vector<NamedFile>> read_collateral(const std::vector<std::string>& paths) {
  const auto files = files_of(paths);
  if (!files) return unusable(files.error());
  std::vector<NamedFile> out;
  for (const std::string& path : *files) {
    auto content = read(path, evidence::kMaxCollateralFileBytes);
    if (!content) return unusable(content.error());
    out.push_back({path, std::move(*content)});
  }
  return out;
}

Usable<VerifyPolicy> policy_from(const VerifyOptions& options) {
  VerifyPolicy policy;
  for (const std::string& name : options.allow) {
    if (!evidence::allow(policy, name)) {
      return unusable("no permission " + name + suggestion(name, permission_names()));
    }
  }
  for (const std::string& path : options.development_roots) {
    const auto pem = read(path, evidence::kMaxCollateralFileBytes);
    if (!pem) return unusable(pem.error());
    const auto roots = crypto::certificates_from_pem(as_text(*pem), 8);
    if (!roots || roots->empty()) return unusable(path + ": no certificate in PEM form");
    for (const auto& root : *roots) evidence::add_development_root(policy.anchors, root);
  }
  return policy;
}

constexpr size_t kMaxBindingBytes = 512;  // the longest: user_data of Nitro

// Formats whose evidence carries report data, with the sizes that it may have.
bool fits(evidence::Format format, size_t report_data_bytes) {
  switch (format) {
    case evidence::Format::tdx_quote:
    case evidence::Format::sgx_quote:
    case evidence::Format::snp_report:
      return report_data_bytes == 64;
    case evidence::Format::nitro:
      return report_data_bytes <= kMaxBindingBytes;
    default:
      return false;
  }
}

bool carries_nonce(evidence::Format format) {
  switch (format) {
    case evidence::Format::tdx_quote:
    case evidence::Format::sgx_quote:
    case evidence::Format::snp_report:
    case evidence::Format::nvidia_rim:
      return false;
    default:
      return true;
  }
}

Usable<Binding> binding_from(const VerifyOptions& options, evidence::Format format) {
  Binding out = Binding::not_compared();
  if (options.report_data) {
    const auto expected = from_hex(*options.report_data);
    if (!expected || expected->empty()) return unusable("--report-data takes hexadecimal digits");
    if (!fits(format, expected->size())) {
      return unusable(format == evidence::Format::nitro ? "--report-data takes at most 512 bytes"
                      : carries_nonce(format) || format == evidence::Format::nvidia_rim
                          ? "format " + options.format + " carries no report data"
                          : "--report-data takes 64 bytes as 128 hexadecimal digits");
    }
    out = out.and_report_data(*expected);
  }
  if (options.nonce) {
    if (!carries_nonce(format)) {
      return unusable("format " + options.format + " carries no nonce");
    }
    const auto expected = from_hex(*options.nonce);
    if (!expected || expected->empty() || expected->size() > kMaxBindingBytes) {
      return unusable("--nonce takes 1 to 512 bytes in hexadecimal digits");
    }
    out = out.and_nonce(*expected);
  }
  return out;
}

Usable<Request> request_from(const VerifyOptions& options) {
  const auto format = format_from(options.format);
  if (!format) return unusable(format.error());
  auto policy = policy_from(options);
  if (!policy) return unusable(policy.error());
  const auto binding = binding_from(options, *format);
  if (!binding) return unusable(binding.error());
  auto bytes = read(options.evidence, evidence::kMaxEvidenceBytes);
  if (!bytes) return unusable(bytes.error());
  auto collateral = read_collateral(options.collateral);
  if (!collateral) return unusable(collateral.error());
  return Request{{*format, std::move(*bytes)},
                 std::move(*collateral),
                 std::move(*policy),
                 *binding,
                 options.time};
}

// A collateral file that is there and unreadable is a refusal, not a file left out.
Appraisal judge(const Request& request) {
  evidence::Collateral collateral;
  for (const NamedFile& file : request.collateral) {
    if (collateral.add(file.content)) continue;
    Appraisal refused;
    refused.format = request.evidence.format;
    refused.error = evidence::Error::malformed;
    refused.detail = file.path + ": not collateral of a known kind, or too much of it";
    refused.checks = {{"collateral_form", false, "signed JSON, certificates or a CRL", file.path}};
    return refused;
  }
  return evidence::verify(request.evidence, collateral, request.policy, request.binding,
                          request.time)
      .appraisal;
}

int run(const VerifyOptions& options) {
  const auto request = request_from(options);
  if (!request) {
    fmt::print(stderr, "cloister verify: {}\nTry `cloister verify --help`.\n", request.error());
    return kExitUsage;
  }
  const Appraisal appraisal = judge(*request);
  if (options.json) {
    fmt::print("{}\n", evidence::to_json(appraisal).dump());
  } else {
    fmt::print("{}", verdict_text(appraisal, request->time));
  }
  return appraisal.accepted() ? kExitOk : kExitRefused;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Command add_verify(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "verify",
      "Verify evidence offline. Exit code 0: accepted, 1: rejected, 2: unusable arguments");
  auto options = std::make_shared<VerifyOptions>();
  app->add_option("EVIDENCE", options->evidence, "file as the device gave it")->required();
  app->add_option("--format", options->format, "one of " + listed(names_of(kFormats)))->required();
  app->add_option("--collateral", options->collateral,
                  "vendor-signed files, or folders of them; what each is, is found by content");
  app->add_option("--time", options->time, "judge at this Unix time, in seconds")->required();
  app->add_option("--report-data", options->report_data,
                  "what the evidence must carry, in hex (64 bytes; nitro: user_data); not compared "
                  "when absent");
  app->add_option("--nonce", options->nonce, "the nonce that the evidence must carry, in hex");
  app->add_option("--allow", options->allow,
                  "waive what is refused by default: " + listed(permission_names()));
  app->add_option("--development-root", options->development_roots,
                  "PEM certificate of a simulated vendor; gives no protection");
  app->add_flag("--json", options->json, "print one JSON object");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
