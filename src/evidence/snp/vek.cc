#include "evidence/snp/vek.h"

namespace cloister::evidence::snp {
namespace {

constexpr const char* kStructVersion = "1.3.6.1.4.1.3704.1.1";
constexpr const char* kProductName = "1.3.6.1.4.1.3704.1.2";
constexpr const char* kHardwareId = "1.3.6.1.4.1.3704.1.4";
constexpr const char* kCloudProvider = "1.3.6.1.4.1.3704.1.5";
constexpr const char* kTcbArc = "1.3.6.1.4.1.3704.1.3.";

constexpr uint8_t kDerInteger = 0x02;
constexpr uint8_t kDerOctetString = 0x04;
constexpr uint8_t kDerIa5String = 0x16;
constexpr size_t kMaxNameBytes = 120;  // short-form DER lengths only

// The last arc of the extension that counts each byte of the TCB.
constexpr Fixed<8> kTcbArcs = {1, 2, 4, 5, 6, 7, 3, 8};
constexpr Fixed<8> kTcbArcsTurin = {9, 1, 2, 3, 5, 6, 7, 8};
constexpr uint8_t kArcOnlyTurin = 9;
constexpr uint8_t kArcNotTurin = 4;

// The content of one DER value with this tag and a short length, and nothing after it.
std::optional<Bytes> unwrap(Bytes der, uint8_t tag) {
  ByteReader in(der);
  const auto found_tag = in.u8();
  const auto size = in.u8();
  if (!found_tag || !size || *found_tag != tag || *size != in.remaining()) return std::nullopt;
  return in.rest();
}

// INTEGER 0..255 in its shortest form.
std::optional<uint8_t> small_integer(Bytes der) {
  const auto content = unwrap(der, kDerInteger);
  if (!content) return std::nullopt;
  if (content->size() == 1 && (*content)[0] < 0x80) return (*content)[0];
  if (content->size() == 2 && (*content)[0] == 0 && (*content)[1] >= 0x80) return (*content)[1];
  return std::nullopt;
}

bool printable(Bytes text) {
  for (uint8_t c : text) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return !text.empty() && text.size() <= kMaxNameBytes;
}

// IA5String, or the characters themselves.
std::optional<std::string> text_of(const std::optional<Buffer>& value) {
  if (!value) return std::nullopt;
  const Bytes text = unwrap(*value, kDerIa5String).value_or(Bytes(*value));
  if (!printable(text)) return std::nullopt;
  return std::string(as_text(text));
}

// `size_bytes` raw bytes, or an OCTET STRING of them.
std::optional<Buffer> hardware_id_of(const std::optional<Buffer>& value, size_t size_bytes) {
  if (!value) return std::nullopt;
  if (value->size() == size_bytes) return value;
  const auto content = unwrap(*value, kDerOctetString);
  if (!content || content->size() != size_bytes) return std::nullopt;
  return to_buffer(*content);
}

std::optional<Tcb> tcb_of(const crypto::Certificate& certificate, bool turin) {
  const Fixed<8>& arcs = turin ? kTcbArcsTurin : kTcbArcs;
  Tcb out{};
  for (size_t i = 0; i < arcs.size(); ++i) {
    const auto value = certificate.extension(kTcbArc + std::to_string(arcs[i]));
    const auto number = value ? small_integer(*value) : std::nullopt;
    if (!number) return std::nullopt;
    out[i] = *number;
  }
  // A counter of the other layout would be one that nobody compares.
  const uint8_t foreign_arc = turin ? kArcNotTurin : kArcOnlyTurin;
  if (certificate.extension(kTcbArc + std::to_string(foreign_arc))) return std::nullopt;
  return out;
}

// The chip for a VCEK, the cloud for a VLEK, never both.
bool read_holder(const crypto::Certificate& certificate, SigningKey kind, VekExtensions& out) {
  const auto hardware_id = certificate.extension(kHardwareId);
  const auto cloud_provider = certificate.extension(kCloudProvider);
  if (kind == SigningKey::vlek) {
    auto text = text_of(cloud_provider);
    if (hardware_id || !text) return false;
    out.cloud_provider = *text;
    return true;
  }
  auto id = hardware_id_of(hardware_id, out.product == ProductLine::turin ? 8 : 64);
  if (cloud_provider || !id) return false;
  out.hardware_id = *id;
  return true;
}

}  // namespace

std::expected<VekExtensions, Error> parse_vek(const crypto::Certificate& certificate,
                                              SigningKey kind) {
  const auto product_name = text_of(certificate.extension(kProductName));
  const auto version_value = certificate.extension(kStructVersion);
  const auto version = version_value ? small_integer(*version_value) : std::nullopt;
  if (!product_name || !version) return std::unexpected(Error::malformed);
  const auto product = product_from_name(*product_name);
  if (!product || *version > 1) return std::unexpected(Error::unsupported);

  VekExtensions out;
  out.product = *product;
  const bool turin = *product == ProductLine::turin;
  const auto tcb = tcb_of(certificate, turin);
  if (turin != (*version == 1) || !tcb || !read_holder(certificate, kind, out)) {
    return std::unexpected(Error::malformed);
  }
  out.tcb = *tcb;
  return out;
}

}  // namespace cloister::evidence::snp
