#include "http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>

#include "base/json.h"
#include "http/strict.h"

namespace cloister::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Fields that only the framing may write: a second one would let two readers disagree.
constexpr std::array<std::string_view, 7> kFramingFields = {
    "content-length", "transfer-encoding", "connection", "host", "upgrade", "te", "trailer"};

void append(SecretBuffer& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

Status append_fields(SecretBuffer& out, const Headers& headers) {
  if (headers.size() > kMaxFields) return std::unexpected(Error::bad_field);
  for (const Header& h : headers) {
    const bool framing = std::any_of(kFramingFields.begin(), kFramingFields.end(),
                                     [&](auto name) { return equal_ignoring_case(name, h.name); });
    if (framing || !is_token(h.name) || !is_field_value(h.value)) {
      return std::unexpected(Error::bad_field);
    }
    append(out, h.name);
    append(out, ": ");
    append(out, h.value);
    append(out, "\r\n");
  }
  return {};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view find(const Headers& headers, std::string_view name) {
  for (const Header& h : headers) {
    if (equal_ignoring_case(h.name, name)) return h.value;
  }
  return {};
}

SecretBuffer body_of(std::string_view text) {
  return {text.begin(), text.end()};
}

Request make_request(std::string_view method, std::string_view target, std::string_view body,
                     std::string_view content_type) {
  Request request;
  request.method = method;
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  if (!content_type.empty()) request.headers.push_back({"content-type", std::string(content_type)});
  request.body = body_of(body);
  return request;
}

Response make_response(unsigned status, std::string_view content_type, std::string_view body) {
  Response response;
  response.status = status;
  response.headers.push_back({"content-type", std::string(content_type)});
  response.body = body_of(body);
  return response;
}

Response make_error(unsigned status, std::string_view type, std::string_view code,
                    std::string_view message) {
  JsonValue error;
  error.set("message", message).set("type", type).set("param", JsonValue()).set("code", code);
  return make_response(status, "application/json", JsonValue::object({{"error", error}}).dump());
}

std::expected<SecretBuffer, Error> format_request_head(const Request& request,
                                                       std::string_view host) {
  std::string target = request.path;
  if (!request.query.empty()) target += "?" + request.query;
  if (!is_method(request.method) || !is_target(target) || !is_host(host)) {
    return std::unexpected(Error::bad_field);
  }
  SecretBuffer out;
  append(out, fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, target, host));
  if (auto held = append_fields(out, request.headers); !held) return std::unexpected(held.error());
  if (request.method == "POST" || !request.body.empty()) {
    append(out, fmt::format("content-length: {}\r\n", request.body.size()));
  }
  append(out, "\r\n");
  return out;
}

std::expected<SecretBuffer, Error> format_response_head(unsigned status, const Headers& headers,
                                                        Framing framing, size_t body_bytes,
                                                        bool keep_alive) {
  if (status < 200 || status > 599) return std::unexpected(Error::bad_field);
  const auto reason =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  SecretBuffer out;
  append(out, fmt::format("HTTP/1.1 {} {}\r\n", status, std::string_view(reason)));
  if (auto held = append_fields(out, headers); !held) return std::unexpected(held.error());
  if (framing == Framing::sized) append(out, fmt::format("content-length: {}\r\n", body_bytes));
  if (framing == Framing::chunked) append(out, "transfer-encoding: chunked\r\n");
  append(out, keep_alive ? "connection: keep-alive\r\n\r\n" : "connection: close\r\n\r\n");
  return out;
}

}  // namespace cloister::http
