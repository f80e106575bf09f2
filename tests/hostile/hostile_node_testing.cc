// The node of which one thing is bent: see hostile_testing.h.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "channel/atls/tls_context.h"
#include "hostile_testing.h"
#include "http/server.h"
#include "ledger/types/samples_testing.h"

namespace cloister::hostile {
namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kConnectionLife{30};

void must(bool held) {
  if (!held) std::abort();  // the test's own set-up failed
}

atls::Attestation attestation_of(const Items& items, const ledger::Claims& claims) {
  atls::Attestation out;
  out.claims = claims.encode();
  for (const auto& item : items) {
    out.evidence.push_back({static_cast<evidence::Format>(item.format), item.bytes});
  }
  return out;
}

}  // namespace

HostileNode::HostileNode(World& w, const std::string& op, uint32_t platform, bool gpu)
    : world(w),
      config(node_config(w, platform)),
      tee(open_tee(w, config, gpu)),
      identity(node::make_identity(w.random, w.clock.now())),
      keys(identity.instance_id()),
      claims(node::claims_of(identity, keys.begin(w.random, w.clock.now_ms()).config_sha256,
                             measured(config), w.genesis.models[0].root)),
      client_(w.client()),
      account_(*client_, ledger::make_key(op), w.genesis.chain_id, w.context.get_executor()),
      listener_(w.context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  asio::co_spawn(world.context, run(), asio::detached);
  must(world.await(enter(listener_.local_endpoint().port())));
}

asio::awaitable<bool> HostileNode::enter(uint16_t port) {
  node::Registrar registrar(
      node::RegistrarParts{*client_, account_, *tee, identity, claims, world.genesis, config,
                           "127.0.0.1:" + std::to_string(port), world.clock, world.log});
  auto entered = co_await registrar.enter();
  if (!entered) co_return false;
  claims = *ledger::Claims::decode(entered->claims);
  auto published = co_await registrar.publish(*keys.newest());
  co_return published.has_value();
}

asio::awaitable<void> HostileNode::run() {
  for (;;) {
    tcp::socket socket(world.context);
    auto [ec] = co_await listener_.async_accept(socket, kAsTuple);
    if (ec) co_return;
    {
      std::lock_guard lock(mutex_);
      ++open_;
      ++connections_;
    }
    asio::co_spawn(world.context, talk(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> HostileNode::talk(tcp::socket socket) {
  Meeting meeting;
  const auto& leaf = bends.leaf ? *bends.leaf : identity.leaf;
  meeting.link = std::make_shared<atls::TlsLink>(std::move(socket),
                                                 atls::flawed_server_context(leaf, bends.flaw));
  meeting.link->arm(kConnectionLife);
  auto shaken = co_await meeting.link->handshake(false);
  if (shaken) co_await converse(meeting);
  meeting.link->disarm();
  meeting.link->close();
  std::lock_guard lock(mutex_);
  if (--open_ == 0) idle_.notify_all();
}

asio::awaitable<void> HostileNode::converse(Meeting& meeting) {
  auto bytes = co_await meeting.link->expect_frame(atls::FrameType::att_request);
  if (!bytes) co_return;
  meeting.request_bytes = std::move(*bytes);
  meeting.request = *atls::decode_request(meeting.request_bytes);
  co_await prove(meeting);
  const bool verdict = co_await hear_verdict(meeting);
  if (!verdict) co_return;
  if (bends.instead_of_done.empty()) {
    co_await meeting.link->write_frame(atls::FrameType::done, {});
  } else {
    co_await atls::say(*meeting.link, bends.instead_of_done);
  }
  if (bends.answer) {
    co_await serve(meeting);
  } else {
    co_await listen_on(meeting);
  }
}

asio::awaitable<void> HostileNode::prove(Meeting& meeting) {
  if (!bends.instead_of_authenticator.empty()) {
    co_await atls::say(*meeting.link, bends.instead_of_authenticator);
    co_return;
  }
  const auto hash = *atls::check_session(meeting.link->ssl());
  meeting.exported = *atls::export_authenticator_keys(meeting.link->ssl(), hash);
  const auto exported = *atls::export_attestation(meeting.link->ssl(), meeting.request.context);
  meeting.inputs.bind = atls::bind_of(hash, identity.leaf.certificate.spki_der(), exported);
  meeting.inputs.spki_sha256 = identity.spki_sha256;
  meeting.inputs.instance_id = identity.instance_id();
  meeting.inputs.request_sha256 = crypto::sha256(meeting.request_bytes);
  meeting.inputs.claims_sha256 = crypto::sha256(claims.encode());
  Buffer bytes;
  if (bends.authenticator) {
    bytes = co_await bends.authenticator(meeting);
  } else {
    if (bends.binding) bends.binding(meeting.inputs);
    const auto report_data = atls::report_data(meeting.inputs);
    auto items = bends.quote ? bends.quote(report_data) : quote(report_data);
    if (bends.evidence) bends.evidence(items);
    evidence_digest_ = ledger::evidence_hash(items);
    bytes = authenticator(meeting, items);
  }
  co_await meeting.link->write_frame(atls::FrameType::authenticator, bytes);
}

// Bytes and not frames: what is no verdict is noted. False when the peer left without one.
asio::awaitable<bool> HostileNode::hear_verdict(Meeting& meeting) {
  const size_t verdict_bytes =
      atls::encode_frame(atls::FrameType::verdict, atls::encode_verdict(atls::Verdict{})).size();
  Buffer bytes(verdict_bytes);
  auto [ec, size] = co_await asio::async_read(meeting.link->stream(),
                                              asio::buffer(bytes.data(), bytes.size()), kAsTuple);
  const bool whole = !ec && bytes[0] == static_cast<uint8_t>(atls::FrameType::verdict) &&
                     atls::decode_verdict(Bytes(bytes).subspan(atls::kFrameHeaderBytes));
  if (!whole) note(Bytes(bytes).first(size));
  co_return !ec;
}

Items HostileNode::quote(const Fixed<64>& report_data) {
  auto items = tee->quote(report_data);
  must(items.has_value());
  return *items;
}

Buffer HostileNode::authenticator(const Meeting& meeting, const Items& items) const {
  const auto& leaf = bends.leaf ? *bends.leaf : identity.leaf;
  const auto cmw = atls::encode_cmw(attestation_of(items, claims));
  must(cmw.has_value());
  return atls::make_authenticator(meeting.exported, meeting.request_bytes, meeting.request.context,
                                  leaf.certificate, leaf.key, *cmw);
}

// Opens a sealed request, and notes what was in it.
std::optional<sealed::OpenedRequest> HostileNode::open(Bytes message) {
  auto opened = sealed::open_request(keys, message, sealed::Carrier::attested_tls,
                                     world.clock.now_ms(), world.random);
  if (!opened) return std::nullopt;
  note(opened->content);
  return std::move(*opened);
}

// Until the peer leaves or has said what nobody but a verified node may hear.
asio::awaitable<void> HostileNode::listen_on(Meeting& meeting) {
  Buffer piece(4096);
  std::string whole;
  for (;;) {
    auto [ec, size] = co_await meeting.link->stream().async_read_some(
        asio::buffer(piece.data(), piece.size()), kAsTuple);
    if (ec) co_return;
    note(Bytes(piece).first(size));
    whole += as_text(Bytes(piece).first(size));
    const auto body = whole.find("\r\n\r\n");
    if (body != std::string::npos && open(as_bytes(whole).subspan(body + 4))) co_return;
  }
}

namespace {

// The stream of an already agreed connection, for the HTTP server, with everything read noted.
class NotedStream final : public http::Stream {
 public:
  NotedStream(std::shared_ptr<atls::TlsLink> link, std::function<void(Bytes)> note)
      : link_(std::move(link)), note_(std::move(note)) {}

  asio::any_io_executor executor() override { return link_->stream().get_executor(); }
  asio::awaitable<std::expected<size_t, http::Error>> read_some(std::span<uint8_t> out) override {
    auto [ec, size] =
        co_await link_->stream().async_read_some(asio::buffer(out.data(), out.size()), kAsTuple);
    note_(Bytes(out.data(), size));
    if (ec) co_return std::unexpected(http::Error::peer_gone);
    co_return size;
  }
  asio::awaitable<http::Status> write_all(Bytes bytes) override {
    auto [ec, size] = co_await asio::async_write(
        link_->stream(), asio::buffer(bytes.data(), bytes.size()), kAsTuple);
    if (ec) co_return std::unexpected(http::Error::peer_gone);
    co_return http::Status{};
  }
  void close_write() override {
    boost::system::error_code gone;
    link_->stream().lowest_layer().shutdown(tcp::socket::shutdown_send, gone);
  }
  void close() override { link_->close(); }

 private:
  std::shared_ptr<atls::TlsLink> link_;
  std::function<void(Bytes)> note_;
};

}  // namespace

asio::awaitable<void> HostileNode::serve(Meeting& meeting) {
  http::Handler handler = [this](const http::Request& post,
                                 http::Exchange& exchange) -> asio::awaitable<void> {
    auto opened = open(post.body);
    must(opened.has_value());
    auto request = wire::Request::decode(opened->content);
    must(request.has_value());
    const auto hash = wire::request_hash(opened->content, request->salt);
    sealed::Pacer pacer(opened->profile.padding);
    for (const auto& frame : bends.answer(opened->profile, hash, evidence_digest_)) {
      pacer.push(wire::encode_frame(frame));
    }
    pacer.finish();
    std::vector<Buffer> chunks;
    while (auto chunk = pacer.next()) opened->answer.seal(*chunk, chunks.emplace_back());
    if (bends.sealed_answer) bends.sealed_answer(chunks);
    http::Headers headers;
    auto started = co_await exchange.start_stream(200, std::move(headers));
    for (const Buffer& chunk : chunks) {
      if (started) started = co_await exchange.write(chunk);
    }
    if (started) co_await exchange.finish();
  };
  auto stream = std::make_unique<NotedStream>(meeting.link, [this](Bytes bytes) { note(bytes); });
  co_await http::serve(std::move(stream), http::ServerLimits{}, std::move(handler));
}

void HostileNode::note(Bytes bytes) {
  std::lock_guard lock(mutex_);
  heard_ += as_text(bytes);
}

std::string HostileNode::heard() {
  std::unique_lock lock(mutex_);
  must(idle_.wait_for(lock, kPatience, [&] { return open_ == 0; }));
  return std::exchange(heard_, {});
}

size_t HostileNode::connections() {
  std::lock_guard lock(mutex_);
  return std::exchange(connections_, 0);
}

ledger::Receipt HostileNode::honest_receipt(const sealed::Profile& profile,
                                            const Hash32& request_hash,
                                            const Hash32& evidence_digest) const {
  ledger::Receipt receipt;
  receipt.chain_id = profile.chain_id;
  receipt.session = profile.id;
  receipt.sequence = profile.sequence;
  receipt.instance_id = identity.instance_id();
  receipt.model_root = profile.model_root;
  receipt.request_hash = request_hash;
  receipt.answer_hash = wire::answer_hash(kAnswer, Fixed<32>{});
  receipt.prompt_units = 7;
  receipt.completion_units = 2;
  receipt.cumulative_units = 9;
  receipt.sampler.top_p_micro = 1'000'000;
  receipt.time_ms = static_cast<uint64_t>(world.clock.now_ms());
  receipt.evidence_digest = evidence_digest;
  return receipt;
}

std::vector<wire::Frame> answer_with(const ledger::Receipt& receipt, const crypto::Ed25519Key& key,
                                     const Fixed<32>& answer_salt) {
  const auto signed_receipt = ledger::sign_receipt(receipt, key);
  wire::Done done;
  done.result.prompt_tokens = 7;
  done.result.completion_tokens = 2;
  done.receipt = signed_receipt.receipt.encode();
  done.signature = signed_receipt.signature;
  done.answer_salt = answer_salt;
  std::vector<wire::Frame> frames;
  frames.emplace_back(wire::Text{UserText(kAnswer)});
  frames.emplace_back(std::move(done));
  return frames;
}

}  // namespace cloister::hostile
