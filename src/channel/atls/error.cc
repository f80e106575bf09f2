#include "channel/atls/error.h"

namespace cloister::atls {

std::string_view name(AtlsError error) {
  switch (error) {
    case AtlsError::connect_failed:
      return "connect_failed";
    case AtlsError::deadline:
      return "deadline";
    case AtlsError::peer_gone:
      return "peer_gone";
    case AtlsError::tls_failed:
      return "tls_failed";
    case AtlsError::wrong_protocol:
      return "wrong_protocol";
    case AtlsError::resumed_session:
      return "resumed_session";
    case AtlsError::ticket_pushed:
      return "ticket_pushed";
    case AtlsError::exporter_failed:
      return "exporter_failed";
    case AtlsError::leaf_malformed:
      return "leaf_malformed";
    case AtlsError::leaf_too_large:
      return "leaf_too_large";
    case AtlsError::leaf_not_valid_now:
      return "leaf_not_valid_now";
    case AtlsError::leaf_not_as_registered:
      return "leaf_not_as_registered";
    case AtlsError::frame_too_large:
      return "frame_too_large";
    case AtlsError::frame_malformed:
      return "frame_malformed";
    case AtlsError::unexpected_frame:
      return "unexpected_frame";
    case AtlsError::data_before_done:
      return "data_before_done";
    case AtlsError::request_malformed:
      return "request_malformed";
    case AtlsError::mode_unsupported:
      return "mode_unsupported";
    case AtlsError::wrong_instance:
      return "wrong_instance";
    case AtlsError::context_reused:
      return "context_reused";
    case AtlsError::authenticator_malformed:
      return "authenticator_malformed";
    case AtlsError::bad_finished:
      return "bad_finished";
    case AtlsError::wrong_context:
      return "wrong_context";
    case AtlsError::leaf_mismatch:
      return "leaf_mismatch";
    case AtlsError::bad_certificate_verify:
      return "bad_certificate_verify";
    case AtlsError::evidence_absent:
      return "evidence_absent";
    case AtlsError::evidence_malformed:
      return "evidence_malformed";
    case AtlsError::evidence_not_asked_for:
      return "evidence_not_asked_for";
    case AtlsError::binding_refused:
      return "binding_refused";
    case AtlsError::evidence_refused:
      return "evidence_refused";
    case AtlsError::policy_refused:
      return "policy_refused";
    case AtlsError::stale_refused:
      return "stale_refused";
    case AtlsError::busy:
      return "busy";
    case AtlsError::quote_failed:
      return "quote_failed";
    case AtlsError::verdict_rejected:
      return "verdict_rejected";
    case AtlsError::peer_said_binding:
      return "peer_said_binding";
    case AtlsError::peer_said_evidence:
      return "peer_said_evidence";
    case AtlsError::peer_said_policy:
      return "peer_said_policy";
    case AtlsError::peer_said_stale:
      return "peer_said_stale";
    case AtlsError::peer_said_busy:
      return "peer_said_busy";
  }
  return "unknown";
}

std::string_view describe(AtlsError error) {
  switch (error) {
    case AtlsError::connect_failed:
      return "the connection could not be made";
    case AtlsError::deadline:
      return "the peer did not keep to the time limit";
    case AtlsError::peer_gone:
      return "the peer closed the connection";
    case AtlsError::tls_failed:
      return "the TLS handshake failed";
    case AtlsError::wrong_protocol:
      return "the peer speaks another TLS version, suite or application protocol";
    case AtlsError::resumed_session:
      return "the TLS session was resumed instead of made anew";
    case AtlsError::ticket_pushed:
      return "the server pushed a ticket for resumption";
    case AtlsError::exporter_failed:
      return "TLS exported no usable binding value";
    case AtlsError::leaf_malformed:
      return "the certificate is not one self-signed P-256 leaf of at most 24 hours";
    case AtlsError::leaf_too_large:
      return "the certificate is too large";
    case AtlsError::leaf_not_valid_now:
      return "the certificate is not valid at this time";
    case AtlsError::leaf_not_as_registered:
      return "the certificate's key is not the one on the ledger";
    case AtlsError::frame_too_large:
      return "a frame is longer than its type allows";
    case AtlsError::frame_malformed:
      return "a frame's content is malformed";
    case AtlsError::unexpected_frame:
      return "a frame came out of turn";
    case AtlsError::data_before_done:
      return "data came before the attestation was done";
    case AtlsError::request_malformed:
      return "the attestation request is malformed";
    case AtlsError::mode_unsupported:
      return "the attestation mode is not offered here";
    case AtlsError::wrong_instance:
      return "the request is meant for another instance";
    case AtlsError::context_reused:
      return "the request repeats the context of an earlier one";
    case AtlsError::authenticator_malformed:
      return "the authenticator is malformed";
    case AtlsError::bad_finished:
      return "the authenticator was not made on this connection";
    case AtlsError::wrong_context:
      return "the authenticator answers another request";
    case AtlsError::leaf_mismatch:
      return "the authenticator's certificate is not that of this connection";
    case AtlsError::bad_certificate_verify:
      return "the authenticator's signature does not hold";
    case AtlsError::evidence_absent:
      return "the authenticator carries no evidence";
    case AtlsError::evidence_malformed:
      return "the evidence's wrapper is malformed";
    case AtlsError::evidence_not_asked_for:
      return "the evidence has a format that was not asked for";
    case AtlsError::binding_refused:
      return "the evidence is not bound to this connection";
    case AtlsError::evidence_refused:
      return "the evidence does not verify";
    case AtlsError::policy_refused:
      return "policy does not allow this instance";
    case AtlsError::stale_refused:
      return "the evidence or its collateral is too old";
    case AtlsError::busy:
      return "too many attestations are under way";
    case AtlsError::quote_failed:
      return "the device gave no evidence";
    case AtlsError::verdict_rejected:
      return "the client refused the evidence";
    case AtlsError::peer_said_binding:
      return "the peer reports a fault of binding";
    case AtlsError::peer_said_evidence:
      return "the peer reports a fault of evidence";
    case AtlsError::peer_said_policy:
      return "the peer reports a refusal by policy";
    case AtlsError::peer_said_stale:
      return "the peer reports that something is too old";
    case AtlsError::peer_said_busy:
      return "the peer is busy";
  }
  return "unknown error";
}

}  // namespace cloister::atls
