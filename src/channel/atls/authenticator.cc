#include "channel/atls/authenticator.h"

#include "channel/atls/wire_format.h"
#include "crypto/openssl.h"

namespace cloister::atls {
namespace {

constexpr std::string_view kSignatureLabel = "Exported Authenticator";
constexpr size_t kSignaturePadding = 64;
constexpr size_t kCoordinateBytes = 32;

// The messages of one authenticator, as they came.
struct Parts {
  Bytes certificate, certificate_verify;  // whole messages
  Bytes context, leaf, cmw;
  uint16_t scheme = 0;
  Bytes signature;
  Bytes mac;
};

bool read_certificate(Bytes body, Parts& out) {
  ByteReader in(body);
  const auto context = take_vector8(in);
  const auto list = take_vector24(in);
  if (!context || !list || !in.done()) return false;
  ByteReader entries(*list);
  const auto leaf = take_vector24(entries);
  const auto extensions = take_vector16(entries);
  if (!leaf || leaf->empty() || !extensions || !entries.done()) return false;
  out.context = *context;
  out.leaf = *leaf;
  if (extensions->empty()) return true;  // no evidence: its own error, later
  ByteReader ext(*extensions);
  const auto data = take_extension(ext, kCmwExtension);
  if (!data || !ext.done()) return false;
  ByteReader inner(*data);
  const auto cmw = take_vector16(inner);
  if (!cmw || cmw->empty() || !inner.done()) return false;
  out.cmw = *cmw;
  return true;
}

bool read_certificate_verify(Bytes body, Parts& out) {
  ByteReader in(body);
  const auto scheme = in.u16_be();
  const auto signature = take_vector16(in);
  if (!scheme || !signature || !in.done()) return false;
  out.scheme = *scheme;
  out.signature = *signature;
  return true;
}

std::optional<Parts> read_parts(Bytes authenticator) {
  if (authenticator.size() > kMaxAuthenticatorBytes) return std::nullopt;
  Parts out;
  ByteReader in(authenticator);
  const auto certificate = take_message(in, kCertificateMessage);
  const size_t after_certificate = authenticator.size() - in.remaining();
  const auto verify = take_message(in, kCertificateVerifyMessage);
  const size_t after_verify = authenticator.size() - in.remaining();
  const auto finished = take_message(in, kFinishedMessage);
  if (!certificate || !verify || !finished || !in.done()) return std::nullopt;
  if (!read_certificate(*certificate, out) || !read_certificate_verify(*verify, out)) {
    return std::nullopt;
  }
  out.certificate = authenticator.first(after_certificate);
  out.certificate_verify =
      authenticator.subspan(after_certificate, after_verify - after_certificate);
  out.mac = *finished;
  return out;
}

Buffer transcript_hash(const Exported& exported, Bytes request, Bytes certificate,
                       Bytes certificate_verify) {
  ByteWriter all;
  all.bytes(exported.handshake_context).bytes(request);
  all.bytes(certificate).bytes(certificate_verify);
  return crypto::hash(exported.hash, all.view());
}

Buffer signed_content(const Exported& exported, Bytes request, Bytes certificate) {
  ByteWriter out;
  for (size_t i = 0; i < kSignaturePadding; ++i) out.u8(0x20);
  out.text(kSignatureLabel).u8(0);
  return out.bytes(transcript_hash(exported, request, certificate, {})).take();
}

// TLS carries ECDSA signatures in DER; our verifier takes r ‖ s. Only the one DER form is accepted.
std::optional<Buffer> raw_signature(Bytes der) {
  crypto::ClearErrors clear;
  const uint8_t* cursor = der.data();
  crypto::Owned<ECDSA_SIG> sig{d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!sig) return std::nullopt;
  uint8_t* again = nullptr;
  const int size = i2d_ECDSA_SIG(sig.get(), &again);
  const bool same = size > 0 && equal(der, Bytes(again, static_cast<size_t>(size)));
  OPENSSL_free(again);
  Buffer out(2 * kCoordinateBytes);
  const int width = static_cast<int>(kCoordinateBytes);
  if (!same || BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), out.data(), width) != width ||
      BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), out.data() + kCoordinateBytes, width) != width) {
    return std::nullopt;
  }
  return out;
}

Buffer der_signature(Bytes raw) {
  const int width = static_cast<int>(kCoordinateBytes);
  crypto::Owned<BIGNUM> r{BN_bin2bn(raw.data(), width, nullptr)};
  crypto::Owned<BIGNUM> s{BN_bin2bn(raw.data() + kCoordinateBytes, width, nullptr)};
  crypto::Owned<ECDSA_SIG> sig{ECDSA_SIG_new()};
  crypto::require(sig && r && s && ECDSA_SIG_set0(sig.get(), r.release(), s.release()) == 1);
  uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(sig.get(), &der);
  crypto::require(size > 0);
  Buffer out(der, der + size);
  OPENSSL_free(der);
  return out;
}

bool signature_holds(const Parts& parts, const Exported& exported, Bytes request,
                     const crypto::Certificate& leaf) {
  if (parts.scheme != kEcdsaP256Sha256 || leaf.key_kind() != crypto::KeyKind::ec_p256) return false;
  const auto raw = raw_signature(parts.signature);
  if (!raw) return false;
  return crypto::verify_ecdsa(crypto::Curve::p256, leaf.public_xy(),
                              signed_content(exported, request, parts.certificate), *raw);
}

}  // namespace

Buffer make_authenticator(const Exported& exported, Bytes request, const RequestContext& context,
                          const crypto::Certificate& leaf, const crypto::PrivateKey& leaf_key,
                          Bytes cmw) {
  ByteWriter extensions;
  ByteWriter data;
  data.u16_be(static_cast<uint16_t>(cmw.size())).bytes(cmw);
  if (!cmw.empty()) put_extension(extensions, kCmwExtension, data.view());
  ByteWriter entry;
  entry.u24_be(static_cast<uint32_t>(leaf.der().size())).bytes(leaf.der());
  entry.u16_be(static_cast<uint16_t>(extensions.size())).bytes(extensions.view());
  ByteWriter body;
  body.u8(static_cast<uint8_t>(context.size())).bytes(context);
  body.u24_be(static_cast<uint32_t>(entry.size())).bytes(entry.view());
  const Buffer certificate = handshake_message(kCertificateMessage, body.view());

  const Buffer signature =
      der_signature(leaf_key.sign_ecdsa(signed_content(exported, request, certificate)));
  ByteWriter verify;
  verify.u16_be(kEcdsaP256Sha256);
  verify.u16_be(static_cast<uint16_t>(signature.size())).bytes(signature);
  const Buffer certificate_verify = handshake_message(kCertificateVerifyMessage, verify.view());

  const SecretBuffer mac =
      crypto::hmac(exported.hash, exported.finished_key,
                   transcript_hash(exported, request, certificate, certificate_verify));
  ByteWriter out;
  out.bytes(certificate).bytes(certificate_verify);
  return out.bytes(handshake_message(kFinishedMessage, mac)).take();
}

Result<Bytes> verify_authenticator(const Exported& exported, Bytes request,
                                   const RequestContext& context,
                                   const crypto::Certificate& tls_leaf, Bytes authenticator) {
  const auto parts = read_parts(authenticator);
  if (!parts) return std::unexpected(AtlsError::authenticator_malformed);
  const SecretBuffer mac = crypto::hmac(
      exported.hash, exported.finished_key,
      transcript_hash(exported, request, parts->certificate, parts->certificate_verify));
  if (!equal_constant_time(mac, parts->mac)) return std::unexpected(AtlsError::bad_finished);
  if (!equal(parts->context, context)) return std::unexpected(AtlsError::wrong_context);
  if (!equal(parts->leaf, tls_leaf.der())) return std::unexpected(AtlsError::leaf_mismatch);
  if (!signature_holds(*parts, exported, request, tls_leaf)) {
    return std::unexpected(AtlsError::bad_certificate_verify);
  }
  if (parts->cmw.empty()) return std::unexpected(AtlsError::evidence_absent);
  return parts->cmw;
}

}  // namespace cloister::atls
