#include "gateway/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.h"
#include "gateway/receipt_store.h"
#include "http/sse.h"
#include "webui/webui.h"

namespace cloister::gateway {
namespace {

namespace asio = boost::asio;

constexpr auto kFirstPing = std::chrono::seconds(4);
constexpr auto kPingInterval = std::chrono::seconds(10);
constexpr const char* kReceiptHeader = "x-cloister-receipt-id";
constexpr const char* kModeHeader = "x-cloister-mode";

http::Response json_response(unsigned status, std::string_view text) {
  auto out = http::make_response(status, "application/json", text);
  out.headers.push_back({"cache-control", "no-store"});
  return out;
}

// A name as clients put it into a path. A broken escape stands for itself, and so names nothing.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    std::optional<Buffer> byte;
    if (text[i] == '%') byte = from_hex(text.substr(i + 1, 2));
    bool escaped = byte && byte->size() == 1;
    out.push_back(escaped ? static_cast<char>(byte->front()) : text[i]);
    if (escaped) i += 2;
  }
  return out;
}

bool accepts_gzip(const http::Request& request) {
  return request.header("accept-encoding").find("gzip") != std::string_view::npos;
}

// The stream of one chat answer: opened at its first piece or, when the model is slow, by a comment
// that keeps the client waiting. Lives on the connection's strand.
class ChatStream : public std::enable_shared_from_this<ChatStream> {
 public:
  ChatStream(http::Exchange& exchange, AnswerHead head, asio::any_io_executor executor)
      : exchange_(exchange),
        head_(std::move(head)),
        ping_(executor),
        idle_(executor, asio::steady_timer::time_point::max()) {}

  bool opened() const { return opened_; }

  asio::awaitable<bool> piece(const UserText& text, const std::string& receipt_id) {
    if (!co_await open(receipt_id)) co_return false;
    std::string chunk = text_chunk(head_, text);
    bool sent = co_await event(chunk);
    wipe(chunk.data(), chunk.size());
    co_return sent;
  }

  asio::awaitable<bool> open(const std::string& receipt_id) {
    if (opened_) co_return !broken_;
    opened_ = writing_ = true;
    http::Headers headers{{"content-type", "text/event-stream; charset=utf-8"},
                          {"cache-control", "no-store"},
                          {"x-accel-buffering", "no"},
                          {kReceiptHeader, receipt_id}};
    auto started = co_await exchange_.start_stream(200, std::move(headers));
    writing_ = false;
    idle_.cancel();
    if (!started) broken_ = true;
    co_return co_await event(role_chunk(head_));
  }

  asio::awaitable<bool> event(std::string_view data) {
    if (broken_) co_return false;
    auto bytes = http::sse_event(data);
    co_return co_await write(*bytes);
  }

  // Comments until `stop`, so that no client gives up on a slow first token. Borrows the exchange:
  // `stop` returns only when it has ended.
  void start_pings(const std::string& receipt_id) {
    pinging_ = true;
    asio::co_spawn(ping_.get_executor(), keep_alive(shared_from_this(), receipt_id),
                   [self = shared_from_this()](std::exception_ptr) {
                     self->pinging_ = false;
                     self->idle_.cancel();
                   });
  }

  asio::awaitable<void> stop() {
    stopped_ = true;
    ping_.cancel();
    while (pinging_) co_await wait_idle();
  }

  asio::awaitable<void> end(const std::expected<inference::GenerateResult, ApiError>& result,
                            bool include_usage) {
    if (!result) {
      co_await event(error_json(result.error()).dump());
    } else {
      co_await event(finish_chunk(head_, result->finish));
      if (include_usage) co_await event(usage_chunk(head_, *result));
    }
    co_await event("[DONE]");
    if (!broken_) co_await exchange_.finish();
  }

 private:
  static asio::awaitable<void> keep_alive(std::shared_ptr<ChatStream> self,
                                          std::string receipt_id) {
    std::chrono::seconds wait = kFirstPing;
    while (!self->stopped_ && !self->broken_) {
      self->ping_.expires_after(wait);
      boost::system::error_code woken;
      co_await self->ping_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if (self->stopped_ || !co_await self->open(receipt_id)) break;
      auto ping = http::sse_comment_ping();
      co_await self->write(ping);
      wait = kPingInterval;
    }
  }

  asio::awaitable<void> wait_idle() {
    boost::system::error_code woken;
    co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }

  // One write at a time: pieces and pings come from two coroutines.
  asio::awaitable<bool> write(Bytes bytes) {
    while (writing_) co_await wait_idle();
    if (broken_) co_return false;
    writing_ = true;
    auto wrote = co_await exchange_.write(bytes);
    writing_ = false;
    idle_.cancel();
    if (!wrote) broken_ = true;
    co_return !broken_;
  }

  http::Exchange& exchange_;
  AnswerHead head_;
  asio::steady_timer ping_;
  asio::steady_timer idle_;  // cancelled whenever a write or the pings end
  bool opened_ = false, broken_ = false, stopped_ = false, writing_ = false, pinging_ = false;
};

}  // namespace

http::Response error_response(const ApiError& error) {
  auto status = status_of(error.code);
  auto out = json_response(status.http, error_json(error).dump());
  if (!status.retry) out.headers.push_back({"x-should-retry", "false"});
  if (status.retry) out.headers.push_back({"retry-after", "1"});
  return out;
}

http::Handler Api::handler() {
  return [this](const http::Request& request, http::Exchange& exchange) -> Reply {
    co_await route(request, exchange);
  };
}

Api::Reply Api::route(const http::Request& request, http::Exchange& exchange) {
  auto origin = parts_.access.check_origin(request);
  if (!origin) {
    co_await exchange.send(error_response(origin.error()));
    co_return;
  }
  if (request.method == "GET" && webui::find_asset(request.path) != nullptr) {
    co_await asset(request, exchange);
    co_return;
  }
  if (auto answer = plain(request)) {
    co_await exchange.send(std::move(*answer));
    co_return;
  }
  co_await chat(request, exchange);
}

// Every route that answers at once; nothing for a chat that may start.
std::optional<http::Response> Api::plain(const http::Request& request) const {
  const bool get = request.method == "GET", post = request.method == "POST";
  if (get && (request.path == "/livez" || request.path == "/healthz")) {
    return json_response(200, R"({"status":"ok"})");
  }
  if (post && request.path == "/ui/login") {
    if (!parts_.access.has_bearer(request)) {
      return error_response({ApiCode::invalid_api_key, "the token is wrong", ""});
    }
    auto out = json_response(200, R"({"status":"ok"})");
    out.headers.push_back({"set-cookie", parts_.access.login_cookie()});
    return out;
  }
  if (auto allowed = parts_.access.check_token(request); !allowed) {
    return error_response(allowed.error());
  }
  if (get && (request.path == "/health" || request.path == "/readyz")) return health();
  if (get && request.path == "/v1/models") return models();
  if (get && request.path.starts_with("/v1/models/"))
    return one_model(unescaped(std::string_view(request.path).substr(11)));
  constexpr std::string_view kReceipts = "/v1/receipts/";
  if (get && request.path.starts_with(kReceipts)) {
    auto receipt = parts_.backend.receipt(std::string_view(request.path).substr(kReceipts.size()));
    return receipt ? json_response(200, *receipt) : error_response(receipt.error());
  }
  if (get && request.path == "/v1/attestation/report") {
    auto report = parts_.backend.attestation_report();
    return report ? json_response(200, *report) : error_response(report.error());
  }
  if (post && request.path == "/v1/chat/completions") return std::nullopt;
  return error_response({ApiCode::unsupported_endpoint, "there is nothing at this path", ""});
}

http::Response Api::health() const {
  auto health = parts_.backend.health();
  bool ready = health.ledger_fresh && health.ready_sessions > 0;
  JsonValue::Array refused;
  for (const auto& node : parts_.backend.refused_nodes()) {
    refused.push_back(
        JsonValue::object({{"instance", node.instance}, {"reason", node.reason}, {"at", node.at}}));
  }
  JsonValue::Array endpoints;
  for (const auto& endpoint : health.ledger) {
    endpoints.push_back(JsonValue::object({{"endpoint", endpoint.name},
                                           {"state", std::string(light::name(endpoint.state))},
                                           {"height", endpoint.height}}));
  }
  auto body = JsonValue::object({{"status", ready ? "ok" : "waiting"},
                                 {"level", health.development ? "development" : "verified"},
                                 {"chain_id", health.chain_id},
                                 {"height", health.height},
                                 {"ledger_fresh", health.ledger_fresh},
                                 {"ledger", std::move(endpoints)},
                                 {"ready_sessions", health.ready_sessions},
                                 {"verified_nodes", health.verified_nodes},
                                 {"refused_nodes", std::move(refused)},
                                 {"version", parts_.version}});
  if (health.development) body.set("note", "development: no hardware protection");
  return json_response(ready ? 200 : 503, body.dump());
}

http::Response Api::models() const {
  JsonValue::Array data;
  for (const auto& entry : parts_.backend.models()) {
    data.push_back(model_json(entry, parts_.clock.now()));
  }
  return json_response(200,
                       JsonValue::object({{"object", "list"}, {"data", std::move(data)}}).dump());
}

http::Response Api::one_model(std::string_view name) const {
  for (const auto& entry : parts_.backend.models()) {
    if (entry.name == name) return json_response(200, model_json(entry, parts_.clock.now()).dump());
  }
  return error_response({ApiCode::model_not_found, "no such model on this network", "model"});
}

Api::Reply Api::asset(const http::Request& request, http::Exchange& exchange) {
  const webui::Asset& file = *webui::find_asset(request.path);
  bool zipped = !file.gzip.empty() && accepts_gzip(request);
  http::Response out;
  out.headers = {
      {"content-type", std::string(file.content_type)},
      {"etag", std::string(file.etag)},
      {"cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
      {"content-security-policy", std::string(webui::kContentSecurityPolicy)},
      {"cross-origin-opener-policy", "same-origin"},
      {"cross-origin-resource-policy", "same-origin"},
      {"referrer-policy", "no-referrer"},
      {"x-content-type-options", "nosniff"},
      {"vary", "accept-encoding"}};
  if (request.header("if-none-match") == file.etag) {
    out.status = 304;
  } else {
    if (zipped) out.headers.push_back({"content-encoding", "gzip"});
    Bytes body = zipped ? file.gzip : file.identity;
    out.body.assign(body.begin(), body.end());
  }
  co_await exchange.send(std::move(out));
}

Api::Reply Api::chat(const http::Request& request, http::Exchange& exchange) {
  auto parsed = parse_chat_request(request.body);
  if (!parsed) {
    co_await exchange.send(error_response(parsed.error()));
    co_return;
  }
  const std::string_view mode = request.header(kModeHeader);
  if (!mode.empty()) {
    const auto known = trust::mode_from(mode);
    if (!known) {
      co_await exchange.send(error_response(
          {ApiCode::invalid_request, "x-cloister-mode is atls or chain", kModeHeader}));
      co_return;
    }
    parsed->mode = *known;
  }
  if (parsed->stream) {
    co_await stream_chat(std::move(*parsed), exchange);
  } else {
    co_await whole_chat(std::move(*parsed), exchange);
  }
}

AnswerHead Api::head_for(const ChatRequest& chat) const {
  AnswerHead head;
  head.id = "chatcmpl-" + to_hex(parts_.random.fixed<12>());
  head.created = parts_.clock.now();
  head.model = chat.model;
  for (const auto& entry : parts_.backend.models()) {
    if (entry.name == chat.model) head.fingerprint = to_hex(Bytes(entry.root).first(8));
  }
  return head;
}

Api::Reply Api::stream_chat(ChatRequest chat, http::Exchange& exchange) {
  auto receipt_id = ReceiptStore::new_id(parts_.random);
  auto executor = co_await asio::this_coro::executor;
  bool include_usage = chat.include_usage;
  auto stream = std::make_shared<ChatStream>(exchange, head_for(chat), executor);
  stream->start_pings(receipt_id);
  OnPiece on_piece = [stream, receipt_id](const UserText& text) -> asio::awaitable<bool> {
    co_return co_await stream->piece(text, receipt_id);
  };
  auto result = co_await parts_.backend.ask(std::move(chat), receipt_id, std::move(on_piece));
  co_await stream->stop();
  if (!stream->opened() && !result) {
    co_await exchange.send(error_response(result.error()));
    co_return;
  }
  co_await stream->open(receipt_id);  // an answer may be empty
  co_await stream->end(result, include_usage);
}

Api::Reply Api::whole_chat(ChatRequest chat, http::Exchange& exchange) {
  auto receipt_id = ReceiptStore::new_id(parts_.random);
  auto head = head_for(chat);
  auto text = std::make_shared<UserText>();
  OnPiece on_piece = [text, &exchange](const UserText& piece) -> asio::awaitable<bool> {
    text->append(piece.reveal());
    co_return !exchange.gone();
  };
  auto result = co_await parts_.backend.ask(std::move(chat), receipt_id, std::move(on_piece));
  if (!result) {
    co_await exchange.send(error_response(result.error()));
    co_return;
  }
  std::string body = whole_answer(head, *text, *result);
  auto answer = json_response(200, body);
  wipe(body.data(), body.size());
  answer.headers.push_back({kReceiptHeader, receipt_id});
  co_await exchange.send(std::move(answer));
}

}  // namespace cloister::gateway
