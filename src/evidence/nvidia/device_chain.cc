#include "evidence/nvidia/device_chain.h"

#include <algorithm>

#include "evidence/common/der.h"

namespace cloister::evidence::nvidia {
namespace {

using crypto::Certificate;

const std::string kFwidOid = "2.23.133.5.4.1";       // Hopper and LS10: tcg-dice-fwid, composite
const std::string kTcbInfoOid = "2.23.133.5.4.1.1";  // Blackwell: tcg-dice-TcbInfo
constexpr uint8_t kContext6Constructed = 0xA6;       // TcbInfo.fwids
// 2.16.840.1.101.3.4.2.2
constexpr uint8_t kSha384Oid[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};

std::unexpected<Fault> wrong(std::string what) {
  return refuse(Error::wrong_chain, "device chain: " + std::move(what));
}

bool is_leaf(const Certificate& c) {
  return !c.is_ca() && (c.extension(kFwidOid) || c.extension(kTcbInfoOid));
}

const Certificate* above(const Certificate& c, const Collateral& collateral) {
  const Certificate* by_name = nullptr;
  for (const Certificate& each : collateral.certificates) {
    if (!each.is_ca() || each.subject_der() != c.issuer_der()) continue;
    if (c.signed_by(each)) return &each;
    if (by_name == nullptr) by_name = &each;
  }
  return by_name;
}

// FWID ::= SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }
std::optional<Fixed<48>> read_fwid(Bytes contents) {
  DerReader in(contents);
  const auto algorithm = in.oid();
  const auto digest = in.octets();
  if (!algorithm || !digest || !in.done() || !equal(*algorithm, kSha384Oid)) return std::nullopt;
  return to_fixed<48>(*digest);
}

// CompositeDeviceID ::= SEQUENCE { version INTEGER, deviceID SubjectPublicKeyInfo, fwid FWID }
std::optional<Fixed<48>> composite_fwid(Bytes extension) {
  DerReader outer(extension);
  const auto contents = outer.sequence();
  if (!contents || !outer.done()) return std::nullopt;
  DerReader in(*contents);
  if (in.u16() != 1 || !in.sequence()) return std::nullopt;
  const auto fwid = in.sequence();
  return fwid && in.done() ? read_fwid(*fwid) : std::nullopt;
}

// DiceTcbInfo: context tags 0 to 9, each at most once and in order; the first of [6] fwids.
std::optional<Fixed<48>> tcb_info_fwid(Bytes extension) {
  DerReader outer(extension);
  const auto contents = outer.sequence();
  if (!contents || !outer.done()) return std::nullopt;
  DerReader in(*contents);
  for (uint8_t tag = 0x80; tag <= 0x85; ++tag) in.element(tag);
  const auto fwids = in.element(kContext6Constructed);
  if (!fwids) return std::nullopt;
  for (uint8_t tag = 0x87; tag <= 0x89; ++tag) in.element(tag);
  if (!in.done()) return std::nullopt;
  DerReader list(*fwids);
  const auto first = list.sequence();
  return first ? read_fwid(*first) : std::nullopt;
}

std::optional<Fixed<48>> fwid_of(const Certificate& leaf) {
  if (const auto composite = leaf.extension(kFwidOid)) return composite_fwid(*composite);
  const auto tcb_info = leaf.extension(kTcbInfoOid);
  return tcb_info ? tcb_info_fwid(*tcb_info) : std::nullopt;
}

std::optional<Architecture> architecture_of(std::string_view chip) {
  if (chip == "GH100") return Architecture::hopper;
  if (chip == "LS_10") return Architecture::ls10;
  if (chip.size() == 5 && chip.starts_with("GB1")) return Architecture::blackwell;
  return std::nullopt;
}

bool suits(Architecture architecture, DeviceKind kind) {
  return (architecture == Architecture::ls10) == (kind == DeviceKind::nvswitch);
}

// "GH100 A01 GSP FMC LF", "GH100 A01 GSP BROM", "NVIDIA GH100 Provisioner ICA 1". The CA above may
// be of another architecture: LS10's is that of GH100.
bool names_agree(const DeviceChain& chain, std::string_view chip) {
  const auto cn = [&](size_t place) { return chain.certificates[place].subject_common_name(); };
  const std::string prefix = std::string(chip) + " ";
  return cn(0).starts_with(prefix) && cn(0).ends_with(" FMC LF") && cn(1).starts_with(prefix) &&
         cn(1).ends_with(" BROM") && cn(2).starts_with("NVIDIA " + prefix + "Provisioner ICA");
}

}  // namespace

std::string chip_of(const Certificate& leaf) {
  const std::string name = leaf.subject_common_name();
  return name.substr(0, name.find(' '));
}

std::string_view name(Architecture architecture) {
  switch (architecture) {
    case Architecture::hopper:
      return "HOPPER";
    case Architecture::blackwell:
      return "BLACKWELL";
    case Architecture::ls10:
      return "LS10";
  }
  std::abort();
}

std::vector<const Certificate*> DeviceChain::view() const {
  std::vector<const Certificate*> out;
  for (const Certificate& each : certificates) out.push_back(&each);
  return out;
}

Result<DeviceChain> find_chain(DeviceKind kind, const Report& report,
                               const Collateral& collateral) {
  const Certificate *signer = nullptr, *of_kind = nullptr, *any = nullptr;
  for (const Certificate& each : collateral.certificates) {
    if (!is_leaf(each)) continue;
    if (each.signed_message(report.signed_bytes, report.signature_rs)) signer = &each;
    const auto architecture = architecture_of(chip_of(each));
    if (of_kind == nullptr && architecture && suits(*architecture, kind)) of_kind = &each;
    if (any == nullptr) any = &each;
  }
  const Certificate* leaf = signer != nullptr ? signer : of_kind != nullptr ? of_kind : any;
  if (leaf == nullptr) return refuse(Error::collateral_missing, "no device certificate");
  DeviceChain out;
  for (const Certificate* c = leaf; c != nullptr; c = above(*c, collateral)) {
    out.certificates.push_back(*c);
    if (c->self_issued() || out.certificates.size() > kDeviceChainCertificates) break;
  }
  return out;
}

Result<DeviceIdentity> identify(const DeviceChain& chain, DeviceKind kind) {
  if (chain.certificates.size() != kDeviceChainCertificates) {
    return wrong(std::to_string(chain.certificates.size()) + " certificates");
  }
  DeviceIdentity out;
  out.chip = chip_of(chain.certificates[0]);
  const auto architecture = architecture_of(out.chip);
  if (!architecture || !suits(*architecture, kind)) return wrong("of a chip " + out.chip);
  if (!names_agree(chain, out.chip)) return wrong("its names do not agree");
  out.architecture = *architecture;
  const auto fwid = fwid_of(chain.certificates[0]);
  if (!fwid) return wrong("no identity of the firmware");
  out.fwid = *fwid;
  out.ueid = chain.certificates[1].serial();
  if (out.ueid.size() < out.pdi.size()) return wrong("a short serial number");
  std::copy(out.ueid.end() - static_cast<ptrdiff_t>(out.pdi.size()), out.ueid.end(),
            out.pdi.begin());
  return out;
}

}  // namespace cloister::evidence::nvidia
