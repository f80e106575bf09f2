#include "evidence/dcap/pck.h"

#include "evidence/common/der.h"

namespace cloister::evidence::dcap {
namespace {

constexpr const char* kSgxExtensionOid = "1.2.840.113741.1.13.1";
// The same, as DER encodes its arcs; members append theirs.
constexpr Fixed<9> kSgxExtensionArcs = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

constexpr uint8_t kPpid = 1, kTcb = 2, kPceId = 3, kFmspc = 4, kSgxType = 5, kInstanceId = 6,
                  kConfiguration = 7;
constexpr uint8_t kPceSvn = 17, kCpuSvn = 18;
constexpr size_t kComponents = 16;

// Members already met: each may come once.
class Seen {
 public:
  bool first(uint8_t number) {
    const uint32_t bit = uint32_t{1} << (number & 31);
    const bool is_first = (mask_ & bit) == 0;
    mask_ |= bit;
    return is_first;
  }
  bool all_of(uint8_t from, uint8_t to) const {
    for (uint8_t n = from; n <= to; ++n) {
      if ((mask_ & uint32_t{1} << n) == 0) return false;
    }
    return true;
  }

 private:
  uint32_t mask_ = 0;
};

// One SEQUENCE {OID, value}: the OID is `parent` plus one arc from 1 to `max_number`.
struct Member {
  uint8_t number;
  DerReader value;
};

std::optional<Member> next_member(DerReader& in, Bytes parent, uint8_t max_number) {
  const auto sequence = in.sequence();
  if (!sequence) return std::nullopt;
  DerReader pair(*sequence);
  const auto oid = pair.oid();
  if (!oid || oid->size() != parent.size() + 1) return std::nullopt;
  if (!equal(oid->first(parent.size()), parent)) return std::nullopt;
  const uint8_t number = oid->back();
  if (number < 1 || number > max_number) return std::nullopt;
  return Member{number, pair};
}

Buffer arcs_of(uint8_t member) {
  return ByteWriter().bytes(kSgxExtensionArcs).u8(member).take();
}

template <size_t N>
bool read_octets(DerReader& in, Fixed<N>& out) {
  const auto octets = in.octets();
  const auto value = octets ? to_fixed<N>(*octets) : std::nullopt;
  if (value) out = *value;
  return value.has_value();
}

bool read_tcb_member(Member& member, Fixed<kComponents>& components, PckExtension& out) {
  if (member.number == kCpuSvn) return read_octets(member.value, out.cpu_svn);
  const auto number = member.value.u16();
  if (!number) return false;
  if (member.number == kPceSvn) {
    out.pce_svn = *number;
    return true;
  }
  if (*number > UINT8_MAX) return false;
  components[member.number - 1u] = static_cast<uint8_t>(*number);
  return true;
}

bool read_tcb(Bytes sequence, PckExtension& out) {
  DerReader in(sequence);
  Seen seen;
  Fixed<kComponents> components{};
  const Buffer parent = arcs_of(kTcb);
  while (!in.done()) {
    auto member = next_member(in, parent, kCpuSvn);
    if (!member || !seen.first(member->number)) return false;
    if (!read_tcb_member(*member, components, out) || !member->value.done()) return false;
  }
  return seen.all_of(1, kCpuSvn) && components == out.cpu_svn;
}

bool read_configuration(Bytes sequence, PckExtension& out) {
  DerReader in(sequence);
  Seen seen;
  PckExtension::Configuration configuration{};
  bool* const fields[] = {&configuration.dynamic_platform, &configuration.cached_keys,
                          &configuration.smt_enabled};
  const Buffer parent = arcs_of(kConfiguration);
  while (!in.done()) {
    auto member = next_member(in, parent, 3);
    if (!member || !seen.first(member->number)) return false;
    const auto value = member->value.boolean();
    if (!value || !member->value.done()) return false;
    *fields[member->number - 1] = *value;
  }
  out.configuration = configuration;
  return seen.all_of(1, 3);
}

bool read_sgx_type(DerReader& in, PckExtension& out) {
  const auto type = in.enumerated();
  if (!type || *type > 2) return false;
  out.sgx_type = static_cast<SgxType>(*type);
  return true;
}

bool read_nested(DerReader& in, bool (*read)(Bytes, PckExtension&), PckExtension& out) {
  const auto sequence = in.sequence();
  return sequence && read(*sequence, out);
}

bool read_member(Member& member, PckExtension& out) {
  switch (member.number) {
    case kPpid:
      return read_octets(member.value, out.ppid);
    case kTcb:
      return read_nested(member.value, read_tcb, out);
    case kPceId:
      return read_octets(member.value, out.pce_id);
    case kFmspc:
      return read_octets(member.value, out.fmspc);
    case kSgxType:
      return read_sgx_type(member.value, out);
    case kInstanceId:
      return read_octets(member.value, out.platform_instance_id.emplace());
    case kConfiguration:
      return read_nested(member.value, read_configuration, out);
    default:
      return false;
  }
}

}  // namespace

std::optional<PckExtension> parse_pck_extension(Bytes der) {
  DerReader whole(der);
  const auto sequence = whole.sequence();
  if (!sequence || !whole.done()) return std::nullopt;
  DerReader in(*sequence);
  Seen seen;
  PckExtension out{};
  while (!in.done()) {
    auto member = next_member(in, kSgxExtensionArcs, kConfiguration);
    if (!member || !seen.first(member->number)) return std::nullopt;
    if (!read_member(*member, out) || !member->value.done()) return std::nullopt;
  }
  if (!seen.all_of(kPpid, kSgxType)) return std::nullopt;
  return out;
}

Result<PckExtension> pck_extension_of(const crypto::Certificate& leaf) {
  const auto der = leaf.extension(kSgxExtensionOid);
  if (!der) return refuse(Error::malformed, "PCK certificate without one SGX extension");
  const auto extension = parse_pck_extension(*der);
  if (!extension) return refuse(Error::malformed, "SGX extension of the PCK certificate");
  return *extension;
}

Result<PckChain> parse_pck_chain(Bytes pem, std::span<const crypto::Certificate> known) {
  std::string_view text = as_text(pem);
  if (text.ends_with('\0')) text.remove_suffix(1);
  const auto chain = crypto::certificates_from_pem(text, 3, known);
  if (!chain || chain->size() != 3) {
    return refuse(Error::malformed, "PCK chain is not three certificates in PEM");
  }
  std::string canonical;
  for (const auto& certificate : *chain) canonical += crypto::to_pem(certificate);
  if (text != canonical) return refuse(Error::malformed, "PCK chain is not in canonical PEM");
  return PckChain{(*chain)[0], (*chain)[1], (*chain)[2]};
}

}  // namespace cloister::evidence::dcap
