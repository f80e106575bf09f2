// Who may talk to the gateway on loopback: the right Host (against DNS rebinding), no foreign page
// (against CSRF), and the token. Pure.
#pragma once

#include <expected>
#include <string>

#include "base/seams.h"
#include "base/secret.h"
#include "gateway/openai.h"
#include "http/message.h"

namespace cloister::gateway {

class Access {
 public:
  // `token`: 64 hex digits. `port`: where the gateway listens.
  Access(std::string_view token, uint16_t port);

  // Rules for every request: Host is one of localhost, 127.0.0.1, [::1] with our port; a page that
  // sends is our own.
  std::expected<void, ApiError> check_origin(const http::Request& request) const;
  // The token as `Authorization: Bearer`, or the cookie that `login_cookie` made.
  std::expected<void, ApiError> check_token(const http::Request& request) const;
  bool has_bearer(const http::Request& request) const;
  std::string login_cookie() const;  // the value of a Set-Cookie field

 private:
  bool is_own_host(std::string_view host) const;
  SecretBuffer token_;
  std::string port_suffix_;
  std::string cookie_;  // derived from the token, so that the page never holds the token itself
};

// Reads the token from a 0600 file, or makes both. Nothing when the file is there and unusable.
std::optional<std::string> load_or_make_token(const std::string& path, Random& random);

}  // namespace cloister::gateway
