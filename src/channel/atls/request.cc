#include "channel/atls/request.h"

#include <algorithm>

#include "channel/atls/cmw.h"
#include "channel/atls/wire_format.h"
#include "evidence/common/media_types.h"

namespace cloister::atls {
namespace {

constexpr size_t kMaxFormats = 8;

Buffer encode_params(const AttestationRequest& request) {
  ByteWriter out;
  out.u8(kProtocolVersion).u8(static_cast<uint8_t>(request.mode));
  out.bytes(request.instance_id).bytes(request.policy_hash).u32_be(request.max_age_s);
  out.u8(static_cast<uint8_t>(request.formats.size()));
  for (evidence::Format format : request.formats) {
    const std::string type = evidence::media_type(format);
    out.u8(static_cast<uint8_t>(type.size())).text(type);
  }
  return out.take();
}

bool decode_formats(ByteReader& in, std::vector<evidence::Format>& out) {
  const auto count = in.u8();
  if (!count || *count == 0 || *count > kMaxFormats) return false;
  for (size_t i = 0; i < *count; ++i) {
    const auto text = take_vector8(in);
    const auto format = text ? evidence::format_of_media_type(as_text(*text)) : std::nullopt;
    if (!format || (!out.empty() && *format <= out.back())) return false;
    out.push_back(*format);
  }
  return true;
}

bool decode_params(Bytes params, AttestationRequest& out) {
  ByteReader in(params);
  const auto version = in.u8();
  const auto mode = in.u8();
  const auto instance = in.fixed<32>();
  const auto policy = in.fixed<32>();
  const auto max_age = in.u32_be();
  if (!version || *version != kProtocolVersion || !mode || !instance || !policy || !max_age) {
    return false;
  }
  if (*mode < static_cast<uint8_t>(Mode::full_evidence) ||
      *mode > static_cast<uint8_t>(Mode::key_proof_only)) {
    return false;
  }
  out.mode = static_cast<Mode>(*mode);
  out.instance_id = *instance;
  out.policy_hash = *policy;
  out.max_age_s = *max_age;
  return decode_formats(in, out.formats) && in.done();
}

bool decode_extensions(Bytes extensions, AttestationRequest& out) {
  ByteReader in(extensions);
  const auto algorithms = take_extension(in, kSignatureAlgorithmsExtension);
  const auto cmw = take_extension(in, kCmwExtension);
  const auto params = take_extension(in, kParamsExtension);
  if (!algorithms || !cmw || !params || !in.done() || !cmw->empty()) return false;
  const Buffer expected = ByteWriter().u16_be(2).u16_be(kEcdsaP256Sha256).take();
  return equal(*algorithms, expected) && decode_params(*params, out);
}

}  // namespace

Buffer encode_request(const AttestationRequest& request) {
  ByteWriter extensions;
  put_extension(extensions, kSignatureAlgorithmsExtension,
                ByteWriter().u16_be(2).u16_be(kEcdsaP256Sha256).view());
  put_extension(extensions, kCmwExtension, {});
  put_extension(extensions, kParamsExtension, encode_params(request));
  ByteWriter body;
  body.u8(static_cast<uint8_t>(request.context.size())).bytes(request.context);
  body.u16_be(static_cast<uint16_t>(extensions.size())).bytes(extensions.view());
  return handshake_message(kClientCertificateRequestMessage, body.view());
}

Result<AttestationRequest> decode_request(Bytes bytes) {
  const auto malformed = std::unexpected(AtlsError::request_malformed);
  if (bytes.size() > kMaxRequestBytes) return malformed;
  ByteReader outer(bytes);
  const auto body = take_message(outer, kClientCertificateRequestMessage);
  if (!body || !outer.done()) return malformed;
  ByteReader in(*body);
  const auto context = take_vector8(in);
  const auto extensions = take_vector16(in);
  if (!context || !extensions || !in.done()) return malformed;
  AttestationRequest out;
  const auto fixed = to_fixed<32>(*context);
  if (!fixed || !decode_extensions(*extensions, out)) return malformed;
  out.context = *fixed;
  return out;
}

}  // namespace cloister::atls
