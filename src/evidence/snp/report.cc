#include "evidence/snp/report.h"

#include <algorithm>

namespace cloister::evidence::snp {
namespace {

constexpr uint32_t kMinVersion = 2;
constexpr uint32_t kMaxVersion = 5;
constexpr uint32_t kVersionWithCpuid = 3;
constexpr uint32_t kVersionWithMitigations = 5;
constexpr uint32_t kEcdsaP384Sha384 = 1;
constexpr uint64_t kPolicyKnownBits = (1ull << 26) - 1;
constexpr uint64_t kPlatformInfoKnownBits = 0b1011'1111;
constexpr uint32_t kKeyInfoKnownBits = 0b1'1111;

// Reads fields in order. One refused read or one reserved byte that is not zero spoils the whole.
class FieldReader {
 public:
  explicit FieldReader(Bytes input) : in_(input) {}

  uint8_t u8() { return value(in_.u8()); }
  uint32_t u32() { return value(in_.u32_le()); }
  uint64_t u64() { return value(in_.u64_le()); }
  template <size_t N>
  Fixed<N> fixed() {
    return value(in_.fixed<N>());
  }
  void zeros(size_t count) {
    auto bytes = in_.take(count);
    if (!bytes || !all_zero(*bytes)) failed_ = true;
  }
  // Zero in versions that do not have the field.
  uint64_t u64_if(bool present) {
    if (present) return u64();
    zeros(8);
    return 0;
  }
  void require(bool held) { failed_ = failed_ || !held; }
  bool finish() const { return !failed_ && in_.done(); }

 private:
  template <typename T>
  T value(std::optional<T> read) {
    if (!read) failed_ = true;
    return read.value_or(T{});
  }

  ByteReader in_;
  bool failed_ = false;
};

FirmwareVersion read_firmware(FieldReader& in) {
  FirmwareVersion out{};
  out.build = in.u8();
  out.minor = in.u8();
  out.major = in.u8();
  in.zeros(1);
  return out;
}

// Offsets 0x034 to 0x04F.
struct KeyInfo {
  uint32_t algorithm = 0;
  uint32_t bits = 0;
  uint32_t signing_key() const { return bits >> 2 & 0b111; }
};

KeyInfo read_algorithm_to_key_info(FieldReader& in, Report& out) {
  KeyInfo info;
  info.algorithm = in.u32();
  out.current_tcb = in.fixed<8>();
  out.platform_info = in.u64();
  in.require((out.platform_info & ~kPlatformInfoKnownBits) == 0);
  info.bits = in.u32();
  in.require((info.bits & ~kKeyInfoKnownBits) == 0);
  in.zeros(4);
  out.author_key_enabled = (info.bits & 1) != 0;
  out.chip_key_masked = (info.bits & 2) != 0;
  return info;
}

void read_cpuid(FieldReader& in, Report& out) {
  if (out.version >= kVersionWithCpuid) {
    Cpuid cpuid{};
    cpuid.family = in.u8();
    cpuid.model = in.u8();
    cpuid.stepping = in.u8();
    out.cpuid = cpuid;
  } else {
    in.zeros(3);
  }
  in.zeros(21);
}

// Offsets 0x050 to 0x29F.
void read_identities_and_versions(FieldReader& in, Report& out) {
  out.report_data = in.fixed<64>();
  out.measurement = in.fixed<48>();
  out.host_data = in.fixed<32>();
  out.id_key_digest = in.fixed<48>();
  out.author_key_digest = in.fixed<48>();
  out.report_id = in.fixed<32>();
  out.report_id_of_migration_agent = in.fixed<32>();
  out.reported_tcb = in.fixed<8>();
  read_cpuid(in, out);
  out.chip_id = in.fixed<64>();
  out.committed_tcb = in.fixed<8>();
  out.current_firmware = read_firmware(in);
  out.committed_firmware = read_firmware(in);
  out.launch_tcb = in.fixed<8>();
  const bool has_mitigations = out.version >= kVersionWithMitigations;
  out.launch_mitigations = in.u64_if(has_mitigations);
  out.current_mitigations = in.u64_if(has_mitigations);
  in.zeros(152);
}

// AMD stores r and s little-endian in 72 bytes each; nothing signs what follows the 48 that count.
void read_signature(FieldReader& in, Report& out) {
  for (size_t at : {size_t{0}, size_t{48}}) {
    const Fixed<48> little_endian = in.fixed<48>();
    std::reverse_copy(little_endian.begin(), little_endian.end(), out.signature_rs.begin() + at);
    in.zeros(24);
  }
  in.zeros(368);
}

}  // namespace

bool at_most(const Tcb& a, const Tcb& b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](uint8_t x, uint8_t y) { return x <= y; });
}

std::string_view name(SigningKey key) {
  return key == SigningKey::vcek ? "vcek" : "vlek";
}

std::expected<Report, Error> parse_report(Bytes bytes) {
  if (bytes.size() != kReportBytes) return std::unexpected(Error::malformed);
  FieldReader in(bytes);
  Report out;
  out.version = in.u32();
  if (out.version < kMinVersion || out.version > kMaxVersion) {
    return std::unexpected(Error::unsupported);
  }
  out.guest_svn = in.u32();
  out.policy = in.u64();
  in.require((out.policy & ~kPolicyKnownBits) == 0 && (out.policy & kPolicyAlwaysOne) != 0);
  out.family_id = in.fixed<16>();
  out.image_id = in.fixed<16>();
  out.vmpl = in.u32();
  in.require(out.vmpl <= kMaxVmpl || out.vmpl == kVmplOfHost);
  const KeyInfo key_info = read_algorithm_to_key_info(in, out);
  read_identities_and_versions(in, out);
  read_signature(in, out);
  if (!in.finish()) return std::unexpected(Error::malformed);
  if (key_info.algorithm != kEcdsaP384Sha384 || key_info.signing_key() > 1) {
    return std::unexpected(Error::unsupported);
  }
  out.signing_key = static_cast<SigningKey>(key_info.signing_key());
  out.signed_bytes = to_buffer(bytes.first(kSignedBytes));
  return out;
}

}  // namespace cloister::evidence::snp
