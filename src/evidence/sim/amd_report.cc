// The report of a simulated guest, byte for byte as AMD 56860 lays it out.
#include <algorithm>

#include "evidence/sim/amd.h"

namespace cloister::evidence::sim {
namespace {

constexpr size_t kSignedBytes = 0x2A0;
constexpr uint32_t kReportVersion = 3;
constexpr uint32_t kEcdsaP384Sha384 = 1;
constexpr uint64_t kPlatformInfo = 0x25;  // SMT, ECC memory, alias check complete
constexpr uint8_t kFamily = 0x19;

}  // namespace

Fixed<8> amd_tcb(AmdProduct product) {
  return product == AmdProduct::milan ? Fixed<8>{0x04, 0, 0, 0, 0, 0, 0x18, 0xDB}
                                      : Fixed<8>{0x0A, 0, 0, 0, 0, 0, 0x17, 0x54};
}

Buffer encode_report(AmdProduct product, const SnpParameters& parameters, const Fixed<64>& chip_id,
                     const Fixed<64>& report_data) {
  const Fixed<8> tcb = amd_tcb(product);
  const Fixed<8> firmware = {40, 55, 1, 0, 40, 55, 1, 0};  // 1.55.40, current and committed
  ByteWriter out;
  out.u32_le(kReportVersion).u32_le(0).u64_le(parameters.policy).zeros(32);
  out.u32_le(parameters.vmpl).u32_le(kEcdsaP384Sha384).bytes(tcb).u64_le(kPlatformInfo).zeros(8);
  out.bytes(report_data).bytes(parameters.measurement).bytes(parameters.host_data);
  out.zeros(48 + 48 + 32);                 // no id block, no report id
  out.bytes(Buffer(32, 0xFF)).bytes(tcb);  // no migration agent; reported TCB
  out.u8(kFamily).u8(product == AmdProduct::milan ? 0x01 : 0x11).u8(1).zeros(21);
  out.bytes(chip_id).bytes(tcb).bytes(firmware).bytes(tcb).zeros(16 + 152);
  out.zeros(72 + 72 + 368);
  return out.take();
}

void sign_report(Buffer& report, const crypto::PrivateKey& vcek_key) {
  const Buffer rs = vcek_key.sign_ecdsa(Bytes(report).first(kSignedBytes));
  const auto middle = rs.begin() + 48;
  std::reverse_copy(rs.begin(), middle, report.begin() + kSignedBytes);
  std::reverse_copy(middle, rs.end(), report.begin() + kSignedBytes + 72);
}

}  // namespace cloister::evidence::sim
