// The certificates behind a device: the leaf that its firmware made, the device's own, the
// provisioner's, the architecture's, NVIDIA's root.
#pragma once

#include "evidence/common/p384_chain.h"
#include "evidence/nvidia/report.h"

namespace cloister::evidence::nvidia {

constexpr size_t kDeviceChainCertificates = 5;
constexpr size_t kFirstRevocable = 1;  // the leaf is local to the device

enum class Architecture : uint8_t { hopper, blackwell, ls10 };
std::string_view name(Architecture architecture);  // "HOPPER", "BLACKWELL", "LS10"

struct DeviceChain {
  std::vector<crypto::Certificate> certificates;  // leaf first
  std::vector<const crypto::Certificate*> view() const;
};

// The chain that starts at the leaf whose key signed the report; when none did, at the first leaf
// of a device of this kind, so that the signature is what refuses. Links are by name here;
// check_p384_chain verifies them. `collateral_missing`: no leaf.
Result<DeviceChain> find_chain(DeviceKind kind, const Report& report, const Collateral& collateral);

// "GH100", as the name of a leaf begins.
std::string chip_of(const crypto::Certificate& leaf);

struct DeviceIdentity {
  std::string chip;  // "GH100", "LS_10": as the certificates write it
  Architecture architecture{};
  Fixed<48> fwid{};  // DICE: the digest of the first mutable firmware
  Buffer ueid;       // the serial number of the device's certificate
  Pdi pdi{};         // its last eight bytes
};

// Five certificates whose names agree on the chip and say their roles, with the leaf's DICE
// identity (TCG DICE Attestation Architecture, 6.1.1). `wrong_chain`: another count, another name,
// a chip of the other kind or not known, no identity.
Result<DeviceIdentity> identify(const DeviceChain& chain, DeviceKind kind);

}  // namespace cloister::evidence::nvidia
