// Why an attested connection could not be made. One value a cause; after any of them the connection
// is closed and no byte of a request has been sent.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace cloister::atls {

enum class AtlsError : uint8_t {
  // Below TLS, and TLS itself.
  connect_failed = 1,
  deadline = 2,
  peer_gone = 3,
  tls_failed = 4,
  wrong_protocol = 5,  // a version, suite or ALPN other than ours
  resumed_session = 6,
  ticket_pushed = 7,    // the server offered resumption
  exporter_failed = 8,  // failed, or gave only zeros
  // The server's certificate in the handshake.
  leaf_malformed = 9,  // not one self-signed P-256 certificate of at most 24 h
  leaf_too_large = 10,
  leaf_not_valid_now = 11,
  leaf_not_as_registered = 12,  // another key than the ledger's record names
  // Frames.
  frame_too_large = 13,
  frame_malformed = 14,
  unexpected_frame = 15,  // a known frame out of turn
  data_before_done = 16,  // bytes that are no frame at all, or that came too early
  // The request, as the server sees it.
  request_malformed = 17,
  mode_unsupported = 18,
  wrong_instance = 19,
  context_reused = 20,
  // The authenticator, in the order in which it is checked.
  authenticator_malformed = 21,
  bad_finished = 22,
  wrong_context = 23,  // it answers another request
  leaf_mismatch = 24,  // it names another key than the TLS handshake proved
  bad_certificate_verify = 25,
  evidence_absent = 26,
  evidence_malformed = 27,
  evidence_not_asked_for = 28,  // a format outside the request's list
  // What the verifier of evidence said.
  binding_refused = 29,
  evidence_refused = 30,
  policy_refused = 31,
  stale_refused = 32,
  // On the server.
  busy = 33,
  quote_failed = 34,
  verdict_rejected = 35,  // the client refused our evidence
  // The peer sent ERROR with this code.
  peer_said_binding = 36,
  peer_said_evidence = 37,
  peer_said_policy = 38,
  peer_said_stale = 39,
  peer_said_busy = 40,
};
std::string_view name(AtlsError error);      // "bad_finished"
std::string_view describe(AtlsError error);  // one short sentence

template <typename T>
using Result = std::expected<T, AtlsError>;

}  // namespace cloister::atls
