#include "gateway/exchange.h"

#include <fmt/format.h>

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;

constexpr http::Millis kHeadTimeout{30'000};
constexpr http::Millis kPieceTimeout{120'000};  // a long prompt on a small machine

asio::awaitable<SealedChat::Step> send(http::Client& node, const SealedChat& chat) {
  const Buffer& message = chat.message();
  auto post = http::make_request("POST", wire::kSealedPath, {}, sealed::kRequestMediaType);
  post.body.assign(message.begin(), message.end());
  http::RequestOptions options;
  options.timeout = kHeadTimeout;
  auto head = co_await node.start(std::move(post), options);
  if (!head) co_return chat.lost(http::describe(head.error()));
  if (head->status != 200) co_return chat.lost(fmt::format("it answered {}", head->status));
  co_return SealedChat::Step{};
}

asio::awaitable<SealedChat::Step> read_answer(http::Client& node, SealedChat& chat) {
  for (;;) {
    auto more = co_await node.next(kPieceTimeout);
    if (!more) co_return chat.lost(http::describe(more.error()));
    if (!*more) co_return co_await chat.end();
    auto taken = co_await chat.feed(**more);
    if (!taken) co_return taken;
  }
}

}  // namespace

asio::awaitable<std::expected<ExchangeResult, ExchangeError>> exchange(ReadySession& session,
                                                                       const ChatRequest& chat,
                                                                       const OnPiece& on_piece,
                                                                       const Clock& clock,
                                                                       Random& random) {
  Recipient to{session.bundle.genesis.chain_id,
               sealed::Payer::session,
               session.record,
               session.instance,
               session.keys,
               ++session.last_sequence,
               session.used_units,
               session.bundle.sealing.padding};
  auto sealed = SealedChat::seal(chat, to, on_piece, clock, random);
  if (!sealed) co_return std::unexpected(sealed.error());
  auto sent = co_await send(session.http, **sealed);
  if (!sent) co_return std::unexpected(sent.error());
  auto read = co_await read_answer(session.http, **sealed);
  if (!read) co_return std::unexpected(read.error());
  auto result = (*sealed)->finish(session.bundle);
  if (result) session.used_units = result->bundle.receipt->receipt.cumulative_units;
  co_return result;
}

}  // namespace cloister::gateway
