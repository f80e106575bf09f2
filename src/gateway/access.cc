#include "gateway/access.h"

#include <fmt/format.h>

#include "base/files.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace cloister::gateway {
namespace {

constexpr size_t kTokenBytes = 32;
constexpr std::string_view kCookieName = "cloister_session";

std::unexpected<ApiError> refuse(ApiCode code, const char* message) {
  return std::unexpected(ApiError{code, message, ""});
}

std::optional<std::string_view> cookie_value(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    size_t end = std::min(field.find(';'), field.size());
    std::string_view pair = field.substr(0, end);
    field.remove_prefix(std::min(end + 1, field.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

}  // namespace

Access::Access(std::string_view token, uint16_t port)
    : token_(token.begin(), token.end()), port_suffix_(fmt::format(":{}", port)) {
  ByteWriter w;
  w.text("cloister page session v1").u8(0).text(token);
  cookie_ = to_hex(crypto::sha256(w.view()));
}

bool Access::is_own_host(std::string_view host) const {
  if (!host.ends_with(port_suffix_)) return false;
  host.remove_suffix(port_suffix_.size());
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

std::expected<void, ApiError> Access::check_origin(const http::Request& request) const {
  if (!is_own_host(request.header("host"))) {
    return refuse(ApiCode::forbidden_origin, "this gateway answers only to its own loopback name");
  }
  auto origin = request.header("origin");
  constexpr std::string_view kScheme = "http://";
  bool own =
      origin.empty() || (origin.starts_with(kScheme) && is_own_host(origin.substr(kScheme.size())));
  auto site = request.header("sec-fetch-site");
  if (!own || (!site.empty() && site != "same-origin" && site != "none")) {
    return refuse(ApiCode::forbidden_origin, "requests from other sites' pages are refused");
  }
  return {};
}

bool Access::has_bearer(const http::Request& request) const {
  auto field = request.header("authorization");
  constexpr std::string_view kScheme = "Bearer ";
  return field.starts_with(kScheme) &&
         equal_constant_time(as_bytes(field.substr(kScheme.size())), token_);
}

std::expected<void, ApiError> Access::check_token(const http::Request& request) const {
  if (has_bearer(request)) return {};
  auto cookie = cookie_value(request.header("cookie"), kCookieName);
  if (cookie && equal_constant_time(as_bytes(*cookie), as_bytes(cookie_))) return {};
  return refuse(ApiCode::invalid_api_key,
                "the API key is missing or wrong; it stands in the file `token` of the gateway's "
                "data folder");
}

std::string Access::login_cookie() const {
  return fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/", kCookieName, cookie_);
}

std::optional<std::string> load_or_make_token(const std::string& path, Random& random) {
  auto content = read_file(path, 2 * kTokenBytes + 1);
  if (!content && content.error() == FileError::not_found) {
    std::string token = to_hex(random.fixed<kTokenBytes>());
    if (!write_file(path, as_bytes(token + "\n"), FileMode::secret)) return std::nullopt;
    return token;
  }
  if (!content) return std::nullopt;
  std::string token(as_text(*content));
  if (token.ends_with('\n')) token.pop_back();
  if (!fixed_from_hex<kTokenBytes>(token)) return std::nullopt;
  return token;
}

}  // namespace cloister::gateway
