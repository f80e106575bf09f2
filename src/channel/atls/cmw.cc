#include "channel/atls/cmw.h"

#include "base/cbor.h"
#include "evidence/common/media_types.h"

namespace cloister::atls {
namespace {

constexpr size_t kMaxMediaTypeBytes = 64;
constexpr size_t kRecordItems = 2;

void write_record(CborWriter& out, std::string_view type, Bytes bytes) {
  out.array(kRecordItems).text(type).bytes(bytes);
}

}  // namespace

std::optional<Buffer> encode_cmw(const Attestation& attestation) {
  CborWriter out;
  out.map(1 + attestation.evidence.size()).key(0);
  write_record(out, kClaimsMediaType, attestation.claims);
  for (size_t i = 0; i < attestation.evidence.size(); ++i) {
    out.key(i + 1);
    write_record(out, evidence::media_type(attestation.evidence[i].format),
                 attestation.evidence[i].bytes);
  }
  Buffer bytes = out.take();
  if (bytes.size() > kMaxCmwBytes || !decode_cmw(bytes)) return std::nullopt;
  return bytes;
}

Result<Attestation> decode_cmw(Bytes bytes) {
  if (bytes.size() > kMaxCmwBytes) return std::unexpected(AtlsError::evidence_malformed);
  Attestation out;
  CborReader in(bytes);
  const size_t count = in.map_up_to(1 + kMaxEvidenceItems);
  for (size_t i = 0; i < count && in.ok(); ++i) {
    in.key(i);
    if (in.array(kRecordItems) != kRecordItems) in.fail();
    const std::string type = in.text(kMaxMediaTypeBytes);
    const Bytes value = in.bytes(i == 0 ? kMaxClaimsBytes : evidence::kMaxEvidenceBytes);
    if (i == 0) {
      if (type != kClaimsMediaType || value.empty()) in.fail();
      out.claims = to_buffer(value);
      continue;
    }
    const auto format = evidence::format_of_media_type(type);
    if (!format || value.empty()) {
      in.fail();
    } else {
      out.evidence.push_back({*format, to_buffer(value)});
    }
  }
  if (!in.finish() || count == 0) return std::unexpected(AtlsError::evidence_malformed);
  if (out.evidence.empty()) return std::unexpected(AtlsError::evidence_absent);
  return out;
}

}  // namespace cloister::atls
