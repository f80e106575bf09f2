#include "gateway/sealed_chat.h"

#include <fmt/format.h>

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;

constexpr int64_t kAnswerDeadlineMs = 10 * 60 * 1000;

// Lengths of the request, copied for each attempt: the caller may have to send it to another node.
wire::Request make_request(const ChatRequest& chat, Random& random) {
  wire::Request out;
  for (const auto& message : chat.messages) {
    inference::ChatMessage copy;
    copy.role = message.role;
    copy.content = message.content.clone();
    out.messages.push_back(std::move(copy));
  }
  for (const auto& one : chat.documents) out.documents.push_back({one.uri, one.key.clone()});
  for (const auto& stop : chat.stops) out.stops.push_back(stop.clone());
  out.sampler = chat.sampler;
  if (!chat.seed_given) out.sampler.seed = random.fixed<32>();
  out.max_tokens = chat.max_tokens;
  out.salt = random.fixed<32>();
  return out;
}

sealed::Profile make_profile(const Recipient& to, const Clock& clock) {
  sealed::Profile out;
  out.chain_id = to.chain_id;
  out.payer = to.payer;
  out.id = to.session.id;
  out.sequence = to.sequence;
  out.instance = to.instance.id;
  out.key_config_sha256 = to.keys.config_sha256;
  out.model_root = to.session.model_root;
  out.deadline_ms = clock.now_ms() + kAnswerDeadlineMs;
  out.max_units = to.session.max_units - std::min(to.session.max_units, to.used_units);
  out.padding = to.padding;
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

}  // namespace

SealedChat::SealedChat(const Recipient& to, const OnPiece& on_piece, sealed::SealedRequest sealed)
    : to_(to),
      on_piece_(on_piece),
      message_(std::move(sealed.message)),
      opener_(std::move(sealed.answer)) {}

std::unexpected<ExchangeError> SealedChat::lost(std::string_view why) const {
  return std::unexpected(ExchangeError{
      {ApiCode::node_lost, fmt::format("the node was lost: {}", why), ""}, started_, !started_});
}

SealedChat::Sealed SealedChat::seal(const ChatRequest& chat, const Recipient& to,
                                    const OnPiece& on_piece, const Clock& clock, Random& random) {
  const auto request = make_request(chat, random);
  const auto encoded = request.encode();
  auto sealed = sealed::seal_request(to.keys.config, crypto::KemKind::x_wing,
                                     make_profile(to, clock), wire::kGeneratePath, encoded, random);
  if (!sealed) {
    auto message = fmt::format("the request cannot be sealed: {}", describe(sealed.error()));
    return std::unexpected(ExchangeError{{ApiCode::node_lost, message, ""}, false, true});
  }
  auto out = std::unique_ptr<SealedChat>(new SealedChat(to, on_piece, std::move(*sealed)));
  out->request_hash_ = wire::request_hash(encoded, request.salt);
  out->request_salt_ = request.salt;
  return out;
}

asio::awaitable<SealedChat::Step> SealedChat::feed(Bytes sealed) {
  SecretBuffer data;
  auto opened = opener_.feed(sealed, data);
  if (!opened) co_return lost(sealed::describe(opened.error()));
  co_return co_await take_frames(data);
}

asio::awaitable<SealedChat::Step> SealedChat::end() {
  SecretBuffer data;
  auto opened = opener_.end(data);
  if (!opened) co_return lost(sealed::describe(opened.error()));
  auto taken = co_await take_frames(data);
  if (!taken) co_return taken;
  if (!done_ || !frames_.empty()) co_return lost("its answer has no proper end");
  co_return Step{};
}

asio::awaitable<SealedChat::Step> SealedChat::take_frames(Bytes data) {
  if (!frames_.feed(data)) co_return lost("it sent a broken frame");
  while (auto frame = frames_.next()) {
    auto taken = co_await take(std::move(*frame));
    if (!taken) co_return taken;
  }
  co_return Step{};
}

asio::awaitable<SealedChat::Step> SealedChat::take(wire::Frame frame) {
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
    co_return std::unexpected(
        ExchangeError{{ApiCode::node_lost, "the client has left", ""}, true, false});
  }
  co_return Step{};
}

std::expected<ExchangeResult, ExchangeError> SealedChat::finish(trust::Bundle bundle) const {
  ReceiptExpectation expected{
      to_.chain_id,  to_.session,      to_.instance,   to_.sequence,
      request_hash_, answer_.reveal(), to_.used_units, ledger::evidence_hash(bundle.evidence)};
  auto receipt = accept_receipt(*done_, expected);
  if (!receipt) {
    auto message = fmt::format("the node's receipt is not true: {}", receipt.error());
    return std::unexpected(ExchangeError{{ApiCode::receipt_invalid, message, ""}, started_, false});
  }
  ExchangeResult out{done_->result, std::move(bundle)};
  out.bundle.receipt = std::move(*receipt);
  out.bundle.request_salt = request_salt_;
  out.bundle.answer_salt = done_->answer_salt;
  return out;
}

std::expected<ledger::SignedReceipt, std::string_view> accept_receipt(
    const wire::Done& done, const ReceiptExpectation& expected) {
  auto receipt = ledger::Receipt::decode(done.receipt);
  if (!receipt) return std::unexpected("it is not well-formed");
  ledger::SignedReceipt out{{}, *receipt, done.signature};
  const auto& session = expected.session;
  const auto& instance = expected.instance;
  uint64_t units = uint64_t{done.result.prompt_tokens} + done.result.completion_tokens;
  struct Rule {
    bool holds;
    std::string_view fault;
  };
  const Rule rules[] = {
      {ledger::verify_receipt(out, instance.identity_key), "another key signed it"},
      {receipt->chain_id == expected.chain_id, "another chain"},
      {receipt->session == session.id, "another session"},
      {receipt->sequence == expected.sequence, "another answer of the session"},
      {receipt->instance_id == instance.id, "another instance"},
      {receipt->model_root == session.model_root, "another model"},
      {receipt->request_hash == expected.request_hash, "another request"},
      {receipt->answer_hash == wire::answer_hash(expected.answer, done.answer_salt),
       "another answer"},
      {receipt->prompt_units == done.result.prompt_tokens &&
           receipt->completion_units == done.result.completion_tokens,
       "other counts than it told"},
      {receipt->cumulative_units >= expected.used_before &&
           receipt->cumulative_units - expected.used_before <= units,
       "more units than the answer took"},
      {receipt->cumulative_units <= session.max_units, "more units than the session has"},
      {receipt->evidence_digest == expected.evidence_digest, "other evidence"},
  };
  for (const Rule& rule : rules) {
    if (!rule.holds) return std::unexpected(rule.fault);
  }
  return out;
}

}  // namespace cloister::gateway
