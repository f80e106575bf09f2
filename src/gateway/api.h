// The gateway's HTTP routes: OpenAI's chat and models, receipts, attestation, health, and the web
// page.
#pragma once

#include "gateway/access.h"
#include "gateway/backend.h"
#include "http/server.h"

namespace cloister::gateway {

struct ApiParts {
  Backend& backend;
  const Access& access;
  const Clock& clock;
  Random& random;
  std::string version;
};

// Lives as long as the server that uses the handler.
class Api {
 public:
  explicit Api(ApiParts parts) : parts_(std::move(parts)) {}
  http::Handler handler();

 private:
  using Reply = boost::asio::awaitable<void>;
  Reply route(const http::Request& request, http::Exchange& exchange);
  Reply chat(const http::Request& request, http::Exchange& exchange);
  Reply stream_chat(ChatRequest chat, http::Exchange& exchange);
  Reply whole_chat(ChatRequest chat, http::Exchange& exchange);
  Reply asset(const http::Request& request, http::Exchange& exchange);
  std::optional<http::Response> plain(const http::Request& request) const;
  http::Response health() const;
  http::Response models() const;
  http::Response one_model(std::string_view name) const;
  AnswerHead head_for(const ChatRequest& chat) const;
  ApiParts parts_;
};

http::Response error_response(const ApiError& error);

}  // namespace cloister::gateway
