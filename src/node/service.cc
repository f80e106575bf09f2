#include "node/service.h"

#include "node/answer_stream.h"
#include "node/documents.h"

namespace cloister::node {

namespace asio = boost::asio;

http::Handler Service::handler(Hash32 evidence_digest) {
  return [this, evidence_digest](const http::Request& request,
                                 http::Exchange& exchange) -> asio::awaitable<void> {
    if (request.method == "POST" && request.path == wire::kSealedPath) {
      co_await serve(request, exchange, evidence_digest);
      co_return;
    }
    auto answer = http::make_error(404, "invalid_request_error", "unsupported_endpoint",
                                   "there is nothing at this path");
    co_await exchange.send(std::move(answer));
  };
}

// A message that does not open gets one answer, whatever the cause; what opens is answered inside.
asio::awaitable<void> Service::serve(const http::Request& request, http::Exchange& exchange,
                                     Hash32 evidence_digest) {
  const auto& generation = parts_.generation;
  auto opened = sealed::open_request(parts_.keys, request.body, sealed::Carrier::attested_tls,
                                     generation.clock.now_ms(), generation.random);
  if (!opened) {
    parts_.log.info("message_refused", {{"reason", LogWord::trusted(name(opened.error()))}});
    auto refusal = http::make_error(400, "invalid_request_error", "message_refused",
                                    "the sealed message was refused");
    co_await exchange.send(std::move(refusal));
    co_return;
  }
  http::Headers headers;
  headers.push_back({"content-type", std::string(sealed::kAnswerMediaType)});
  auto started = co_await exchange.start_stream(200, std::move(headers));
  if (started) co_await answer(std::move(*opened), exchange, evidence_digest);
}

asio::awaitable<void> Service::answer(sealed::OpenedRequest opened, http::Exchange& exchange,
                                      Hash32 evidence_digest) {
  const auto padding = opened.profile.padding;
  auto admitted = co_await admit_request(opened);
  AnswerStream stream(std::move(opened.answer), padding,
                      [&exchange](Bytes chunk) -> asio::awaitable<bool> {
                        const auto wrote = co_await exchange.write(chunk);
                        co_return wrote.has_value();
                      });
  bool whole = false;
  if (admitted) {
    admitted->evidence_digest = evidence_digest;
    Generation generation(parts_.generation, sessions_, std::move(*admitted));
    exchange.on_gone([cancel = generation.canceller()]() mutable { cancel.request_stop(); });
    whole = co_await stream.run(generation);
  } else {
    const auto refusal = admitted.error();
    parts_.log.info("request_refused", {{"reason", LogWord::trusted(wire::name(refusal))}});
    whole = co_await stream.refuse(refusal);
  }
  // A user who left has cancelled; what was served is settled all the same.
  if (whole) co_await exchange.finish();
}

asio::awaitable<std::expected<Admitted, wire::Refusal>> Service::admit_request(
    const sealed::OpenedRequest& opened) {
  auto request = wire::Request::decode(opened.content);
  if (!request || opened.path != wire::kGeneratePath) {
    co_return std::unexpected(wire::Refusal::malformed);
  }
  auto grant = co_await allow(opened.profile);
  if (!grant) co_return std::unexpected(grant.error());
  const auto& generation = parts_.generation;
  const auto brought =
      co_await bring_documents(*request, generation.store, generation.document_bytes());
  if (!brought) {
    sessions_.end(opened.profile.id, std::nullopt);
    co_return std::unexpected(brought.error());
  }
  const auto hash = wire::request_hash(opened.content, request->salt);
  co_return Admitted{opened.profile, std::move(*request), *grant, hash, {}};
}

asio::awaitable<std::expected<Grant, wire::Refusal>> Service::allow(
    const sealed::Profile& profile) {
  if (draining_) co_return std::unexpected(wire::Refusal::draining);
  auto session = co_await parts_.read_session(profile.id);
  if (!session) co_return std::unexpected(wire::Refusal::session_not_read);
  auto progress = sessions_.progress(profile.id);
  const auto& generation = parts_.generation;
  auto grant = admit(profile, sealed::Payer::session, generation.facts, *session, progress,
                     generation.clock.now_ms());
  if (!grant) co_return grant;
  if (!sessions_.begin(profile.id, profile.sequence)) {
    co_return std::unexpected(wire::Refusal::busy);
  }
  co_return grant;
}

}  // namespace cloister::node
