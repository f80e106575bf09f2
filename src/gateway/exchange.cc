#include "gateway/exchange.h"

#include <fmt/format.h>

#include "channel/sealed/request.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;

constexpr int64_t kAnswerDeadlineMs = 10 * 60 * 1000;
constexpr http::Millis kHeadTimeout{30'000};
constexpr http::Millis kPieceTimeout{120'000};  // a long prompt on a small machine

// Lengths of the request, copied for each attempt: the caller may have to send it to another node.
wire::Request make_request(const ChatRequest& chat, Random& random) {
  wire::Request out;
  for (const auto& message : chat.messages) {
    inference::ChatMessage copy;
    copy.role = message.role;
    copy.content = message.content.clone();
    out.messages.push_back(std::move(copy));
  }
  for (const auto& stop : chat.stops) out.stops.push_back(stop.clone());
  out.sampler = chat.sampler;
  if (!chat.seed_given) out.sampler.seed = random.fixed<32>();
  out.max_tokens = chat.max_tokens;
  out.salt = random.fixed<32>();
  return out;
}

sealed::Profile make_profile(const ReadySession& session, const Clock& clock) {
  sealed::Profile out;
  out.chain_id = session.bundle.genesis.chain_id;
  out.id = session.record.id;
  out.sequence = session.last_sequence + 1;
  out.instance = session.instance.id;
  out.key_config_sha256 = session.keys.config_sha256;
  out.model_root = session.record.model_root;
  out.deadline_ms = clock.now_ms() + kAnswerDeadlineMs;
  out.max_units = session.units_left();
  out.padding = session.bundle.sealing.padding;
  return out;
}

ApiError from_refusal(wire::Refusal refusal) {
  std::string message(wire::describe(refusal));
  switch (refusal) {
    case wire::Refusal::context_length_exceeded:
      return {ApiCode::context_length_exceeded, message, "messages"};
    case wire::Refusal::bad_parameter:
      return {ApiCode::invalid_request, message, ""};
    case wire::Refusal::busy:
      return {ApiCode::node_busy, message, ""};
    default:
      return {ApiCode::node_refused, message, ""};
  }
}

// What another node would refuse as well is the caller's to mend.
bool worth_another_node(wire::Refusal refusal) {
  return refusal != wire::Refusal::context_length_exceeded &&
         refusal != wire::Refusal::bad_parameter && refusal != wire::Refusal::malformed;
}

// One running exchange.
class Exchange {
 public:
  Exchange(ReadySession& session, const OnPiece& on_piece)
      : session_(session), on_piece_(on_piece) {}

  asio::awaitable<std::expected<ExchangeResult, ExchangeError>> run(const ChatRequest& chat,
                                                                    const Clock& clock,
                                                                    Random& random);

 private:
  using Step = std::expected<void, ExchangeError>;
  asio::awaitable<Step> send(Bytes message);
  asio::awaitable<Step> read_answer(sealed::AnswerOpener opener);
  asio::awaitable<Step> take_frames(Bytes data);
  asio::awaitable<Step> take(wire::Frame frame);
  std::expected<ExchangeResult, ExchangeError> finish(const sealed::Profile& profile,
                                                      const wire::Request& request);

  std::unexpected<ExchangeError> lost(std::string_view why) const {
    return std::unexpected(ExchangeError{
        {ApiCode::node_lost, fmt::format("the node was lost: {}", why), ""}, started_, !started_});
  }

  ReadySession& session_;
  const OnPiece& on_piece_;
  Hash32 request_hash_{};
  wire::FrameReader frames_;
  UserText answer_;
  std::optional<wire::Done> done_;
  bool started_ = false;
};

asio::awaitable<std::expected<ExchangeResult, ExchangeError>> Exchange::run(const ChatRequest& chat,
                                                                            const Clock& clock,
                                                                            Random& random) {
  const auto request = make_request(chat, random);
  const auto profile = make_profile(session_, clock);
  session_.last_sequence = profile.sequence;
  const auto encoded = request.encode();
  request_hash_ = wire::request_hash(encoded, request.salt);
  auto sealed = sealed::seal_request(session_.keys.config, crypto::KemKind::x_wing, profile,
                                     wire::kGeneratePath, encoded, random);
  if (!sealed) co_return lost(sealed::describe(sealed.error()));
  auto sent = co_await send(sealed->message);
  if (!sent) co_return std::unexpected(sent.error());
  auto read = co_await read_answer(sealed::AnswerOpener(std::move(sealed->answer)));
  if (!read) co_return std::unexpected(read.error());
  co_return finish(profile, request);
}

asio::awaitable<Exchange::Step> Exchange::send(Bytes message) {
  auto post = http::make_request("POST", wire::kSealedPath, {}, sealed::kRequestMediaType);
  post.body.assign(message.begin(), message.end());
  http::RequestOptions options;
  options.timeout = kHeadTimeout;
  auto head = co_await session_.http.start(std::move(post), options);
  if (!head) co_return lost(http::describe(head.error()));
  if (head->status != 200) co_return lost(fmt::format("it answered {}", head->status));
  co_return Step{};
}

asio::awaitable<Exchange::Step> Exchange::read_answer(sealed::AnswerOpener opener) {
  for (;;) {
    auto more = co_await session_.http.next(kPieceTimeout);
    if (!more) co_return lost(http::describe(more.error()));
    SecretBuffer data;
    auto opened = *more ? opener.feed(**more, data) : opener.end(data);
    if (!opened) co_return lost(sealed::describe(opened.error()));
    auto taken = co_await take_frames(data);
    if (!taken) co_return taken;
    if (!*more) break;
  }
  if (!done_ || !frames_.empty()) co_return lost("its answer has no proper end");
  co_return Step{};
}

asio::awaitable<Exchange::Step> Exchange::take_frames(Bytes data) {
  if (!frames_.feed(data)) co_return lost("it sent a broken frame");
  while (auto frame = frames_.next()) {
    auto taken = co_await take(std::move(*frame));
    if (!taken) co_return taken;
  }
  co_return Step{};
}

asio::awaitable<Exchange::Step> Exchange::take(wire::Frame frame) {
  if (done_) co_return lost("it went on after the end");
  if (auto failed = std::get_if<wire::Failed>(&frame)) {
    bool other = !started_ && worth_another_node(failed->refusal);
    co_return std::unexpected(ExchangeError{from_refusal(failed->refusal), started_, other});
  }
  if (auto done = std::get_if<wire::Done>(&frame)) {
    done_ = std::move(*done);
    co_return Step{};
  }
  const UserText& text = std::get<wire::Text>(frame).text;
  started_ = true;
  answer_.append(text.reveal());
  bool wanted = co_await on_piece_(text);
  if (!wanted) {
    session_.http.close();  // the node sees it and stops
    co_return std::unexpected(
        ExchangeError{{ApiCode::node_lost, "the client has left", ""}, true, false});
  }
  co_return Step{};
}

std::expected<ExchangeResult, ExchangeError> Exchange::finish(const sealed::Profile& profile,
                                                              const wire::Request& request) {
  ReceiptExpectation expected{profile.chain_id, session_,         profile.sequence,
                              request_hash_,    answer_.reveal(), session_.used_units};
  auto receipt = accept_receipt(*done_, expected);
  if (!receipt) {
    auto message = fmt::format("the node's receipt is not true: {}", receipt.error());
    return std::unexpected(ExchangeError{{ApiCode::receipt_invalid, message, ""}, started_, false});
  }
  session_.used_units = receipt->receipt.cumulative_units;
  ExchangeResult out{done_->result, session_.bundle};
  out.bundle.receipt = std::move(*receipt);
  out.bundle.request_salt = request.salt;
  out.bundle.answer_salt = done_->answer_salt;
  return out;
}

}  // namespace

std::expected<ledger::SignedReceipt, std::string_view> accept_receipt(
    const wire::Done& done, const ReceiptExpectation& expected) {
  auto receipt = ledger::Receipt::decode(done.receipt);
  if (!receipt) return std::unexpected("it is not well-formed");
  ledger::SignedReceipt out{{}, *receipt, done.signature};
  const auto& session = expected.session;
  uint64_t units = uint64_t{done.result.prompt_tokens} + done.result.completion_tokens;
  struct Rule {
    bool holds;
    std::string_view fault;
  };
  const Rule rules[] = {
      {ledger::verify_receipt(out, session.instance.identity_key), "another key signed it"},
      {receipt->chain_id == expected.chain_id, "another chain"},
      {receipt->session == session.record.id, "another session"},
      {receipt->sequence == expected.sequence, "another answer of the session"},
      {receipt->instance_id == session.instance.id, "another instance"},
      {receipt->model_root == session.record.model_root, "another model"},
      {receipt->request_hash == expected.request_hash, "another request"},
      {receipt->answer_hash == wire::answer_hash(expected.answer, done.answer_salt),
       "another answer"},
      {receipt->prompt_units == done.result.prompt_tokens &&
           receipt->completion_units == done.result.completion_tokens,
       "other counts than it told"},
      {receipt->cumulative_units >= expected.used_before &&
           receipt->cumulative_units - expected.used_before <= units,
       "more units than the answer took"},
      {receipt->cumulative_units <= session.record.max_units, "more units than the session has"},
      {receipt->evidence_digest == ledger::evidence_hash(session.bundle.evidence),
       "other evidence"},
  };
  for (const Rule& rule : rules) {
    if (!rule.holds) return std::unexpected(rule.fault);
  }
  return out;
}

boost::asio::awaitable<std::expected<ExchangeResult, ExchangeError>> exchange(
    ReadySession& session, const ChatRequest& chat, const OnPiece& on_piece, const Clock& clock,
    Random& random) {
  Exchange running(session, on_piece);
  co_return co_await running.run(chat, clock, random);
}

}  // namespace cloister::gateway
