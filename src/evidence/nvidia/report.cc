#include "evidence/nvidia/report.h"

namespace cloister::evidence::nvidia {
namespace {

constexpr uint8_t kSpdm11 = 0x11;
constexpr uint8_t kGetMeasurements = 0xE0, kMeasurements = 0x60;
constexpr uint8_t kSignatureRequested = 0x01, kAllBlocks = 0xFF;
constexpr uint8_t kDmtf = 1, kDigest = 1;  // measurement specification; a digest of firmware
constexpr size_t kSignatureBytes = 96;

std::unexpected<Fault> malformed(std::string_view what) {
  return refuse(Error::malformed, "measurements: " + std::string(what));
}

Result<std::monostate> read_request(ByteReader& in, Report& report) {
  const auto version = in.u8(), code = in.u8(), attributes = in.u8(), operation = in.u8();
  const auto nonce = in.fixed<32>();
  const auto slot = in.u8();
  if (!nonce || !slot) return malformed("the request");
  if (*version != kSpdm11) return refuse(Error::unsupported, "a version of SPDM other than 1.1");
  if (*code != kGetMeasurements || *attributes != kSignatureRequested || *operation != kAllBlocks) {
    return malformed("not a request of all measurements, signed");
  }
  report.nonce = *nonce;
  return std::monostate();
}

// DMTF's block: index, specification, size; then kind, size and value of the measurement.
bool read_block(ByteReader& in, size_t expected_index, Report& report) {
  const auto index = in.u8(), specification = in.u8();
  const auto size = in.u16_le();
  const auto kind = in.u8();
  const auto value_size = in.u16_le();
  const auto value = in.fixed<kMeasurementBytes>();
  if (!value || *index != expected_index || *specification != kDmtf || *kind != kDigest) {
    return false;
  }
  if (*value_size != kMeasurementBytes || *size != kMeasurementBytes + 3) return false;
  report.measurements.push_back(*value);
  return true;
}

Result<std::monostate> read_blocks(ByteReader& in, Report& report) {
  const auto count = in.u8();
  ByteReader length(in.take(3).value_or(Bytes()));
  const auto low = length.u16_le();
  const auto high = length.u8();
  const auto record = high ? in.take(size_t{*high} << 16 | *low) : std::nullopt;
  if (!record || *count == 0) return malformed("the record");
  ByteReader blocks(*record);
  for (size_t i = 1; i <= *count; ++i) {
    if (!read_block(blocks, i, report)) return malformed("block " + std::to_string(i));
  }
  if (!blocks.done()) return malformed("more blocks than it counts");
  return std::monostate();
}

Result<Bytes> read_response(ByteReader& in, Report& report) {
  const auto version = in.u8(), code = in.u8();
  if (!in.take(2) || *code != kMeasurements) return malformed("not measurements");
  if (*version != kSpdm11) return refuse(Error::unsupported, "a version of SPDM other than 1.1");
  if (auto read = read_blocks(in, report); !read) return std::unexpected(read.error());
  const auto nonce = in.fixed<32>();
  const auto size = in.u16_le();
  const auto opaque = size && *size <= kMaxOpaqueBytes ? in.take(*size) : std::nullopt;
  if (!nonce || !opaque) return malformed("cut short");
  report.responder_nonce = *nonce;
  return *opaque;
}

}  // namespace

Result<Report> parse_report(DeviceKind kind, Bytes bytes) {
  Report report;
  ByteReader in(bytes);
  if (auto read = read_request(in, report); !read) return std::unexpected(read.error());
  const auto opaque = read_response(in, report);
  if (!opaque) return std::unexpected(opaque.error());
  report.signed_bytes = bytes.first(bytes.size() - in.remaining());
  const auto signature = in.take(kSignatureBytes);
  if (!signature || !in.done()) return malformed("a signature, and nothing after it");
  report.signature_rs = *signature;
  auto said = parse_opaque(kind, *opaque);
  if (!said) return std::unexpected(said.error());
  report.opaque = std::move(*said);
  return report;
}

}  // namespace cloister::evidence::nvidia
