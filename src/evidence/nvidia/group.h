// Several GPUs, with or without the switches between them, judged as one machine.
#pragma once

#include "evidence/nvidia/verify.h"

namespace cloister::evidence {

struct NvidiaGroupMember {
  nvidia::DeviceKind kind{};
  Buffer report;
};

// How many devices the machine is expected to have. There is no default: a missing device is a
// hole, not a smaller machine.
struct NvidiaGroupSize {
  size_t gpus;
  size_t switches;
};

struct NvidiaGroupVerification {
  std::vector<Verification> devices;  // one for each member, in order, whatever the others found
  std::optional<Error> error;         // the lowest class of any device, else of the group's rules
  std::string detail;
  bool accepted() const { return !error && !devices.empty(); }
};

constexpr size_t kMaxNvidiaGroup = 32;

// Every member is accepted by itself under `binding`, a nonce; then, in this order:
//   identity_mismatch  a device twice, GPUs of two architectures, or, with protected PCIe, a fabric
//                      whose two sides disagree: each GPU must name exactly the switches of the
//                      group, each switch exactly its GPUs
//   policy_denied      another count of devices, GPUs with different feature flags, switches
//                      without protected PCIe or protected PCIe without switches
//   nonce_mismatch     members that answer different nonces (when none was compared)
// A member never sees manifests of the other kind's edition, so one collateral serves all.
NvidiaGroupVerification verify_nvidia_group(std::span<const NvidiaGroupMember> members,
                                            NvidiaGroupSize size, const Collateral& collateral,
                                            const VerifyPolicy& policy, const Binding& binding,
                                            UnixSeconds now);

}  // namespace cloister::evidence
