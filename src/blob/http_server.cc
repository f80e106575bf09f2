#include "blob/http_server.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "base/text.h"

namespace cloister::blob {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kCollection = "/blob";
constexpr size_t kPieceBytes = 64 * 1024;

unsigned status_of(BlobError error) {
  switch (error) {
    case BlobError::not_found:
      return 404;
    case BlobError::too_large:
      return 413;
    case BlobError::quota_exceeded:
      return 507;
    default:
      return 500;
  }
}

http::Response refusal(unsigned status, std::string_view code, std::string_view message) {
  auto out = http::make_error(status, status < 500 ? "invalid_request_error" : "server_error", code,
                              message);
  out.headers.push_back({"access-control-allow-origin", "*"});
  return out;
}

http::Response refusal(BlobError error) {
  return refusal(status_of(error), name(error), describe(error));
}

http::Response allow_other_origins() {
  auto out = http::make_response(204, "text/plain", "");
  out.headers = {{"access-control-allow-origin", "*"},
                 {"access-control-allow-methods", "GET, POST"},
                 {"access-control-allow-headers", "content-type, range"},
                 {"access-control-max-age", "86400"}};
  return out;
}

// "bytes=N-", the one form that is understood; nothing for any other.
std::optional<uint64_t> offset_of(std::string_view range) {
  if (!range.starts_with("bytes=") || !range.ends_with("-")) return std::nullopt;
  const std::string_view digits = range.substr(6, range.size() - 7);
  uint64_t value = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

http::Response keep(Folder& folder, Bytes content) {
  auto incoming = folder.put();
  if (!incoming) return refusal(incoming.error());
  if (auto fed = incoming->feed(content); !fed) return refusal(fed.error());
  const auto kept = incoming->finish();
  if (!kept) return refusal(kept.error());
  const auto body = JsonValue::object({{"sha256", to_hex(*kept)}, {"size", content.size()}});
  auto out = http::make_response(201, "application/json", body.dump());
  out.headers.push_back({"access-control-allow-origin", "*"});
  return out;
}

asio::awaitable<void> stream(Outgoing content, uint64_t offset, http::Exchange& exchange) {
  const uint64_t size = content.size_bytes();
  http::Headers headers = {{"content-type", "application/octet-stream"},
                           {"access-control-allow-origin", "*"},
                           {"cache-control", "public, max-age=31536000, immutable"}};
  if (offset > 0) {
    headers.push_back({"content-range", fmt::format("bytes {}-{}/{}", offset, size - 1, size)});
  }
  auto going = co_await exchange.start_stream(offset > 0 ? 206 : 200, std::move(headers));
  while (going) {
    const auto piece = content.read(kPieceBytes);
    if (!piece) co_return;  // the connection is cut, so that a part is never taken for the whole
    if (piece->empty()) break;
    going = co_await exchange.write(*piece);
  }
  if (going) co_await exchange.finish();
}

asio::awaitable<void> answer(Folder& folder, const http::Request& request,
                             http::Exchange& exchange) {
  if (request.method == "OPTIONS") {
    co_await exchange.send(allow_other_origins());
    co_return;
  }
  if (request.method == "POST" && request.path == kCollection) {
    co_await exchange.send(keep(folder, request.body));
    co_return;
  }
  const std::string_view path = request.path;
  const bool below = path.starts_with(kCollection) && path.size() > kCollection.size() &&
                     path[kCollection.size()] == '/';
  const auto sha256 =
      below ? fixed_from_hex<32>(path.substr(kCollection.size() + 1)) : std::nullopt;
  if (request.method != "GET" || !sha256) {
    co_await exchange.send(refusal(404, "unsupported_endpoint", "there is nothing at this path"));
    co_return;
  }
  const std::string_view range = request.header("range");
  const auto offset = range.empty() ? std::optional<uint64_t>(0) : offset_of(range);
  if (!offset) {
    co_await exchange.send(refusal(416, "bad_range", "only a range bytes=N- is understood"));
    co_return;
  }
  auto content = folder.get(*sha256, *offset);
  const bool past_end = content && *offset > 0 && *offset == content->size_bytes();
  if (!content || past_end) {
    co_await exchange.send(refusal(content ? BlobError::not_found : content.error()));
    co_return;
  }
  co_await stream(std::move(*content), *offset, exchange);
}

}  // namespace

http::Handler serve_folder(Folder& folder) {
  return [&folder](const http::Request& request, http::Exchange& exchange) {
    return answer(folder, request, exchange);
  };
}

}  // namespace cloister::blob
