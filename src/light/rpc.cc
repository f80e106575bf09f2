#include "light/rpc.h"

#include <boost/asio/this_coro.hpp>

namespace cloister::light {
namespace {

constexpr size_t kMaxIdle = 8;
constexpr Millis kConnectTimeout{5000};

LightError cause_of(http::Error error) {
  switch (error) {
    case http::Error::deadline:
      return LightError::deadline_passed;
    case http::Error::bad_message:
    case http::Error::head_too_large:
    case http::Error::body_too_large:
      return LightError::bad_json;
    default:
      return LightError::unreachable;
  }
}

// Errors have no codes of their own but for the protocol's; these words have been CometBFT's since
// blocks can be pruned.
LightError refusal_of(const JsonValue& error) {
  for (const char* member : {"data", "message"}) {
    const auto text = error[member].string();
    if (text && text->find("lowest height is") != std::string::npos) return LightError::pruned;
  }
  return LightError::remote_refused;
}

std::expected<JsonValue, LightError> result_of(const http::Response& response) {
  JsonLimits limits;
  limits.max_bytes = kMaxAnswerBytes;
  limits.max_values = 2'000'000;
  auto answer = parse_json(response.text(), limits);
  if (!answer) return std::unexpected(LightError::bad_json);
  if (const JsonValue* error = answer->find("error")) return std::unexpected(refusal_of(*error));
  const JsonValue* result = answer->find("result");
  if (!result) return std::unexpected(LightError::bad_json);
  return *result;
}

}  // namespace

asio::awaitable<std::expected<http::Response, LightError>> HttpRpc::exchange(std::string body,
                                                                             Millis timeout) {
  http::RequestOptions options;
  options.timeout = timeout;
  options.max_body_bytes = kMaxAnswerBytes;
  // A kept connection may have been closed meanwhile: then a new one is tried, once.
  while (!idle_.empty()) {
    http::Client client = std::move(idle_.back());
    idle_.pop_back();
    http::Request request = http::make_request("POST", "/", body, "application/json");
    auto response = co_await client.request(std::move(request), options);
    if (response) {
      if (client.reusable() && idle_.size() < kMaxIdle) idle_.push_back(std::move(client));
      co_return std::move(*response);
    }
    if (cause_of(response.error()) != LightError::unreachable) {
      co_return std::unexpected(cause_of(response.error()));
    }
    idle_.clear();
  }
  const auto executor = co_await asio::this_coro::executor;
  const Millis patience = std::min(timeout, kConnectTimeout);
  auto client = co_await http::Client::connect(executor, host_, port_, patience);
  if (!client) co_return std::unexpected(cause_of(client.error()));
  http::Request request = http::make_request("POST", "/", body, "application/json");
  auto response = co_await client->request(std::move(request), options);
  if (!response) co_return std::unexpected(cause_of(response.error()));
  if (client->reusable() && idle_.size() < kMaxIdle) idle_.push_back(std::move(*client));
  co_return std::move(*response);
}

asio::awaitable<std::expected<JsonValue, LightError>> HttpRpc::call(std::string method,
                                                                    JsonValue params,
                                                                    Millis timeout) {
  JsonValue request = JsonValue::object(
      {{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", std::move(params)}});
  std::string body = request.dump();
  auto response = co_await exchange(std::move(body), timeout);
  if (!response) co_return std::unexpected(response.error());
  co_return result_of(*response);
}

}  // namespace cloister::light
