// One endpoint's JSON-RPC 2.0 over HTTP, as CometBFT and the embedded driver serve it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "base/json.h"
#include "http/client.h"
#include "light/error.h"

namespace cloister::light {

namespace asio = boost::asio;
using Millis = std::chrono::milliseconds;

constexpr size_t kMaxAnswerBytes = 32 << 20;

// The seam: tests put endpoints here that lie.
class Rpc {
 public:
  virtual ~Rpc() = default;
  // `result` of the answer. remote_refused when the answer is an error; unreachable,
  // deadline_passed or bad_json when there is none.
  virtual asio::awaitable<std::expected<JsonValue, LightError>> call(std::string method,
                                                                     JsonValue params,
                                                                     Millis timeout) = 0;
};

// Keeps its connections for the next call. All calls are made on one strand.
class HttpRpc final : public Rpc {
 public:
  HttpRpc(std::string host, uint16_t port) : host_(std::move(host)), port_(port) {}
  asio::awaitable<std::expected<JsonValue, LightError>> call(std::string method, JsonValue params,
                                                             Millis timeout) override;

 private:
  asio::awaitable<std::expected<http::Response, LightError>> exchange(std::string body,
                                                                      Millis timeout);
  std::string host_;
  uint16_t port_;
  std::vector<http::Client> idle_;
};

}  // namespace cloister::light
