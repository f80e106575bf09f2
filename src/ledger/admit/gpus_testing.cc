#include "ledger/admit/gpus_testing.h"

namespace cloister::ledger {

using evidence::Format;
using evidence::bundle::Bundle;
using evidence::nvidia::Scenario;

Scenario another_gpu(uint8_t number) {
  Scenario s;
  s.device = std::make_shared<const evidence::nvidia::Device>(
      evidence::nvidia::make_device({.serial = {0x41, 3, 0, 0, 0, 0, 0, 0, number}}));
  s.signer = &s.device->leaf.key;
  s.chain = {s.device->leaf.certificate, s.device->device.certificate,
             s.device->provisioner.certificate, s.device->identity.certificate,
             evidence::rim::hierarchy().root.certificate};
  return s;
}

Bundle collected(std::vector<Scenario> gpus, const Hash32& nonce) {
  Bundle out;
  for (Scenario& gpu : gpus) {
    gpu.nonce = to_buffer(nonce);
    out.items.push_back(
        {"gpus/" + std::to_string(out.items.size()), {Format::nvidia_gpu, gpu.report()}});
    std::string pem;
    for (const auto& each : gpu.chain) pem += crypto::to_pem(each);
    out.collateral.push_back(to_buffer(as_bytes(pem)));
  }
  return out;
}

}  // namespace cloister::ledger
