// Frames of ATLS/1: u8 type ‖ u24 length ‖ body, between the TLS handshake and DONE. Pure.
#pragma once

#include "base/bytes.h"
#include "channel/atls/error.h"

namespace cloister::atls {

enum class FrameType : uint8_t {
  att_request = 1,
  gpu_evidence = 2,  // reserved: no GPU evidence is verified yet, so it is refused
  authenticator = 3,
  verdict = 4,
  done = 5,
  error = 6,
  reattest = 7,  // reserved: a pooled connection is replaced instead
};

constexpr size_t kFrameHeaderBytes = 4;
constexpr size_t kMaxFrameBytes = 1 << 20;
size_t max_body_bytes(FrameType type);  // at most kMaxFrameBytes

struct FrameHeader {
  FrameType type;
  size_t body_bytes;
};
// Refused before the body is read: data_before_done for a type that is none, frame_too_large.
Result<FrameHeader> read_frame_header(const Fixed<kFrameHeaderBytes>& bytes);
Buffer encode_frame(FrameType type, Bytes body);

// Coarse on purpose: a peer learns which kind of thing was wrong, not what was seen.
enum class PeerCode : uint16_t { binding = 1, evidence = 2, policy = 3, stale = 4, busy = 5 };
Buffer encode_error(PeerCode code);
Result<PeerCode> decode_error(Bytes body);
AtlsError peer_said(PeerCode code);

// What the client decided: u8 (1 accept, 0 reject) ‖ verdict_id[32], which is zero on reject.
struct Verdict {
  bool accepted = false;
  Hash32 id{};
  bool operator==(const Verdict&) const = default;
};
Buffer encode_verdict(const Verdict& verdict);
Result<Verdict> decode_verdict(Bytes body);

}  // namespace cloister::atls
