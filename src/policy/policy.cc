#include "policy/policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "evidence/common/version_floor.h"

namespace cloister::policy {
namespace {

using evidence::TcbStatus;

std::string join(const std::vector<std::string>& words) {
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

std::string join(const std::vector<TcbStatus>& statuses) {
  std::vector<std::string> words;
  for (auto status : statuses) words.emplace_back(evidence::name(status));
  return join(words);
}

template <typename T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::ranges::find(list, value) != list.end();
}

template <typename T>
void unite(std::vector<T>& into, const std::vector<T>& more) {
  for (const T& value : more) {
    if (!contains(into, value)) into.push_back(value);
  }
}

bool same_release(const Release& a, const Release& b) {
  return a.format == b.format && a.measurement == b.measurement &&
         a.runtime_measurements == b.runtime_measurements && a.min_driver == b.min_driver &&
         a.min_firmware == b.min_firmware;
}

bool is_program(const Release& release, const Established& claims) {
  if (is_device(claims.format)) {
    return evidence::at_least(claims.driver_version, release.min_driver) &&
           evidence::at_least(claims.firmware_version, release.min_firmware);
  }
  return release.measurement == claims.measurement &&
         (release.runtime_measurements.empty() ||
          release.runtime_measurements == claims.runtime_measurements);
}

bool matches(const Release& release, const Established& claims, uint64_t height) {
  return release.format == claims.format && is_program(release, claims) &&
         release.valid_from_height <= height && height <= release.valid_until_height;
}

std::string program_of(const Established& claims) {
  if (!is_device(claims.format)) return to_hex(claims.measurement);
  return fmt::format("driver {}, firmware {}",
                     claims.driver_version.empty() ? "none" : claims.driver_version,
                     claims.firmware_version);
}

Finding judge_measurement(const Established& claims, const LayeredRules& rules, uint64_t height) {
  const auto& releases = rules.merged.releases;
  auto found =
      std::ranges::find_if(releases, [&](const Release& r) { return matches(r, claims, height); });
  std::vector<std::string> known;
  for (const Release& release : releases) {
    if (release.format == claims.format) known.push_back(release.name);
  }
  std::string measured = program_of(claims);
  if (contains(rules.merged.denied_measurements, claims.measurement)) {
    return {Reason::measurement, Layer::community, false, "no denied program", measured};
  }
  bool ok = found != releases.end();
  return {Reason::measurement, rules.releases_from, ok, "a released program: " + join(known),
          ok ? fmt::format("{} ({})", found->name, measured) : measured};
}

std::vector<std::string> denied(const Established& claims, const Rules& rules) {
  std::vector<std::string> out;
  for (const auto& advisory : claims.advisories) {
    if (contains(rules.denied_advisories, advisory)) out.push_back(advisory);
  }
  return out;
}

}  // namespace

bool is_device(evidence::Format format) {
  return format == evidence::Format::nvidia_gpu || format == evidence::Format::nvidia_switch;
}

std::string_view name(Layer layer) {
  switch (layer) {
    case Layer::vendor:
      return "vendor";
    case Layer::network:
      return "network";
    case Layer::community:
      return "community";
    case Layer::local:
      return "local";
  }
  std::abort();
}

std::string_view name(Reason reason) {
  switch (reason) {
    case Reason::tcb_status:
      return "tcb_status";
    case Reason::tcb_evaluation:
      return "tcb_evaluation";
    case Reason::advisory:
      return "advisory";
    case Reason::product:
      return "product";
    case Reason::measurement:
      return "measurement";
    case Reason::development:
      return "development";
    case Reason::paused:
      return "paused";
    case Reason::platform:
      return "platform";
  }
  std::abort();
}

std::vector<TcbStatus> default_accepted_statuses() {
  return {TcbStatus::up_to_date, TcbStatus::sw_hardening_needed, TcbStatus::configuration_needed,
          TcbStatus::configuration_and_sw_hardening_needed};
}

LayeredRules layered(const Rules& network) {
  LayeredRules out;
  out.merged = network;
  return out;
}

LayeredRules strictest(const LayeredRules& outer, const Rules& inner, Layer inner_layer) {
  LayeredRules out = outer;
  Rules& merged = out.merged;
  size_t statuses = merged.accepted_statuses.size(), releases = merged.releases.size();
  std::erase_if(merged.accepted_statuses,
                [&](TcbStatus s) { return !contains(inner.accepted_statuses, s); });
  std::erase_if(merged.releases, [&](const Release& release) {
    return std::ranges::none_of(inner.releases,
                                [&](const Release& r) { return same_release(r, release); });
  });
  merged.min_tcb_evaluation_number =
      std::max(merged.min_tcb_evaluation_number, inner.min_tcb_evaluation_number);
  unite(merged.denied_advisories, inner.denied_advisories);
  unite(merged.distrusted_products, inner.distrusted_products);
  unite(merged.denied_measurements, inner.denied_measurements);
  unite(merged.denied_platforms, inner.denied_platforms);
  unite(merged.paused_formats, inner.paused_formats);
  if (merged.accepted_statuses.size() != statuses) out.statuses_from = inner_layer;
  if (merged.releases.size() != releases) out.releases_from = inner_layer;
  if (merged.allow_development && !inner.allow_development) out.development_from = inner_layer;
  merged.allow_development = merged.allow_development && inner.allow_development;
  return out;
}

evidence::VerifyPolicy verify_policy(const Rules& rules, const evidence::TrustAnchors& anchors) {
  evidence::VerifyPolicy out;
  out.anchors = anchors;
  if (!rules.allow_development) {
    out.anchors.development_intel.clear();
    out.anchors.development_amd.clear();
    out.anchors.development_nvidia.clear();
  }
  out.allow_out_of_date = contains(rules.accepted_statuses, TcbStatus::out_of_date);
  out.min_tcb_evaluation_number = rules.min_tcb_evaluation_number;
  out.distrusted_products = rules.distrusted_products;
  out.denied_advisories = rules.denied_advisories;
  return out;
}

std::optional<Reason> Decision::first_refusal() const {
  auto found = std::ranges::find(findings, false, &Finding::ok);
  if (found == findings.end()) return std::nullopt;
  return found->reason;
}

Established established(const evidence::VerifiedEvidence& verified, const Hash32& platform) {
  Established out;
  out.format = verified.format();
  out.status = verified.status();
  out.advisories = verified.advisories();
  out.tcb_evaluation_number = verified.tcb_evaluation_number();
  out.product = verified.product();
  out.measurement = verified.measurement();
  out.runtime_measurements = verified.runtime_measurements();
  out.driver_version = verified.driver_version();
  out.firmware_version = verified.firmware_version();
  out.platform = platform;
  out.development = verified.development();
  return out;
}

Decision decide(const evidence::VerifiedEvidence& verified, const Hash32& platform,
                const LayeredRules& rules, uint64_t height) {
  return decide_again(established(verified, platform), rules, height);
}

Decision decide_again(const Established& claims, const LayeredRules& rules, uint64_t height) {
  const Rules& merged = rules.merged;
  Decision out;
  auto add = [&](Finding finding) { out.findings.push_back(std::move(finding)); };
  add({Reason::tcb_status, rules.statuses_from, contains(merged.accepted_statuses, claims.status),
       join(merged.accepted_statuses), std::string(evidence::name(claims.status))});
  bool intel = claims.format == evidence::Format::tdx_quote;
  add({Reason::tcb_evaluation, Layer::vendor,
       !intel || claims.tcb_evaluation_number >= merged.min_tcb_evaluation_number,
       fmt::format("at least {}", merged.min_tcb_evaluation_number),
       intel ? fmt::format("{}", claims.tcb_evaluation_number) : "not used by this vendor"});
  auto bad_advisories = denied(claims, merged);
  add({Reason::advisory, Layer::network, bad_advisories.empty(),
       "none of: " + join(merged.denied_advisories),
       bad_advisories.empty() ? join(claims.advisories) : join(bad_advisories)});
  add({Reason::product, Layer::network, !contains(merged.distrusted_products, claims.product),
       "none of: " + join(merged.distrusted_products), claims.product});
  add(judge_measurement(claims, rules, height));
  add({Reason::development, rules.development_from, !claims.development || merged.allow_development,
       merged.allow_development ? "development or real hardware" : "real hardware",
       claims.development ? "development: no hardware protection" : "real hardware"});
  const bool paused = contains(merged.paused_formats, claims.format);
  add({Reason::paused, Layer::community, !paused, "a kind of platform that is not paused",
       std::string(evidence::name(claims.format)) + (paused ? ": paused" : "")});
  const bool denied_platform = contains(merged.denied_platforms, claims.platform);
  add({Reason::platform, Layer::community, !denied_platform, "a machine that is not denied",
       to_hex(claims.platform)});
  out.allowed = std::ranges::all_of(out.findings, &Finding::ok);
  return out;
}

}  // namespace cloister::policy
