#include "evidence/nvidia/manifests.h"

#include <algorithm>

namespace cloister::evidence::nvidia {
namespace {

bool is_bios_version(std::string_view version) {
  constexpr std::string_view kForm = "xx.xx.xx.xx.xx";
  return std::ranges::equal(version, kForm, [](char c, char form) {
    return form == '.' ? c == '.' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

}  // namespace

std::string_view name(Component component) {
  return component == Component::driver ? "driver" : "vbios";
}

std::vector<ManifestSubject> subjects_of(DeviceKind kind, const Opaque& said,
                                         std::string_view chip) {
  std::string product(chip);
  std::erase(product, '_');  // manifests leave out the bar that certificates carry
  const bool gpu = kind == DeviceKind::gpu;
  std::vector<ManifestSubject> out;
  if (gpu) out.push_back({Component::driver, said.driver_version, product, "GPU"});
  out.push_back({Component::vbios, said.vbios_version, product, gpu ? "GPU" : "SWITCH"});
  return out;
}

Manifests::Manifests(const Collateral& collateral, const VerifyPolicy& policy, UnixSeconds now)
    : collateral_(collateral), policy_(policy), now_(now) {
  for (const std::string& document : collateral.rims) {
    auto header = rim::header_of(document);
    if (!header) {
      fault_ = header.error();
      return;
    }
    headers_.push_back(std::move(*header));
  }
}

ManifestChoice Manifests::choose(const ManifestSubject& subject) const {
  ManifestChoice out;
  for (size_t i = 0; i < headers_.size(); ++i) {
    const rim::RimHeader& header = headers_[i];
    if (is_bios_version(header.version) != (subject.component == Component::vbios)) continue;
    out.any = true;
    const bool suits = header.version == subject.version && header.product == subject.product &&
                       header.edition == subject.edition;
    const bool newer =
        !out.place || header.signer_not_before > headers_[*out.place].signer_not_before;
    if (suits && newer) out.place = i;
  }
  return out;
}

const Result<rim::VerifiedRim>& Manifests::verified(size_t place) {
  const auto known = verified_.find(place);
  if (known != verified_.end()) return known->second;
  return verified_
      .emplace(place, rim::verify_rim(collateral_.rims[place], collateral_, policy_, now_))
      .first->second;
}

}  // namespace cloister::evidence::nvidia
