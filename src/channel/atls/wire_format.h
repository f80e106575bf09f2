// The numbers and shapes of TLS handshake messages that both ends of ATLS/1 use. Private to this
// folder.
#pragma once

#include "base/bytes.h"

namespace cloister::atls {

// RFC 8446, section 4 and RFC 9261.
constexpr uint8_t kCertificateMessage = 11;
constexpr uint8_t kCertificateVerifyMessage = 15;
constexpr uint8_t kClientCertificateRequestMessage = 17;
constexpr uint8_t kFinishedMessage = 20;
constexpr uint16_t kSignatureAlgorithmsExtension = 13;
constexpr uint16_t kCmwExtension = 0xFF35;
constexpr uint16_t kParamsExtension = 0xFF36;
constexpr uint16_t kEcdsaP256Sha256 = 0x0403;

// u8 type ‖ u24 length ‖ body
inline Buffer handshake_message(uint8_t type, Bytes body) {
  return ByteWriter().u8(type).u24_be(static_cast<uint32_t>(body.size())).bytes(body).take();
}

// The body of the next message if it has this type; nothing otherwise.
inline std::optional<Bytes> take_message(ByteReader& in, uint8_t type) {
  const auto found = in.u8();
  const auto size = in.u24_be();
  if (!found || *found != type || !size) return std::nullopt;
  return in.take(*size);
}

inline std::optional<Bytes> take_vector8(ByteReader& in) {
  const auto size = in.u8();
  return size ? in.take(*size) : std::nullopt;
}
inline std::optional<Bytes> take_vector16(ByteReader& in) {
  const auto size = in.u16_be();
  return size ? in.take(*size) : std::nullopt;
}
inline std::optional<Bytes> take_vector24(ByteReader& in) {
  const auto size = in.u24_be();
  return size ? in.take(*size) : std::nullopt;
}

// The data of the next extension if it has this type.
inline std::optional<Bytes> take_extension(ByteReader& in, uint16_t type) {
  const auto found = in.u16_be();
  if (!found || *found != type) return std::nullopt;
  return take_vector16(in);
}

inline void put_extension(ByteWriter& out, uint16_t type, Bytes data) {
  out.u16_be(type).u16_be(static_cast<uint16_t>(data.size())).bytes(data);
}

}  // namespace cloister::atls
