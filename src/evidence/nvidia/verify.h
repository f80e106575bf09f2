// Decides whether an NVIDIA GPU or NVSwitch is genuine, runs the firmware and driver that NVIDIA
// signed manifests for, and answers our nonce. Hopper, Blackwell, LS10.
#pragma once

#include "evidence/nvidia/device_chain.h"
#include "evidence/nvidia/manifests.h"

namespace cloister::evidence {

// A pure function (20-attestation, 3). `collateral` holds the device's five certificates, OCSP
// answers about the three between leaf and root, the manifests of driver and VBIOS (of a switch: of
// its BIOS) and OCSP answers about their chains; other devices' may be among them. Everything
// authentic is judged before anything is compared, and the lowest class of what fails is the
// verdict, so that no fault hides behind another: form, presence, chain, names, windows,
// revocation, manifests for other versions, signatures, FWID, floors of versions, measurements,
// nonce of the request.
//
// The device does not say which confidential VM it serves: the caller binds it by the nonce
// (30-channels, 1).
Verification verify_nvidia(nvidia::DeviceKind kind, Bytes report, const Collateral& collateral,
                           const VerifyPolicy& policy, const Binding& binding, UnixSeconds now);

namespace nvidia {

// What a group of devices is judged by. Only verify_device makes it, of an accepted device.
struct DeviceFacts {
  DeviceKind kind{};
  DeviceIdentity identity;
  Opaque opaque;
};
struct DeviceVerification {
  Verification verification;
  std::optional<DeviceFacts> facts;  // set exactly when the device was accepted
};
// `manifests`: of the same collateral, policy and time; several devices may share them.
DeviceVerification verify_device(DeviceKind kind, Bytes report, const Collateral& collateral,
                                 Manifests& manifests, const VerifyPolicy& policy,
                                 const Binding& binding, UnixSeconds now);

}  // namespace nvidia
}  // namespace cloister::evidence
