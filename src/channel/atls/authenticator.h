// AUTHENTICATOR: an exported authenticator (RFC 9261) over a request, with evidence in its first
// entry. Pure: what TLS exported and the TLS peer's leaf are arguments.
//
//   Certificate (11)       = u8 32 ‖ context ‖ u24 list of one { u24 cert ‖ u16 extensions: 0xFF35
//   → u16 cmw } CertificateVerify (15) = u16 scheme ‖ u16 signature over
//                            64 × 0x20 ‖ "Exported Authenticator" ‖ 00 ‖ Hash(HC ‖ request ‖
//                            Certificate)
//   Finished (20)          = HMAC(FK, Hash(HC ‖ request ‖ Certificate ‖ CertificateVerify))
//
// Departure: exactly one entry with exactly one extension; RFC 9261 would allow more.
#pragma once

#include "channel/atls/cmw.h"
#include "channel/atls/request.h"
#include "crypto/hash.h"

namespace cloister::atls {

constexpr size_t kMaxLeafBytes = 64 * 1024;
constexpr size_t kMaxAuthenticatorBytes = kMaxLeafBytes + kMaxCmwBytes + 1024;

// What both ends of one TLS connection can compute and nobody else.
struct Exported {
  crypto::HashKind hash = crypto::HashKind::sha384;  // of the negotiated suite
  SecretBuffer handshake_context;                    // HC
  SecretBuffer finished_key;                         // FK
};

// `request` is the body of ATT_REQUEST with `context` inside it.
Buffer make_authenticator(const Exported& exported, Bytes request, const RequestContext& context,
                          const crypto::Certificate& leaf, const crypto::PrivateKey& leaf_key,
                          Bytes cmw);

// Checks in this order: shape, Finished, context, leaf, CertificateVerify. Returns the CMW bytes,
// which point into `authenticator` and are still unverified evidence.
Result<Bytes> verify_authenticator(const Exported& exported, Bytes request,
                                   const RequestContext& context,
                                   const crypto::Certificate& tls_leaf, Bytes authenticator);

}  // namespace cloister::atls
