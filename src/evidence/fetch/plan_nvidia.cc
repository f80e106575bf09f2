#include "evidence/fetch/plan_nvidia.h"

#include <algorithm>

#include "crypto/ocsp.h"
#include "evidence/nvidia/device_chain.h"
#include "evidence/rim/swid.h"

namespace cloister::evidence::fetch {
namespace {

// A switch does not report what its BIOS is filed under; NVIDIA's catalogue has one board of LS10.
constexpr std::string_view kSwitchBoard = "5612_0002_890";

std::unexpected<FetchFault> fail(std::string detail) {
  return std::unexpected(FetchFault{FetchError::bad_evidence, std::move(detail)});
}

// Ids go into an address, so they hold nothing but what ids hold.
bool is_id(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_';
  });
}

std::string without_dots(std::string text) {
  std::erase(text, '.');
  return text;
}

struct ManifestIds {
  std::string driver;  // empty for a switch
  std::string bios;
};

ManifestIds ids_of(const nvidia::Opaque& said, const nvidia::DeviceIdentity& identity) {
  if (identity.architecture == nvidia::Architecture::ls10) {
    return {"",
            "NV_SWITCH_BIOS_" + std::string(kSwitchBoard) + "_" + without_dots(said.vbios_version)};
  }
  const bool hopper = identity.architecture == nvidia::Architecture::hopper;
  return {
      (hopper ? "NV_GPU_DRIVER_" : "NV_GPU_CC_DRIVER_") + identity.chip + "_" + said.driver_version,
      "NV_GPU_VBIOS_" + said.project + "_" + said.project_sku + "_" + said.chip_sku + "_" +
          without_dots(said.vbios_version)};
}

Wanted manifest(std::string file, const std::string& id) {
  return {
      std::move(file), std::string(kNvidiaRimHost), "/v1/rim/" + id, AnswerForm::manifest, "", ""};
}

Wanted revocation(std::string file, const crypto::Certificate& subject,
                  const crypto::Certificate& issuer) {
  return {std::move(file),
          std::string(kNvidiaOcspHost),
          "/",
          AnswerForm::ocsp,
          "",
          "",
          crypto::make_ocsp_request(subject, issuer)};
}

}  // namespace

std::expected<std::vector<Wanted>, FetchFault> plan_nvidia(
    const Evidence& evidence, const std::vector<crypto::Certificate>& device_chain) {
  const auto kind = evidence.format == Format::nvidia_gpu ? nvidia::DeviceKind::gpu
                                                          : nvidia::DeviceKind::nvswitch;
  const auto report = nvidia::parse_report(kind, evidence.bytes);
  if (!report) return fail(report.error().detail);
  Collateral chain_only;
  chain_only.certificates = device_chain;
  const auto chain = nvidia::find_chain(kind, *report, chain_only);
  if (!chain) return fail("give the device's certificates with --chain");
  const auto identity = nvidia::identify(*chain, kind);
  if (!identity) return fail(identity.error().detail);
  const ManifestIds ids = ids_of(report->opaque, *identity);
  std::vector<Wanted> out;
  if (!ids.driver.empty()) {
    if (!is_id(ids.driver)) return fail("a driver's version");
    out.push_back(manifest("driver_rim.xml", ids.driver));
  }
  if (!is_id(ids.bios)) return fail("a BIOS's version");
  out.push_back(manifest("vbios_rim.xml", ids.bios));
  const auto& certificates = chain->certificates;
  for (size_t i = nvidia::kFirstRevocable; i + 1 < certificates.size(); ++i) {
    out.push_back(
        revocation("device_" + std::to_string(i) + ".ocsp", certificates[i], certificates[i + 1]));
  }
  return out;
}

std::expected<std::vector<Wanted>, FetchFault> plan_manifest_revocation(
    const std::vector<std::string>& manifests) {
  std::vector<Wanted> out;
  for (size_t m = 0; m < manifests.size(); ++m) {
    const auto swid = rim::parse_swid(manifests[m]);
    if (!swid) return std::unexpected(FetchFault{FetchError::bad_answer, swid.error().detail});
    const auto& certificates = swid->signature.certificates;
    for (size_t i = 0; i + 1 < certificates.size(); ++i) {
      out.push_back(revocation("rim_" + std::to_string(m) + "_" + std::to_string(i) + ".ocsp",
                               certificates[i], certificates[i + 1]));
    }
  }
  return out;
}

}  // namespace cloister::evidence::fetch
