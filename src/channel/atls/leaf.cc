#include "channel/atls/leaf.h"

#include "channel/atls/authenticator.h"
#include "crypto/hash.h"

namespace cloister::atls {
namespace {

constexpr const char* kCmwOid = "1.3.6.1.5.5.7.1.35";
constexpr size_t kSerialBytes = 16;
constexpr UnixSeconds kClockSlackSeconds = 300;  // begins this much in the past

// DER OCTET STRING: the extension's value is a CMW in CBOR (RFC 9999, X.509 extension).
Buffer octet_string(Bytes value) {
  ByteWriter out;
  out.u8(0x04);
  if (value.size() < 0x80) {
    out.u8(static_cast<uint8_t>(value.size()));
  } else if (value.size() < 0x100) {
    out.u8(0x81).u8(static_cast<uint8_t>(value.size()));
  } else if (value.size() < 0x10000) {
    out.u8(0x82).u16_be(static_cast<uint16_t>(value.size()));
  } else {
    out.u8(0x83).u24_be(static_cast<uint32_t>(value.size()));
  }
  return out.bytes(value).take();
}

}  // namespace

crypto::Certificate make_leaf_certificate(const crypto::PrivateKey& key, Random& random,
                                          UnixSeconds now, Bytes registration_cmw) {
  crypto::IssueRequest request;
  request.subject_cn = "cloister instance";
  const auto serial = random.fixed<kSerialBytes>();
  request.serial = to_buffer(serial);
  request.serial[0] =
      static_cast<uint8_t>((request.serial[0] & 0x3f) | 0x40);  // positive, full length
  request.not_before = now - kClockSlackSeconds;
  request.not_after = request.not_before + kMaxLeafLifeSeconds;
  if (!registration_cmw.empty()) {
    request.extensions.push_back({kCmwOid, false, octet_string(registration_cmw)});
  }
  return crypto::issue_certificate(request, key, nullptr, key);
}

Leaf make_leaf(Random& random, UnixSeconds now, Bytes registration_cmw) {
  auto key = crypto::PrivateKey::generate_ec(crypto::Curve::p256);
  auto certificate = make_leaf_certificate(key, random, now, registration_cmw);
  return {std::move(key), std::move(certificate)};
}

std::expected<crypto::Certificate, AtlsError> check_leaf(Bytes der, const Hash32& spki_sha256,
                                                         UnixSeconds now) {
  if (der.size() > kMaxLeafBytes) return std::unexpected(AtlsError::leaf_too_large);
  auto leaf = crypto::Certificate::from_der(der);
  if (!leaf || leaf->key_kind() != crypto::KeyKind::ec_p256 || leaf->is_ca() ||
      leaf->has_unknown_critical_extension() || !leaf->self_issued() || !leaf->signed_by(*leaf)) {
    return std::unexpected(AtlsError::leaf_malformed);
  }
  if (leaf->not_after() - leaf->not_before() > kMaxLeafLifeSeconds) {
    return std::unexpected(AtlsError::leaf_malformed);
  }
  if (now < leaf->not_before() || now > leaf->not_after()) {
    return std::unexpected(AtlsError::leaf_not_valid_now);
  }
  if (leaf->spki_sha256() != spki_sha256) return std::unexpected(AtlsError::leaf_not_as_registered);
  return std::move(*leaf);
}

}  // namespace cloister::atls
