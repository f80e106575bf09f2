#include "evidence/nvidia/opaque.h"

#include <fmt/core.h>

#include <algorithm>

namespace cloister::evidence::nvidia {
namespace {

enum Type : uint16_t {
  kDriverVersion = 3,
  kVbiosVersion = 6,
  kNvdec0 = 11,
  kChipSku = 15,
  kProject = 17,
  kProjectSku = 18,
  kFwid = 20,
  kProtectedPcie = 21,
  kPdis = 22,  // a GPU's switches, or the switch itself
  kGpuPdis = 26,
  kOpaqueVersion = 34,
  kFeatureFlag = 36,
  kInvalid = 255,
};

constexpr uint8_t kOn = 0xAA, kOff = 0x55;
constexpr size_t kMaxTextBytes = 64;
constexpr size_t kMaxLinks = 64;
constexpr size_t kGpuSlots = 8;

using Fields = std::map<uint16_t, Bytes>;

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "opaque data: " + std::string(what));
}
std::unexpected<Fault> unsupported(std::string_view what) {
  return refuse(Error::unsupported, "opaque data: " + std::string(what));
}

std::optional<Fields> split(Bytes bytes) {
  Fields out;
  ByteReader in(bytes);
  while (!in.done()) {
    const auto type = in.u16_le(), size = in.u16_le();
    const auto value = size ? in.take(*size) : std::nullopt;
    if (!value || *type == kInvalid || out.size() == kMaxOpaqueFields) return std::nullopt;
    if (!out.emplace(*type, *value).second) return std::nullopt;
  }
  return out;
}

std::optional<Bytes> find(const Fields& fields, uint16_t type) {
  const auto at = fields.find(type);
  return at == fields.end() ? std::nullopt : std::optional(at->second);
}

// Printable ASCII, filled up with zeros. Empty when the field is absent; nothing when it is not
// text.
std::optional<std::string> text(const Fields& fields, uint16_t type) {
  const auto bytes = find(fields, type);
  if (!bytes) return std::string();
  if (bytes->size() > kMaxTextBytes) return std::nullopt;
  const auto end = std::ranges::find(*bytes, uint8_t{0});
  if (!all_zero({end, bytes->end()})) return std::nullopt;
  std::string out(bytes->begin(), end);
  const bool printable = std::ranges::all_of(out, [](char c) { return c > 0x20 && c < 0x7F; });
  return printable ? std::optional(out) : std::nullopt;
}

std::optional<std::string> vbios_version(DeviceKind kind, const Fields& fields) {
  if (kind == DeviceKind::nvswitch) return text(fields, kVbiosVersion);
  const auto b = find(fields, kVbiosVersion);
  if (!b || b->size() != 8) return std::nullopt;
  return fmt::format("{:02X}.{:02X}.{:02X}.{:02X}.{:02X}", (*b)[3], (*b)[2], (*b)[1], (*b)[0],
                     (*b)[4]);
}

// On, off or absent; false when it is none of these.
bool read_switch(const Fields& fields, uint16_t type, std::optional<bool>& out) {
  const auto bytes = find(fields, type);
  if (!bytes) return true;
  if (bytes->size() != 1 || ((*bytes)[0] != kOn && (*bytes)[0] != kOff)) return false;
  out = (*bytes)[0] == kOn;
  return true;
}

bool read_fwid(const Fields& fields, std::optional<Fixed<48>>& out) {
  const auto bytes = find(fields, kFwid);
  if (!bytes) return true;
  out = to_fixed<48>(*bytes);
  return out.has_value();
}

void add_once(std::vector<Pdi>& to, const Pdi& pdi) {
  const bool empty = all_zero(pdi) || std::ranges::all_of(pdi, [](uint8_t b) { return b == 0xFF; });
  if (!empty && std::ranges::find(to, pdi) == to.end()) to.push_back(pdi);
}

// A GPU writes the name of the switch at each of its links as a little-endian number.
bool read_switches(Bytes bytes, std::vector<Pdi>& out) {
  if (bytes.size() % 8 != 0 || bytes.size() / 8 > kMaxLinks) return false;
  ByteReader in(bytes);
  while (auto pdi = in.fixed<8>()) {
    std::ranges::reverse(*pdi);
    add_once(out, *pdi);
  }
  return true;
}

// Eight names, then a map of ports to them.
bool read_gpus(Bytes bytes, std::vector<Pdi>& out) {
  ByteReader in(bytes);
  for (size_t i = 0; i < kGpuSlots; ++i) {
    const auto pdi = in.fixed<8>();
    if (!pdi) return false;
    add_once(out, *pdi);
  }
  return true;
}

bool read_fabric(DeviceKind kind, const Fields& fields, Opaque& out) {
  const auto pdis = find(fields, kPdis), gpus = find(fields, kGpuPdis);
  if (kind == DeviceKind::gpu) return !pdis || read_switches(*pdis, out.switches);
  if (pdis) out.pdi = to_fixed<8>(*pdis);
  return (!pdis || out.pdi) && (!gpus || read_gpus(*gpus, out.gpus));
}

Result<std::monostate> read_versions(const Fields& fields, Opaque& out) {
  const auto u16 = [&](uint16_t type) { return ByteReader(*find(fields, type)).u16_le(); };
  for (const uint16_t type : {kOpaqueVersion, kFeatureFlag}) {
    const auto bytes = find(fields, type);
    if (bytes && bytes->size() != 2) return malformed("a version or flag");
  }
  if (find(fields, kOpaqueVersion) && *u16(kOpaqueVersion) > kKnownOpaqueVersion) {
    return unsupported("its version");
  }
  if (!find(fields, kFeatureFlag)) return std::monostate();
  const uint16_t flag = *u16(kFeatureFlag);
  if (flag > static_cast<uint16_t>(FeatureFlag::ppcie)) return unsupported("its feature flag");
  out.feature_flag = static_cast<FeatureFlag>(flag);
  return std::monostate();
}

}  // namespace

std::string_view name(FeatureFlag flag) {
  switch (flag) {
    case FeatureFlag::spt:
      return "SPT";
    case FeatureFlag::mpt:
      return "MPT";
    case FeatureFlag::ppcie:
      return "PPCIE";
  }
  std::abort();
}

Result<Opaque> parse_opaque(DeviceKind kind, Bytes bytes) {
  const auto fields = split(bytes);
  if (!fields) return malformed("its fields");
  Opaque out;
  if (auto read = read_versions(*fields, out); !read) return std::unexpected(read.error());
  const auto driver = text(*fields, kDriverVersion), vbios = vbios_version(kind, *fields),
             project = text(*fields, kProject), project_sku = text(*fields, kProjectSku),
             chip_sku = text(*fields, kChipSku);
  if (!driver || !vbios || !project || !project_sku || !chip_sku) return malformed("a text");
  if (vbios->empty()) return malformed("no version of its BIOS");
  if (driver->empty() == (kind == DeviceKind::gpu)) {
    return malformed("a driver's version, which a GPU has and a switch has not");
  }
  if (!read_switch(*fields, kNvdec0, out.nvdec0_on) ||
      !read_switch(*fields, kProtectedPcie, out.protected_pcie_on)) {
    return malformed("a flag that is neither on nor off");
  }
  if (!read_fwid(*fields, out.fwid)) return malformed("the FWID");
  if (!read_fabric(kind, *fields, out)) return malformed("names on the fabric");
  out.driver_version = *driver;
  out.vbios_version = *vbios;
  out.project = *project;
  out.project_sku = *project_sku;
  out.chip_sku = *chip_sku;
  return out;
}

}  // namespace cloister::evidence::nvidia
