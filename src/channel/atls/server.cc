#include "channel/atls/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "channel/atls/quote_gate.h"
#include "channel/atls/tls_link.h"

namespace cloister::atls {

// The key and certificate of one moment, with the TLS settings made from them.
struct Credentials {
  crypto::Certificate certificate;
  std::shared_ptr<SslContext> context;
  crypto::PrivateKey key;
};

struct Acceptor::Shared {
  std::shared_ptr<EvidenceSource> source;
  AcceptOptions options;
  QuoteGate gate;
  std::mutex mutex;  // guards credentials
  std::shared_ptr<const Credentials> credentials;

  std::shared_ptr<const Credentials> current() {
    std::lock_guard lock(mutex);
    return credentials;
  }
};

namespace {

std::shared_ptr<const Credentials> make_credentials(const Leaf& leaf) {
  const SecretBuffer pem = leaf.key.to_pem();
  auto key = crypto::PrivateKey::from_pem(as_text(pem));
  return std::make_shared<Credentials>(
      Credentials{leaf.certificate, make_server_context(leaf), std::move(key.value())});
}

// What a client is told about our refusal; nothing when it broke the protocol.
std::optional<PeerCode> code_for(AtlsError error) {
  switch (error) {
    case AtlsError::wrong_instance:
    case AtlsError::context_reused:
      return PeerCode::binding;
    case AtlsError::quote_failed:
    case AtlsError::evidence_not_asked_for:
      return PeerCode::evidence;
    case AtlsError::mode_unsupported:
      return PeerCode::policy;
    case AtlsError::busy:
      return PeerCode::busy;
    default:
      return std::nullopt;
  }
}

}  // namespace

// One connection, on its strand.
class ServerHandshake {
 public:
  ServerHandshake(std::shared_ptr<Acceptor::Shared> shared, std::shared_ptr<TlsLink> link,
                  std::shared_ptr<const Credentials> credentials, std::string peer)
      : shared_(std::move(shared)),
        link_(std::move(link)),
        credentials_(std::move(credentials)),
        peer_(std::move(peer)) {}

  asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> run();

 private:
  asio::awaitable<Result<void>> steps();
  Result<void> take_request(Bytes bytes);
  asio::awaitable<Result<Buffer>> make_evidence();
  asio::awaitable<Result<Verdict>> read_verdict();

  std::shared_ptr<Acceptor::Shared> shared_;
  std::shared_ptr<TlsLink> link_;
  std::shared_ptr<const Credentials> credentials_;
  std::string peer_;
  AttestationRequest request_;
  Buffer request_bytes_;
  Exported exported_;
  ConnectionFacts facts_;
};

asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> ServerHandshake::run() {
  Result<void> held = co_await steps();
  if (!held) {
    const auto code = code_for(held.error());
    if (code) {
      const Buffer body = encode_error(*code);
      co_await link_->write_frame(FrameType::error, body);
    }
    link_->disarm();
    link_->close();
    co_return std::unexpected(held.error());
  }
  link_->disarm();
  co_return std::unique_ptr<AtlsConnection>(new AtlsConnection(link_, std::move(facts_)));
}

asio::awaitable<Result<void>> ServerHandshake::steps() {
  Result<void> held = co_await link_->handshake(false);
  if (!held) co_return held;
  auto request = co_await link_->expect_frame(FrameType::att_request);
  if (!request) co_return std::unexpected(request.error());
  request_bytes_ = std::move(*request);
  held = take_request(request_bytes_);
  if (!held) co_return held;
  auto cmw = co_await make_evidence();
  if (!cmw) co_return std::unexpected(cmw.error());
  const Buffer authenticator =
      make_authenticator(exported_, request_bytes_, request_.context, credentials_->certificate,
                         credentials_->key, *cmw);
  held = co_await link_->write_frame(FrameType::authenticator, authenticator);
  if (!held) co_return held;
  auto verdict = co_await read_verdict();
  if (!verdict) co_return std::unexpected(verdict.error());
  if (!verdict->accepted) co_return std::unexpected(AtlsError::verdict_rejected);
  facts_.verdict_id = verdict->id;
  // A client that is ahead of DONE sends its request to what it has not heard out.
  if (SSL_has_pending(link_->ssl()) == 1) co_return std::unexpected(AtlsError::data_before_done);
  held = co_await link_->write_frame(FrameType::done, {});
  if (held && link_->late()) held = std::unexpected(AtlsError::deadline);
  co_return held;
}

Result<void> ServerHandshake::take_request(Bytes bytes) {
  auto hash = check_session(link_->ssl());
  if (!hash) return std::unexpected(hash.error());
  auto request = decode_request(bytes);
  if (!request) return std::unexpected(request.error());
  request_ = std::move(*request);
  if (request_.mode != Mode::full_evidence) return std::unexpected(AtlsError::mode_unsupported);
  if (request_.instance_id != shared_->options.instance_id) {
    return std::unexpected(AtlsError::wrong_instance);
  }
  auto exported = export_authenticator_keys(link_->ssl(), *hash);
  if (!exported) return std::unexpected(exported.error());
  auto attestation = export_attestation(link_->ssl(), request_.context);
  if (!attestation) return std::unexpected(attestation.error());
  exported_ = std::move(*exported);
  facts_.bind = bind_of(*hash, credentials_->certificate.spki_der(), *attestation);
  facts_.spki_sha256 = credentials_->certificate.spki_sha256();
  facts_.request_sha256 = crypto::sha256(bytes);
  return {};
}

asio::awaitable<Result<Buffer>> ServerHandshake::make_evidence() {
  facts_.attestation.claims = shared_->source->claims();
  BindingInputs inputs;
  inputs.role = Role::server;
  inputs.bind = facts_.bind;
  inputs.spki_sha256 = facts_.spki_sha256;
  inputs.instance_id = shared_->options.instance_id;
  inputs.request_sha256 = facts_.request_sha256;
  inputs.claims_sha256 = crypto::sha256(facts_.attestation.claims);
  facts_.report_data = report_data(inputs);
  auto permit = co_await shared_->gate.enter(peer_);
  if (!permit) co_return std::unexpected(permit.error());
  if (link_->late()) co_return std::unexpected(AtlsError::deadline);
  auto quoted = co_await shared_->source->quote(facts_.report_data);
  if (!quoted) co_return std::unexpected(quoted.error());
  for (const auto& item : *quoted) {
    if (std::ranges::find(request_.formats, item.format) == request_.formats.end()) {
      co_return std::unexpected(AtlsError::evidence_not_asked_for);
    }
  }
  facts_.attestation.evidence = std::move(*quoted);
  auto cmw = encode_cmw(facts_.attestation);
  if (!cmw) co_return std::unexpected(AtlsError::quote_failed);
  co_return std::move(*cmw);
}

asio::awaitable<Result<Verdict>> ServerHandshake::read_verdict() {
  auto frame = co_await link_->read_frame();
  if (!frame) co_return std::unexpected(frame.error());
  if (frame->type == FrameType::verdict) co_return decode_verdict(frame->body);
  if (frame->type != FrameType::att_request) co_return std::unexpected(AtlsError::unexpected_frame);
  auto again = decode_request(frame->body);
  const bool reused = again && again->context == request_.context;
  co_return std::unexpected(reused ? AtlsError::context_reused : AtlsError::unexpected_frame);
}

namespace {

asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> attempt(
    std::shared_ptr<Acceptor::Shared> shared, asio::ip::tcp::socket socket) {
  boost::system::error_code ec;
  const auto remote = socket.remote_endpoint(ec);
  if (ec) co_return std::unexpected(AtlsError::peer_gone);
  auto credentials = shared->current();
  auto link = std::make_shared<TlsLink>(std::move(socket), credentials->context);
  link->arm(shared->options.timeout);
  ServerHandshake handshake(shared, link, credentials, remote.address().to_string());
  co_return co_await handshake.run();
}

}  // namespace

Acceptor::Acceptor(const Leaf& leaf, std::shared_ptr<EvidenceSource> source, AcceptOptions options)
    : shared_(std::make_shared<Shared>()) {
  shared_->source = std::move(source);
  shared_->options = options;
  shared_->credentials = make_credentials(leaf);
}

Acceptor::~Acceptor() = default;

void Acceptor::renew(const Leaf& leaf) {
  auto fresh = make_credentials(leaf);
  std::lock_guard lock(shared_->mutex);
  shared_->credentials = std::move(fresh);
}

asio::awaitable<Result<std::unique_ptr<AtlsConnection>>> Acceptor::accept(
    asio::ip::tcp::socket socket) {
  asio::any_io_executor strand = socket.get_executor();
  return asio::co_spawn(strand, attempt(shared_, std::move(socket)), asio::use_awaitable);
}

}  // namespace cloister::atls
