// The reference manifests of one collateral: parsed once, and each verified at most once, however
// many devices ask.
#pragma once

#include <map>
#include <span>

#include "evidence/nvidia/opaque.h"
#include "evidence/rim/rim.h"

namespace cloister::evidence::nvidia {

enum class Component : uint8_t { driver, vbios };  // `vbios` also stands for a switch's BIOS
std::string_view name(Component component);        // "driver", "vbios"

struct ManifestSubject {
  Component component{};
  std::string version;  // as the device reports it
  std::string product;  // "GH100", "LS10"
  std::string edition;  // "GPU", "SWITCH"
};

// Of a switch its BIOS; of a GPU driver and VBIOS. `chip`: as the certificates write it.
std::vector<ManifestSubject> subjects_of(DeviceKind kind, const Opaque& said,
                                         std::string_view chip);

// What of the collateral may be about one component of a device.
struct ManifestChoice {
  std::optional<size_t> place;  // the newest by signer of the device's version and chip
  bool any = false;             // some manifest of this component was supplied
};

// For one thread; the arguments of `Manifests` must outlive it.
class Manifests {
 public:
  Manifests(const Collateral& collateral, const VerifyPolicy& policy, UnixSeconds now);

  // Why a manifest does not parse; nothing when all do.
  const std::optional<Fault>& fault() const { return fault_; }
  size_t count() const { return headers_.size(); }

  // Manifests do not say which component they are for, but versions tell: a BIOS's has five groups
  // of two hexadecimal digits.
  ManifestChoice choose(const ManifestSubject& subject) const;
  const Result<rim::VerifiedRim>& verified(size_t place);

 private:
  const Collateral& collateral_;
  const VerifyPolicy& policy_;
  const UnixSeconds now_;
  std::optional<Fault> fault_;
  std::vector<rim::RimHeader> headers_;
  std::map<size_t, Result<rim::VerifiedRim>> verified_;
};

}  // namespace cloister::evidence::nvidia
