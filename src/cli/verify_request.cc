#include "cli/verify_request.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/files.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/nearest.h"
#include "evidence/bundle/cmw.h"

namespace cloister::cli {
namespace {

using evidence::Binding;
using evidence::VerifyPolicy;

// Anything that keeps the arguments from being used, in words.
template <typename T>
using Usable = std::expected<T, std::string>;

constexpr std::string_view kBundle = "bundle";
constexpr size_t kMaxKeyBytes = 16 * 1024;

std::unexpected<std::string> unusable(std::string text) {
  return std::unexpected(std::move(text));
}

// Nothing inside: a bundle.
Usable<std::optional<evidence::Format>> format_from(const std::string& name) {
  if (name == kBundle) return std::optional<evidence::Format>();
  const auto format = evidence::format_from(name);
  if (!format) return unusable("no format " + name + suggestion(name, format_names()));
  return format;
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

bool fits(std::optional<evidence::Format> format, size_t report_data_bytes) {
  return !format || format == evidence::Format::nitro ? report_data_bytes <= kMaxBindingBytes
                                                      : report_data_bytes == 64;
}

Usable<Binding> binding_from(const VerifyOptions& options, std::optional<evidence::Format> format) {
  Binding out = Binding::not_compared();
  if (options.report_data) {
    const auto expected = from_hex(*options.report_data);
    if (!expected || expected->empty()) return unusable("--report-data takes hexadecimal digits");
    if (format && !evidence::carries_report_data(*format)) {
      return unusable("format " + options.format + " carries no report data");
    }
    if (!fits(format, expected->size())) {
      return unusable(format && format != evidence::Format::nitro
                          ? "--report-data takes 64 bytes as 128 hexadecimal digits"
                          : "--report-data takes at most 512 bytes");
    }
    out = out.and_report_data(*expected);
  }
  if (options.nonce) {
    if (format && !evidence::carries_nonce(*format)) {
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

// ES256 and ES384 sign tokens, so the key is of P-256 or P-384.
Usable<std::optional<crypto::PrivateKey>> ear_key_from(const VerifyOptions& options) {
  if (!options.ear_key) return std::optional<crypto::PrivateKey>();
  if (options.json) return unusable("--ear and --json exclude each other");
  auto pem = read(*options.ear_key, kMaxKeyBytes);
  if (!pem) return unusable(pem.error());
  auto key = crypto::PrivateKey::from_pem(as_text(*pem));
  wipe(pem->data(), pem->size());
  if (!key || key->public_xy().empty()) {
    return unusable(*options.ear_key + ": no private key of P-256 or P-384 in PEM form");
  }
  return key;
}

}  // namespace

std::vector<std::string> format_names() {
  std::vector<std::string> out;
  for (uint8_t number = 1; number <= static_cast<uint8_t>(evidence::Format::cca_token); ++number) {
    out.emplace_back(evidence::name(evidence::Format{number}));
  }
  out.emplace_back(kBundle);
  return out;
}

std::vector<std::string> permission_names() {
  const auto names = evidence::permissions();
  return {names.begin(), names.end()};
}

std::expected<VerifyRequest, std::string> request_from(const VerifyOptions& options) {
  const auto format = format_from(options.format);
  if (!format) return unusable(format.error());
  auto policy = policy_from(options);
  if (!policy) return unusable(policy.error());
  const auto binding = binding_from(options, *format);
  if (!binding) return unusable(binding.error());
  auto key = ear_key_from(options);
  if (!key) return unusable(key.error());
  auto bytes = read(options.evidence,
                    *format ? evidence::kMaxEvidenceBytes : evidence::bundle::kMaxBundleBytes);
  if (!bytes) return unusable(bytes.error());
  auto collateral = read_collateral(options.collateral);
  if (!collateral) return unusable(collateral.error());
  return VerifyRequest{*format,  std::move(*bytes), std::move(*collateral), std::move(*policy),
                       *binding, options.time,      std::move(*key)};
}

}  // namespace cloister::cli
