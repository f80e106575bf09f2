#include "channel/atls/tls_context.h"

#include "crypto/openssl.h"

namespace cloister::atls {
namespace {

constexpr const char* kSuites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256";
constexpr const char* kHybridGroups = "X25519MLKEM768:X25519:P-256";  // OpenSSL 3.5 and later
constexpr uint8_t kNewSessionTicket = 4;

int watch_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

TlsWatch* watch_of(const SSL* ssl) {
  return static_cast<TlsWatch*>(SSL_get_ex_data(ssl, watch_index()));
}

// Sees each protocol message. A server that pushes tickets wants resumption, which attests nothing.
void on_message(int write, int, int content_type, const void* data, size_t size, SSL* ssl, void*) {
  const bool ticket = content_type == SSL3_RT_HANDSHAKE && size > 0 &&
                      *static_cast<const uint8_t*>(data) == kNewSessionTicket;
  TlsWatch* watch = watch_of(ssl);
  if (watch != nullptr && watch->client && write == 0 && ticket) watch->ticket_seen = true;
}

// Replaces OpenSSL's chain verification by the cheap checks on the one self-signed leaf.
int on_server_certificate(X509_STORE_CTX* store, void*) {
  auto ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsWatch* watch = ssl != nullptr ? watch_of(ssl) : nullptr;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  if (watch == nullptr) return 0;
  watch->leaf_fault = AtlsError::leaf_malformed;
  X509* x509 = X509_STORE_CTX_get0_cert(store);
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_untrusted(store);
  if (x509 == nullptr || chain == nullptr || sk_X509_num(chain) != 1) return 0;
  uint8_t* der = nullptr;
  const int size = i2d_X509(x509, &der);
  if (size <= 0) return 0;
  auto leaf = check_leaf(Bytes(der, static_cast<size_t>(size)), watch->spki_sha256, watch->now);
  OPENSSL_free(der);
  if (!leaf) {
    watch->leaf_fault = leaf.error();
    return 0;
  }
  watch->leaf_fault.reset();
  watch->leaf = std::move(*leaf);
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

const uint8_t* alpn_wire(size_t& size) {
  static const Buffer wire = ByteWriter().u8(static_cast<uint8_t>(kAlpn.size())).text(kAlpn).take();
  size = wire.size();
  return wire.data();
}

int select_alpn(SSL*, const uint8_t** out, uint8_t* out_size, const uint8_t* offered,
                unsigned offered_size, void*) {
  ByteReader in(Bytes(offered, offered_size));
  while (const auto size = in.u8()) {
    const auto protocol = in.take(*size);
    if (!protocol) break;
    if (as_text(*protocol) != kAlpn) continue;
    *out = protocol->data();
    *out_size = *size;
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<SslContext> make_context(SslContext::method method) {
  auto context = std::make_shared<SslContext>(method);
  SSL_CTX* raw = context->native_handle();
  crypto::require(SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1);
  crypto::require(SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1);
  crypto::require(SSL_CTX_set_ciphersuites(raw, kSuites) == 1);
  if (SSL_CTX_set1_groups_list(raw, kHybridGroups) != 1) {
    crypto::require(SSL_CTX_set1_groups_list(raw, kGroups) == 1);
  }
  crypto::require(SSL_CTX_set1_sigalgs_list(raw, "ecdsa_secp256r1_sha256") == 1);
  // OpenSSL keeps what it deciphered until the next record overwrites it, unless told to wipe it.
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  crypto::require(SSL_CTX_set_num_tickets(raw, 0) == 1);
  crypto::require(SSL_CTX_set_max_early_data(raw, 0) == 1);
  SSL_CTX_set_max_cert_list(raw, static_cast<long>(kMaxLeafBytes));
  SSL_CTX_set_msg_callback(raw, on_message);
  ERR_clear_error();
  return context;
}

Result<SecretBuffer> export_value(SSL* ssl, std::string_view label, std::optional<Bytes> context,
                                  size_t size) {
  crypto::ClearErrors clear;
  SecretBuffer out(size);
  const Bytes bytes = context.value_or(Bytes{});
  const int held =
      SSL_export_keying_material(ssl, out.data(), out.size(), label.data(), label.size(),
                                 bytes.data(), bytes.size(), context.has_value() ? 1 : 0);
  if (held != 1 || all_zero(out)) return std::unexpected(AtlsError::exporter_failed);
  return out;
}

}  // namespace

std::shared_ptr<SslContext> make_server_context(const Leaf& leaf) {
  auto context = make_context(SslContext::tls_server);
  SSL_CTX* raw = context->native_handle();
  crypto::require(SSL_CTX_use_certificate(raw, static_cast<X509*>(leaf.certificate.handle())) == 1);
  crypto::require(SSL_CTX_use_PrivateKey(raw, static_cast<EVP_PKEY*>(leaf.key.handle())) == 1);
  crypto::require(SSL_CTX_check_private_key(raw) == 1);
  SSL_CTX_set_alpn_select_cb(raw, select_alpn, nullptr);
  return context;
}

std::shared_ptr<SslContext> make_client_context() {
  auto context = make_context(SslContext::tls_client);
  SSL_CTX* raw = context->native_handle();
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);  // without it the next callback is ignored
  SSL_CTX_set_cert_verify_callback(raw, on_server_certificate, nullptr);
  size_t size = 0;
  const uint8_t* wire = alpn_wire(size);
  crypto::require(SSL_CTX_set_alpn_protos(raw, wire, static_cast<unsigned>(size)) == 0);
  return context;
}

void attach(SSL* ssl, TlsWatch& watch) {
  crypto::require(SSL_set_ex_data(ssl, watch_index(), &watch) == 1);
}

Result<crypto::HashKind> check_session(SSL* ssl) {
  if (SSL_session_reused(ssl) != 0) return std::unexpected(AtlsError::resumed_session);
  if (SSL_version(ssl) != TLS1_3_VERSION) return std::unexpected(AtlsError::wrong_protocol);
  const uint8_t* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &size);
  if (as_text(Bytes(alpn, size)) != kAlpn) return std::unexpected(AtlsError::wrong_protocol);
  switch (SSL_CIPHER_get_id(SSL_get_current_cipher(ssl))) {
    case TLS1_3_CK_AES_256_GCM_SHA384:
      return crypto::HashKind::sha384;
    case TLS1_3_CK_CHACHA20_POLY1305_SHA256:
      return crypto::HashKind::sha256;
    default:
      return std::unexpected(AtlsError::wrong_protocol);
  }
}

Result<Exported> export_authenticator_keys(SSL* ssl, crypto::HashKind hash) {
  const size_t size = crypto::size_bytes(hash);
  auto context =
      export_value(ssl, "EXPORTER-server authenticator handshake context", std::nullopt, size);
  auto key = export_value(ssl, "EXPORTER-server authenticator finished key", std::nullopt, size);
  if (!context || !key) return std::unexpected(AtlsError::exporter_failed);
  return Exported{hash, std::move(*context), std::move(*key)};
}

Result<Fixed<32>> export_attestation(SSL* ssl, const RequestContext& context) {
  const auto value = export_value(ssl, "Attestation", Bytes(context), 32);
  if (!value) return std::unexpected(value.error());
  return *to_fixed<32>(*value);
}

}  // namespace cloister::atls
