// One device under a test hierarchy, with its manifests and OCSP answers, from parameters of which
// a test bends one: everything is signed as it should be.
#pragma once

#include "evidence/nvidia/group.h"
#include "evidence/rim/scenario_testing.h"

namespace cloister::evidence::nvidia {

using rim::kHour;
using rim::kNow;

// leaf ← device ← provisioner ← identity ← root, the root of NVIDIA's test hierarchy for manifests.
struct Device {
  Authority identity, provisioner, device, leaf;
};

struct DeviceForm {
  std::string chip = "GH100";
  std::string processor = "GSP";
  Buffer serial = {0x41, 0, 1, 2, 3, 4, 5, 6, 7};
  Fixed<48> fwid{7};
  bool tcb_info = false;  // Blackwell's form of the identity
};
Device make_device(const DeviceForm& form);
crypto::IssueExtension fwid_extension(const Fixed<48>& fwid, bool tcb_info);

using OpaqueFields = std::vector<std::pair<uint16_t, Buffer>>;
OpaqueFields gpu_fields(const Fixed<48>& fwid);
OpaqueFields switch_fields();
Buffer& field(OpaqueFields& fields, uint16_t type);
void remove(OpaqueFields& fields, uint16_t type);

struct Block {
  uint8_t index = 0, specification = 1;
  uint16_t size = 51;
  uint8_t kind = 1;
  uint16_t value_size = 48;
  Buffer value = Buffer(48);
};

// An answer about the first certificate of `chain`, which comes along.
std::vector<Buffer> answer_object(std::span<const crypto::Certificate> chain,
                                  crypto::OcspAnswer answer);

struct Scenario {
  Scenario();

  DeviceKind kind = DeviceKind::gpu;
  std::shared_ptr<const Device> device;
  Buffer nonce = Buffer(32, 0x11);
  uint8_t request_version = 0x11, request_code = 0xE0, request_attributes = 1, operation = 0xFF;
  uint8_t response_version = 0x11, response_code = 0x60;
  std::vector<Block> blocks;  // indices are set when the report is made, unless `keep_indices`
  bool keep_indices = false;
  std::optional<uint8_t> count{};
  std::optional<uint32_t> record_bytes{};
  OpaqueFields opaque;
  std::optional<uint16_t> opaque_bytes{};
  const crypto::PrivateKey* signer;
  std::function<void(Buffer&)> bend_report{};

  rim::Scenario driver, vbios;  // their measurements are set to match `blocks` by the constructor
  bool with_driver = true, with_vbios = true;
  std::vector<crypto::Certificate> chain;  // leaf first
  std::optional<crypto::OcspAnswer> answer;
  std::function<void(Collateral&)> bend_collateral{};

  VerifyPolicy policy{};
  Binding binding = Binding::nonce(Buffer(32, 0x11));
  UnixSeconds now = kNow;

  Buffer report() const;
  Collateral collateral() const;
  // The same for a ledger: each inner list is one object and the certificates that it needs.
  std::vector<std::vector<Buffer>> objects() const;
  Verification judge() const {
    return verify_nvidia(kind, report(), collateral(), policy, binding, now);
  }
};

}  // namespace cloister::evidence::nvidia
