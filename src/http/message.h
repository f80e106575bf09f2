// HTTP messages as values. Bodies wipe themselves: they carry prompts and answers.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "http/error.h"

namespace cloister::http {

struct Header {
  std::string name, value;
};
using Headers = std::vector<Header>;

// The value of the first field with this name in any case; empty when absent. Fields that decide
// something (Host, Content-Length, Authorization, …) are refused when repeated, see strict.h.
std::string_view find(const Headers& headers, std::string_view name);

struct Request {
  std::string method;
  std::string path;   // as received, not decoded; begins with '/'
  std::string query;  // without '?'
  Headers headers;
  SecretBuffer body;
  std::string peer;  // address of the sender, for limits a peer; empty inside a tunnel

  std::string_view header(std::string_view name) const { return find(headers, name); }
  std::string_view text() const { return as_text(body); }
};

struct Response {
  unsigned status = 200;
  Headers headers;
  SecretBuffer body;

  std::string_view header(std::string_view name) const { return find(headers, name); }
  std::string_view text() const { return as_text(body); }
};

SecretBuffer body_of(std::string_view text);
Request make_request(std::string_view method, std::string_view target, std::string_view body = {},
                     std::string_view content_type = {});
Response make_response(unsigned status, std::string_view content_type, std::string_view body);
// {"error":{"message","type","param":null,"code"}}, the shape that clients of OpenAI's API read.
Response make_error(unsigned status, std::string_view type, std::string_view code,
                    std::string_view message);

bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII

// How a written message ends.
enum class Framing { sized, chunked, until_close, none };

// Heads as they go on the wire. Error::bad_field when a name is no token, a value holds a control
// character, or a field is one of those that the framing itself writes.
std::expected<SecretBuffer, Error> format_request_head(const Request& request,
                                                       std::string_view host);
std::expected<SecretBuffer, Error> format_response_head(unsigned status, const Headers& headers,
                                                        Framing framing, size_t body_bytes,
                                                        bool keep_alive);

}  // namespace cloister::http
