#include "channel/atls/frames.h"

#include "channel/atls/authenticator.h"
#include "channel/atls/request.h"

namespace cloister::atls {
namespace {

constexpr size_t kVerdictBytes = 33;
constexpr size_t kErrorBytes = 2;

}  // namespace

size_t max_body_bytes(FrameType type) {
  switch (type) {
    case FrameType::att_request:
      return kMaxRequestBytes;
    case FrameType::gpu_evidence:
      return kMaxFrameBytes;
    case FrameType::authenticator:
      return kMaxAuthenticatorBytes;
    case FrameType::verdict:
      return kVerdictBytes;
    case FrameType::error:
      return kErrorBytes;
    case FrameType::done:
    case FrameType::reattest:
      return 0;
  }
  return 0;
}

Result<FrameHeader> read_frame_header(const Fixed<kFrameHeaderBytes>& bytes) {
  ByteReader in(bytes);
  const uint8_t type = *in.u8();
  const size_t size = *in.u24_be();
  if (type < static_cast<uint8_t>(FrameType::att_request) ||
      type > static_cast<uint8_t>(FrameType::reattest)) {
    return std::unexpected(AtlsError::data_before_done);
  }
  const FrameHeader header{static_cast<FrameType>(type), size};
  if (size > max_body_bytes(header.type)) return std::unexpected(AtlsError::frame_too_large);
  return header;
}

Buffer encode_frame(FrameType type, Bytes body) {
  return ByteWriter()
      .u8(static_cast<uint8_t>(type))
      .u24_be(static_cast<uint32_t>(body.size()))
      .bytes(body)
      .take();
}

Buffer encode_error(PeerCode code) {
  return ByteWriter().u16_be(static_cast<uint16_t>(code)).take();
}

Result<PeerCode> decode_error(Bytes body) {
  ByteReader in(body);
  const auto code = in.u16_be();
  const bool known = code && *code >= static_cast<uint16_t>(PeerCode::binding) &&
                     *code <= static_cast<uint16_t>(PeerCode::busy);
  if (!known || !in.done()) return std::unexpected(AtlsError::frame_malformed);
  return static_cast<PeerCode>(*code);
}

AtlsError peer_said(PeerCode code) {
  switch (code) {
    case PeerCode::binding:
      return AtlsError::peer_said_binding;
    case PeerCode::evidence:
      return AtlsError::peer_said_evidence;
    case PeerCode::policy:
      return AtlsError::peer_said_policy;
    case PeerCode::stale:
      return AtlsError::peer_said_stale;
    case PeerCode::busy:
      return AtlsError::peer_said_busy;
  }
  return AtlsError::frame_malformed;
}

Buffer encode_verdict(const Verdict& verdict) {
  return ByteWriter().u8(verdict.accepted ? 1 : 0).bytes(verdict.id).take();
}

Result<Verdict> decode_verdict(Bytes body) {
  ByteReader in(body);
  const auto accepted = in.u8();
  const auto id = in.fixed<32>();
  if (!accepted || !id || !in.done() || *accepted > 1) {
    return std::unexpected(AtlsError::frame_malformed);
  }
  if (*accepted == 0 && !all_zero(*id)) return std::unexpected(AtlsError::frame_malformed);
  return Verdict{*accepted == 1, *id};
}

}  // namespace cloister::atls
