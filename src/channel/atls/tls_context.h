// TLS as ATLS/1 wants it: version 1.3, full handshakes, one application protocol. Private to this
// folder.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/seams.h"
#include "channel/atls/authenticator.h"
#include "channel/atls/leaf.h"

namespace cloister::atls {

constexpr std::string_view kAlpn = "cloister-atls/1+http/1.1";

using SslContext = boost::asio::ssl::context;

std::shared_ptr<SslContext> make_server_context(const Leaf& leaf);
std::shared_ptr<SslContext> make_client_context();

// What the client's certificate callback compares with, and what it and the message callback found.
// Hung on the SSL object with `attach`; must outlive it.
struct TlsWatch {
  bool client = false;
  Hash32 spki_sha256{};
  UnixSeconds now = 0;
  std::optional<AtlsError> leaf_fault;
  std::optional<crypto::Certificate> leaf;  // the server's, once it passed
  bool ticket_seen = false;
};
void attach(SSL* ssl, TlsWatch& watch);

// After the handshake: version, suite, ALPN, and that the session is new.
Result<crypto::HashKind> check_session(SSL* ssl);

// RFC 9261's two values for server authenticators. A failed or zero export is exporter_failed.
Result<Exported> export_authenticator_keys(SSL* ssl, crypto::HashKind hash);
// E = TLS-Exporter("Attestation", context, 32)
Result<Fixed<32>> export_attestation(SSL* ssl, const RequestContext& context);

}  // namespace cloister::atls
