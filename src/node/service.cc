#include "node/service.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "crypto/hash.h"

namespace cloister::node {
namespace {

namespace asio = boost::asio;

// Frames on their way from the engine's thread to the connection's strand.
struct Mailbox {
  explicit Mailbox(asio::any_io_executor executor) : strand(executor), changed(executor) {}

  asio::any_io_executor strand;
  asio::steady_timer changed;  // never expires by itself; cancelling it wakes the reader
  std::deque<UserText> texts;
  std::optional<std::expected<inference::GenerateResult, inference::EngineError>> result;

  asio::awaitable<void> wait() {
    changed.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code woken;
    co_await changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
};

wire::Refusal refusal_of(inference::EngineError error) {
  using inference::EngineError;
  switch (error) {
    case EngineError::bad_parameter:
      return wire::Refusal::bad_parameter;
    case EngineError::bad_conversation:
      return wire::Refusal::bad_parameter;
    case EngineError::context_length_exceeded:
      return wire::Refusal::context_length_exceeded;
    case EngineError::queue_full:
      return wire::Refusal::busy;
    case EngineError::stopped:
      return wire::Refusal::draining;
    default:
      return wire::Refusal::engine_failed;
  }
}

// The client's share keeps the node from trying seeds, the node's keeps others from knowing them.
Fixed<32> seed_for(const wire::Request& request, const Secret<32>& node_secret) {
  ByteWriter info;
  info.text("cloister seed v1").u8(0).bytes(request.session).u64_be(request.sequence);
  info.bytes(request.sampler.seed);
  auto seed = crypto::hkdf_expand(
      crypto::HashKind::sha256,
      crypto::hkdf_extract(crypto::HashKind::sha256, {}, node_secret.reveal()), info.view(), 32);
  return *to_fixed<32>(seed);
}

Hash32 seed_commitment(const Fixed<32>& seed) {
  return crypto::Sha256{}
      .update(std::string_view("cloister seed commitment v1\0", 28))
      .update(Bytes(seed))
      .finish();
}

}  // namespace

// One answer under way.
class Answer {
 public:
  Answer(Service& service, wire::Request request, Grant grant, Hash32 request_hash,
         Hash32 evidence_digest)
      : service_(service),
        request_(std::move(request)),
        grant_(grant),
        request_hash_(request_hash),
        evidence_digest_(evidence_digest) {}

  asio::awaitable<void> run(http::Exchange& exchange);

 private:
  void start_engine(const std::shared_ptr<Mailbox>& box, std::stop_token cancel);
  asio::awaitable<void> end(
      http::Exchange& exchange,
      std::expected<inference::GenerateResult, inference::EngineError> result);
  ledger::SignedReceipt make_receipt(const inference::GenerateResult& result,
                                     const Fixed<32>& answer_salt) const;

  Service& service_;
  wire::Request request_;
  const Grant grant_;
  const Hash32 request_hash_;
  const Hash32 evidence_digest_;
  Fixed<32> seed_{};
  inference::SamplerParams sampler_;
  UserText text_;
};

void Answer::start_engine(const std::shared_ptr<Mailbox>& box, std::stop_token cancel) {
  auto job = std::make_shared<inference::GenerateRequest>();
  job->messages = std::move(request_.messages);
  job->stops = std::move(request_.stops);
  job->sampler = sampler_;
  auto units = static_cast<uint32_t>(std::min<uint64_t>(grant_.max_units, inference::kMaxTokens));
  job->max_tokens = request_.max_tokens == 0 ? units : std::min(units, request_.max_tokens);
  job->cancel = std::move(cancel);
  asio::post(service_.parts_.workers, [box, job, &engine = service_.parts_.engine] {
    auto result = engine.generate(*job, [&](const UserText& delta) {
      asio::post(box->strand, [box, text = std::make_shared<UserText>(delta.clone())] {
        box->texts.push_back(std::move(*text));
        box->changed.cancel();
      });
      return true;
    });
    asio::post(box->strand, [box, result] {
      box->result = result;
      box->changed.cancel();
    });
  });
}

asio::awaitable<void> Answer::run(http::Exchange& exchange) {
  seed_ = seed_for(request_, service_.parts_.identity.sampling_secret);
  sampler_ = request_.sampler;
  sampler_.seed = seed_;
  auto box = std::make_shared<Mailbox>(co_await asio::this_coro::executor);
  std::stop_source cancel;
  exchange.on_gone([cancel]() mutable { cancel.request_stop(); });
  start_engine(box, cancel.get_token());
  bool reachable = true;
  for (;;) {
    while (!box->texts.empty()) {
      wire::Text piece{std::move(box->texts.front())};
      box->texts.pop_front();
      text_.append(piece.text.reveal());
      wire::Frame frame(std::move(piece));
      auto bytes = wire::encode_frame(frame);
      if (reachable) {
        auto wrote = co_await exchange.write(bytes);
        reachable = wrote.has_value();
      }
      if (!reachable) cancel.request_stop();
    }
    if (box->result) break;
    co_await box->wait();
  }
  co_await end(exchange, *box->result);
}

asio::awaitable<void> Answer::end(
    http::Exchange& exchange,
    std::expected<inference::GenerateResult, inference::EngineError> result) {
  std::optional<ledger::SignedReceipt> receipt;
  wire::Frame frame(wire::Failed{wire::Refusal::engine_failed});
  if (result) {
    wire::Done done;
    done.result = *result;
    done.answer_salt = service_.parts_.random.fixed<32>();
    receipt = make_receipt(*result, done.answer_salt);
    done.receipt = receipt->receipt.encode();
    done.signature = receipt->signature;
    frame = std::move(done);
  } else {
    frame = wire::Failed{refusal_of(result.error())};
  }
  service_.sessions_.end(request_.session, std::move(receipt));
  if (result && service_.parts_.receipt_made) service_.parts_.receipt_made();
  auto bytes = wire::encode_frame(frame);
  auto wrote = co_await exchange.write(bytes);
  // A client that left has cancelled; what it was served is settled all the same.
  if (wrote) co_await exchange.finish();
}

ledger::SignedReceipt Answer::make_receipt(const inference::GenerateResult& result,
                                           const Fixed<32>& answer_salt) const {
  const auto& parts = service_.parts_;
  auto used = service_.sessions_.progress(request_.session).used_units;
  ledger::Receipt receipt;
  receipt.chain_id = request_.chain_id;
  receipt.session = request_.session;
  receipt.sequence = request_.sequence;
  receipt.instance_id = parts.facts.instance;
  receipt.model_root = request_.model_root;
  receipt.engine_digest = parts.engine_digest;
  receipt.request_hash = request_hash_;
  receipt.answer_hash = wire::answer_hash(text_.reveal(), answer_salt);
  receipt.prompt_units = result.prompt_tokens;
  receipt.completion_units = result.completion_tokens;
  // Never more than was granted: what the session cannot pay is not asked for.
  uint64_t units = uint64_t{result.prompt_tokens} + result.completion_tokens;
  receipt.cumulative_units = used + std::min(units, grant_.max_units);
  receipt.sampler.temperature_micro = sampler_.temperature_micro;
  receipt.sampler.top_p_micro = sampler_.top_p_micro;
  receipt.sampler.top_k = sampler_.top_k;
  receipt.sampler.max_units =
      static_cast<uint32_t>(std::min<uint64_t>(grant_.max_units, UINT32_MAX));
  receipt.sampler.seed_commitment = seed_commitment(seed_);
  receipt.time_ms = static_cast<uint64_t>(parts.clock.now_ms());
  receipt.evidence_digest = evidence_digest_;
  return ledger::sign_receipt(receipt, parts.identity.identity);
}

http::Handler Service::handler(Hash32 evidence_digest) {
  return [this, evidence_digest](const http::Request& request,
                                 http::Exchange& exchange) -> asio::awaitable<void> {
    if (request.method == "POST" && request.path == wire::kGeneratePath) {
      co_await generate(request, exchange, evidence_digest);
      co_return;
    }
    auto answer = http::make_error(404, "invalid_request_error", "unsupported_endpoint",
                                   "there is nothing at this path");
    co_await exchange.send(std::move(answer));
  };
}

asio::awaitable<std::expected<Grant, wire::Refusal>> Service::allow(const wire::Request& request) {
  if (draining_) co_return std::unexpected(wire::Refusal::draining);
  auto session = co_await parts_.read_session(request.session);
  if (!session) co_return std::unexpected(wire::Refusal::session_not_read);
  auto progress = sessions_.progress(request.session);
  auto grant = admit(request, parts_.facts, *session, progress, parts_.clock.now_ms());
  if (!grant) co_return grant;
  if (!sessions_.begin(request.session, request.sequence)) {
    co_return std::unexpected(wire::Refusal::busy);
  }
  co_return grant;
}

asio::awaitable<void> Service::generate(const http::Request& http_request, http::Exchange& exchange,
                                        Hash32 evidence_digest) {
  http::Headers headers;
  headers.push_back({"content-type", "application/cloister-frames"});
  auto started = co_await exchange.start_stream(200, std::move(headers));
  if (!started) co_return;
  auto request = wire::Request::decode(http_request.body);
  std::expected<Grant, wire::Refusal> grant = std::unexpected(wire::Refusal::malformed);
  if (request) grant = co_await allow(*request);
  if (!grant) {
    parts_.log.info("request_refused", {{"reason", LogWord::trusted(wire::name(grant.error()))}});
    wire::Frame frame(wire::Failed{grant.error()});
    auto bytes = wire::encode_frame(frame);
    auto wrote = co_await exchange.write(bytes);
    if (wrote) co_await exchange.finish();
    co_return;
  }
  auto hash = wire::request_hash(http_request.body, request->salt);
  Answer answer(*this, std::move(*request), *grant, hash, evidence_digest);
  co_await answer.run(exchange);
}

}  // namespace cloister::node
