#include "evidence/bundle/ear.h"

#include <algorithm>

#include "base/text.h"
#include "evidence/common/appraisal_json.h"

namespace cloister::evidence::bundle {
namespace {

constexpr std::string_view kProfile = "tag:github.com,2023:veraison/ear";

// AR4SI, 2.3.2 to 2.3.9.
constexpr int kNoClaim = 0;
constexpr int kGenuineHardware = 2, kUnsafeHardware = 32, kContraindicatedHardware = 96,
              kUnrecognizedHardware = 97;
constexpr int kUntrustworthyInstance = 96;
constexpr int kApprovedConfiguration = 2, kUnsafeConfiguration = 32,
              kUnsupportableConfiguration = 96;
constexpr int kApprovedRuntime = 2, kContraindicatedRuntime = 96;
constexpr int kEncryptedMemory = 2, kIsolatedMemory = 32;
constexpr int kCryptographyFailed = 99;

bool is_good(const Appraisal& appraisal) {
  return appraisal.status == TcbStatus::up_to_date;
}

bool debug_on(const Appraisal& appraisal) {
  return std::ranges::any_of(appraisal.checks, [](const Check& check) {
    return check.name == "debug_off" && check.found.starts_with("on");
  });
}

int memory_of(Format format) {
  switch (format) {
    case Format::tdx_quote:
    case Format::sgx_quote:
    case Format::snp_report:
      return kEncryptedMemory;
    case Format::nitro:
      return kIsolatedMemory;
    default:
      return kNoClaim;
  }
}

// Manifests of which each that was compared matched, and none was waived.
bool manifests_matched(const Appraisal& appraisal) {
  const auto is = [&](std::string_view claim, std::string_view value) {
    return appraisal.claims[claim].string() == value;
  };
  if (appraisal.format == Format::nvidia_switch) return is("vbios_rim", "match");
  return appraisal.format == Format::nvidia_gpu && is("vbios_rim", "match") &&
         is("driver_rim", "match");
}

TrustVector accepted_vector(const Appraisal& appraisal) {
  TrustVector out;
  out.hardware = is_good(appraisal) ? kGenuineHardware : kUnsafeHardware;
  if (appraisal.development) out.hardware = kUnrecognizedHardware;
  out.configuration = debug_on(appraisal) ? kUnsafeConfiguration : kApprovedConfiguration;
  out.runtime_opaque = debug_on(appraisal) ? kNoClaim : memory_of(appraisal.format);
  if (manifests_matched(appraisal)) out.executables = kApprovedRuntime;
  return out;
}

TrustVector refused_vector(Error error) {
  switch (error) {
    case Error::malformed:
    case Error::bad_signature:
      return {.hardware = kCryptographyFailed};
    case Error::wrong_chain:
      return {.hardware = kUnrecognizedHardware};
    case Error::revoked:
    case Error::no_tcb_level:
    case Error::tcb_status:
      return {.hardware = kContraindicatedHardware};
    case Error::debug_enabled:
    case Error::policy_denied:
    case Error::service_td:
      return {.configuration = kUnsupportableConfiguration};
    case Error::measurement_mismatch:
      return {.executables = kContraindicatedRuntime};
    case Error::identity_mismatch:
    case Error::report_data_mismatch:
    case Error::nonce_mismatch:
      return {.instance_identity = kUntrustworthyInstance};
    // The verifier could not come to a verdict about the device: no claim, so no trust.
    case Error::unsupported:
    case Error::collateral_missing:
    case Error::not_yet_valid:
    case Error::expired:
    case Error::collateral_mismatch:
      return {};
  }
  std::abort();
}

JsonValue vector_json(const TrustVector& v) {
  JsonValue out = JsonValue::Object{};
  const std::pair<const char*, int> categories[] = {
      {"instance-identity", v.instance_identity},
      {"configuration", v.configuration},
      {"executables", v.executables},
      {"hardware", v.hardware},
      {"runtime-opaque", v.runtime_opaque},
  };
  for (const auto& [name, value] : categories) {
    if (value != kNoClaim) out.set(name, value);
  }
  return out;
}

}  // namespace

TrustVector trust_vector(const Appraisal& appraisal) {
  return appraisal.error ? refused_vector(*appraisal.error) : accepted_vector(appraisal);
}

std::string_view tier(const TrustVector& v) {
  const int worst =
      std::max({v.instance_identity, v.configuration, v.executables, v.hardware, v.runtime_opaque});
  if (worst >= 96) return "contraindicated";
  if (worst >= 32) return "warning";
  return worst >= 2 ? "affirming" : "none";
}

JsonValue ear_claims(const std::vector<EarItem>& items, const EarContext& context) {
  JsonValue submodules = JsonValue::Object{};
  for (const EarItem& each : items) {
    const TrustVector vector = trust_vector(*each.appraisal);
    JsonValue item;
    item.set("ear.status", tier(vector));
    item.set("ear.trustworthiness-vector", vector_json(vector));
    if (!context.policy_id.empty()) item.set("ear.appraisal-policy-id", context.policy_id);
    item.set("cloister.appraisal", evidence::to_json(*each.appraisal));
    submodules.set(each.label, std::move(item));
  }
  JsonValue out;
  out.set("eat_profile", kProfile);
  out.set("iat", context.issued_at);
  out.set("ear.verifier-id", JsonValue::object({{"developer", context.verifier_developer},
                                                {"build", context.verifier_build}}));
  if (!context.nonce.empty()) out.set("eat_nonce", to_base64url(context.nonce));
  out.set("submods", std::move(submodules));
  return out;
}

std::string sign_ear(const JsonValue& claims, const crypto::PrivateKey& key) {
  const bool p384 = key.public_xy().size() == 96;
  const std::string header =
      std::string(R"({"alg":")") + (p384 ? "ES384" : "ES256") + R"(","typ":"JWT"})";
  const std::string signed_part =
      to_base64url(as_bytes(header)) + "." + to_base64url(as_bytes(claims.dump()));
  return signed_part + "." + to_base64url(key.sign_ecdsa(as_bytes(signed_part)));
}

}  // namespace cloister::evidence::bundle
