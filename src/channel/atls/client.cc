#include "channel/atls/client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "channel/atls/tls_link.h"
#include "http/tcp.h"

namespace cloister::atls {
namespace {

AtlsError error_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::binding:
      return AtlsError::binding_refused;
    case Refusal::evidence:
      return AtlsError::evidence_refused;
    case Refusal::policy:
      return AtlsError::policy_refused;
    case Refusal::stale:
      return AtlsError::stale_refused;
  }
  return AtlsError::evidence_refused;
}

}  // namespace

struct Connector::Shared {
  http::asio::any_io_executor executor;
  const Clock& clock;
  Random& random;
  std::shared_ptr<SslContext> context;
};

// One attempt, on the connection's strand.
class ClientHandshake {
 public:
  ClientHandshake(std::shared_ptr<TlsLink> link, ConnectOptions options, PeerVerifier verifier,
                  const RequestContext& context)
      : link_(std::move(link)), options_(std::move(options)), verifier_(std::move(verifier)) {
    request_.context = context;
    request_.instance_id = options_.peer.instance_id;
    request_.policy_hash = options_.policy_hash;
    request_.max_age_s = options_.max_age_s;
    request_.formats = options_.formats;
    request_bytes_ = encode_request(request_);
  }

  asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> run();

 private:
  asio::awaitable<Result<void>> steps();
  Result<void> take_session();
  Result<void> take_authenticator(Bytes authenticator);
  asio::awaitable<Result<void>> judge();

  std::shared_ptr<TlsLink> link_;
  ConnectOptions options_;
  PeerVerifier verifier_;
  AttestationRequest request_;
  Buffer request_bytes_;
  Exported exported_;
  ConnectionFacts facts_;
};

asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> ClientHandshake::run() {
  Result<void> held = co_await steps();
  link_->disarm();
  if (!held) {
    link_->close();
    co_return std::unexpected(held.error());
  }
  co_return std::unique_ptr<AtlsConnection>(new AtlsConnection(link_, std::move(facts_)));
}

asio::awaitable<Result<void>> ClientHandshake::steps() {
  Result<void> held = co_await link_->handshake(true);
  if (!held) co_return held;
  held = take_session();
  if (!held) co_return held;
  held = co_await link_->write_frame(FrameType::att_request, request_bytes_);
  if (!held) co_return held;
  auto authenticator = co_await link_->expect_frame(FrameType::authenticator);
  if (!authenticator) co_return std::unexpected(authenticator.error());
  held = take_authenticator(*authenticator);
  if (held) held = co_await judge();
  if (!held) {
    // Told so that the server can count it; the outcome is the same when it does not arrive.
    const Buffer rejected = encode_verdict(Verdict{});
    co_await link_->write_frame(FrameType::verdict, rejected);
    co_return held;
  }
  const Buffer accepted = encode_verdict(Verdict{true, facts_.verdict_id});
  held = co_await link_->write_frame(FrameType::verdict, accepted);
  if (!held) co_return held;
  auto done = co_await link_->expect_frame(FrameType::done);
  if (!done) co_return std::unexpected(done.error());
  if (link_->late()) co_return std::unexpected(AtlsError::deadline);
  co_return Result<void>{};
}

// Everything here is computed from our own end of the TLS connection.
Result<void> ClientHandshake::take_session() {
  auto hash = check_session(link_->ssl());
  if (!hash) return std::unexpected(hash.error());
  auto exported = export_authenticator_keys(link_->ssl(), *hash);
  if (!exported) return std::unexpected(exported.error());
  auto attestation = export_attestation(link_->ssl(), request_.context);
  if (!attestation) return std::unexpected(attestation.error());
  exported_ = std::move(*exported);
  facts_.bind = bind_of(*hash, link_->watch().leaf->spki_der(), *attestation);
  facts_.spki_sha256 = link_->watch().leaf->spki_sha256();
  facts_.request_sha256 = crypto::sha256(request_bytes_);
  return {};
}

Result<void> ClientHandshake::take_authenticator(Bytes authenticator) {
  auto cmw = verify_authenticator(exported_, request_bytes_, request_.context, *link_->watch().leaf,
                                  authenticator);
  if (!cmw) return std::unexpected(cmw.error());
  auto attestation = decode_cmw(*cmw);
  if (!attestation) return std::unexpected(attestation.error());
  for (const auto& item : attestation->evidence) {
    if (std::ranges::find(request_.formats, item.format) == request_.formats.end()) {
      return std::unexpected(AtlsError::evidence_not_asked_for);
    }
  }
  facts_.attestation = std::move(*attestation);
  return {};
}

asio::awaitable<Result<void>> ClientHandshake::judge() {
  BindingInputs inputs;
  inputs.role = Role::server;
  inputs.bind = facts_.bind;
  inputs.spki_sha256 = facts_.spki_sha256;
  inputs.instance_id = request_.instance_id;
  inputs.request_sha256 = facts_.request_sha256;
  inputs.claims_sha256 = crypto::sha256(facts_.attestation.claims);
  facts_.report_data = report_data(inputs);
  const PeerEvidence peer{facts_.attestation.evidence, facts_.attestation.claims,
                          facts_.report_data, facts_.spki_sha256, request_.instance_id};
  auto verdict = co_await verifier_(peer);
  if (!verdict) co_return std::unexpected(error_of(verdict.error()));
  facts_.verdict_id = *verdict;
  co_return Result<void>{};
}

namespace {

asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> attempt(std::shared_ptr<TlsLink> link,
                                                                 ConnectOptions options,
                                                                 PeerVerifier verifier,
                                                                 RequestContext context,
                                                                 UnixSeconds now, Millis timeout) {
  link->watch().spki_sha256 = options.peer.spki_sha256;
  link->watch().now = now;
  link->arm(timeout);
  ClientHandshake handshake(std::move(link), std::move(options), std::move(verifier), context);
  co_return co_await handshake.run();
}

}  // namespace

Connector::Connector(asio::any_io_executor executor, const Clock& clock, Random& random)
    : shared_(new Shared{std::move(executor), clock, random, make_client_context()}) {}
Connector::~Connector() = default;

asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> Connector::connect(ConnectOptions options,
                                                                            PeerVerifier verifier) {
  auto shared = shared_;
  const auto deadline = std::chrono::steady_clock::now() + options.timeout;
  auto socket =
      co_await http::connect_tcp(shared->executor, options.host, options.port, options.timeout);
  if (!socket) {
    const bool late = socket.error() == http::Error::deadline;
    co_return std::unexpected(late ? AtlsError::deadline : AtlsError::connect_failed);
  }
  const auto left = std::chrono::duration_cast<Millis>(deadline - std::chrono::steady_clock::now());
  asio::any_io_executor strand = socket->get_executor();
  auto link = std::make_shared<TlsLink>(std::move(*socket), shared->context);
  const RequestContext context = shared->random.fixed<32>();
  co_return co_await asio::co_spawn(
      strand,
      attempt(link, std::move(options), std::move(verifier), context, shared->clock.now(), left),
      asio::use_awaitable);
}

}  // namespace cloister::atls
