#include "evidence/nvidia/group.h"

#include <algorithm>
#include <set>

namespace cloister::evidence {
namespace {

using nvidia::DeviceFacts;
using nvidia::DeviceKind;
using nvidia::Pdi;
using Rule = Result<std::monostate>;

struct Devices {
  std::vector<const DeviceFacts*> gpus, switches;
};

// Manifests of the other edition are of no device of this kind; what does not parse stays, to be
// refused there.
Collateral for_kind(DeviceKind kind, const Collateral& all) {
  Collateral out = all;
  const std::string other = kind == DeviceKind::gpu ? "SWITCH" : "GPU";
  std::erase_if(out.rims, [&](const std::string& document) {
    const auto header = rim::header_of(document);
    return header && header->edition == other;
  });
  return out;
}

Rule check_distinct(const Devices& devices) {
  std::set<Buffer> seen;
  for (const auto* list : {&devices.gpus, &devices.switches}) {
    for (const DeviceFacts* each : *list) {
      if (!seen.insert(each->identity.ueid).second) {
        return refuse(Error::identity_mismatch, "a device stands in the group twice");
      }
    }
  }
  return std::monostate();
}

Rule check_architecture(const Devices& devices) {
  for (const DeviceFacts* each : devices.gpus) {
    if (each->identity.architecture != devices.gpus.front()->identity.architecture) {
      return refuse(Error::identity_mismatch, "GPUs of two architectures");
    }
  }
  return std::monostate();
}

std::set<Pdi> names_of(const std::vector<const DeviceFacts*>& devices) {
  std::set<Pdi> out;
  for (const DeviceFacts* each : devices) out.insert(each->identity.pdi);
  return out;
}

bool names_exactly(const std::vector<Pdi>& named, const std::set<Pdi>& present) {
  return std::set<Pdi>(named.begin(), named.end()) == present;
}

Rule check_fabric(const Devices& devices) {
  const std::set<Pdi> gpus = names_of(devices.gpus), switches = names_of(devices.switches);
  for (const DeviceFacts* gpu : devices.gpus) {
    if (!names_exactly(gpu->opaque.switches, switches)) {
      return refuse(Error::identity_mismatch, "a GPU is linked to other switches than the group's");
    }
  }
  for (const DeviceFacts* each : devices.switches) {
    if (each->opaque.pdi != each->identity.pdi || !names_exactly(each->opaque.gpus, gpus)) {
      return refuse(Error::identity_mismatch, "a switch connects other GPUs than the group's");
    }
  }
  return std::monostate();
}

bool is_protected(const Devices& devices) {
  return !devices.gpus.empty() &&
         devices.gpus.front()->opaque.feature_flag == nvidia::FeatureFlag::ppcie;
}

Rule check_modes(const Devices& devices, NvidiaGroupSize size) {
  if (devices.gpus.size() != size.gpus || devices.switches.size() != size.switches) {
    return refuse(Error::policy_denied, std::to_string(devices.gpus.size()) + " GPUs and " +
                                            std::to_string(devices.switches.size()) + " switches");
  }
  for (const DeviceFacts* each : devices.gpus) {
    if (each->opaque.feature_flag != devices.gpus.front()->opaque.feature_flag) {
      return refuse(Error::policy_denied, "GPUs with different feature flags");
    }
  }
  if (is_protected(devices) == devices.switches.empty()) {
    return refuse(Error::policy_denied, "protected PCIe and switches go together");
  }
  return std::monostate();
}

Rule check_nonces(const std::vector<nvidia::DeviceVerification>& judged) {
  for (const nvidia::DeviceVerification& each : judged) {
    if (each.verification.verified->nonce() != judged.front().verification.verified->nonce()) {
      return refuse(Error::nonce_mismatch, "devices that answer different nonces");
    }
  }
  return std::monostate();
}

Rule check_group(const Devices& devices, NvidiaGroupSize size) {
  if (auto ok = check_distinct(devices); !ok) return ok;
  if (auto ok = check_architecture(devices); !ok) return ok;
  if (!devices.switches.empty() && is_protected(devices)) {
    if (auto ok = check_fabric(devices); !ok) return ok;
  }
  return check_modes(devices, size);
}

}  // namespace

NvidiaGroupVerification verify_nvidia_group(std::span<const NvidiaGroupMember> members,
                                            NvidiaGroupSize size, const Collateral& collateral,
                                            const VerifyPolicy& policy, const Binding& binding,
                                            UnixSeconds now) {
  NvidiaGroupVerification out;
  if (members.empty() || members.size() > kMaxNvidiaGroup) {
    out.error = Error::malformed;
    out.detail = std::to_string(members.size()) + " devices";
    return out;
  }
  const Collateral for_gpus = for_kind(DeviceKind::gpu, collateral),
                   for_switches = for_kind(DeviceKind::nvswitch, collateral);
  nvidia::Manifests gpu_manifests(for_gpus, policy, now),
      switch_manifests(for_switches, policy, now);
  std::vector<nvidia::DeviceVerification> judged;
  for (const NvidiaGroupMember& each : members) {
    const bool gpu = each.kind == DeviceKind::gpu;
    judged.push_back(nvidia::verify_device(each.kind, each.report, gpu ? for_gpus : for_switches,
                                           gpu ? gpu_manifests : switch_manifests, policy, binding,
                                           now));
  }
  Devices devices;
  for (const nvidia::DeviceVerification& each : judged) {
    const Appraisal& appraisal = each.verification.appraisal;
    if (appraisal.error && (!out.error || *appraisal.error < *out.error)) {
      out.error = appraisal.error;
      out.detail = appraisal.detail;
    }
    if (!each.facts) continue;
    auto& list = each.facts->kind == DeviceKind::gpu ? devices.gpus : devices.switches;
    list.push_back(&*each.facts);
  }
  if (!out.error) {
    auto group = check_group(devices, size);
    if (group) group = check_nonces(judged);
    if (!group) {
      out.error = group.error().error;
      out.detail = group.error().detail;
    }
  }
  for (auto& each : judged) out.devices.push_back(std::move(each.verification));
  return out;
}

}  // namespace cloister::evidence
