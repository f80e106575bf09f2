#include "blob/http_client.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace cloister::blob {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kPath = "/blob/";
constexpr size_t kMaxHostBytes = 255;

BlobError error_of(unsigned status) {
  switch (status) {
    case 404:
      return BlobError::not_found;
    case 413:
      return BlobError::too_large;
    case 507:
      return BlobError::quota_exceeded;
    default:
      return BlobError::refused;
  }
}

BlobError error_of(http::Error error) {
  return error == http::Error::body_too_large ? BlobError::too_large : BlobError::unreachable;
}

// One download, over as many connections as it takes.
class Download {
 public:
  Download(HttpAddress address, Sink sink, Transfer options)
      : address_(std::move(address)), sink_(std::move(sink)), options_(options) {}

  asio::awaitable<Result<uint64_t>> run() {
    for (size_t in_vain = 0; in_vain < kMaxAttempts;) {
      const uint64_t before = received_;
      auto got = co_await once();
      if (got) co_return finish();
      const bool nothing_more = got.error() == BlobError::not_found && received_ > 0;
      if (nothing_more && finish()) co_return received_;
      if (got.error() != BlobError::unreachable) co_return std::unexpected(got.error());
      in_vain = received_ > before ? 0 : in_vain + 1;
    }
    co_return std::unexpected(BlobError::unreachable);
  }

 private:
  // The rest from where it stands. Only `unreachable` is worth another try.
  asio::awaitable<Result<void>> once() {
    auto executor = co_await asio::this_coro::executor;
    auto client =
        co_await http::Client::connect(executor, address_.host, address_.port, options_.timeout);
    if (!client) co_return std::unexpected(BlobError::unreachable);
    auto request = http::make_request("GET", std::string(kPath) + to_hex(address_.sha256));
    if (received_ > 0) {
      request.headers.push_back({"range", fmt::format("bytes={}-", received_)});
    }
    http::RequestOptions limits;
    limits.timeout = options_.timeout;
    limits.max_body_bytes = static_cast<size_t>(options_.max_bytes);
    auto head = co_await client->start(std::move(request), limits);
    if (!head) co_return std::unexpected(error_of(head.error()));
    if (head->status != (received_ > 0 ? 206u : 200u)) {
      co_return std::unexpected(error_of(head->status));
    }
    for (;;) {
      auto more = co_await client->next(options_.timeout);
      if (!more) co_return std::unexpected(error_of(more.error()));
      if (!*more) co_return Result<void>{};
      if (auto taken = take(**more); !taken) co_return taken;
    }
  }

  Result<void> take(Bytes piece) {
    if (piece.size() > options_.max_bytes - received_) {
      return std::unexpected(BlobError::too_large);
    }
    hash_.update(piece);
    received_ += piece.size();
    if (!sink_(piece)) return std::unexpected(BlobError::refused);
    return {};
  }

  Result<uint64_t> finish() {
    if (hash_.finish() != address_.sha256) return std::unexpected(BlobError::wrong_content);
    return received_;
  }

  const HttpAddress address_;
  const Sink sink_;
  const Transfer options_;
  crypto::Sha256 hash_;
  uint64_t received_ = 0;
};

}  // namespace

std::string HttpAddress::uri() const {
  return fmt::format("{}{}:{}{}{}", kScheme, host, port, kPath, to_hex(sha256));
}

// Exactly the form that `uri` writes: whoever reads it is about to connect to a stranger's address.
Result<HttpAddress> HttpAddress::parse(std::string_view uri) {
  const auto bad = std::unexpected(BlobError::bad_uri);
  if (!uri.starts_with(kScheme)) return bad;
  const std::string_view rest = uri.substr(kScheme.size());
  const size_t slash = rest.find('/');
  const size_t colon = rest.rfind(':', slash);
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon == 0) return bad;
  const std::string_view host = rest.substr(0, colon);
  const bool plain = std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (!plain || host.size() > kMaxHostBytes || !rest.substr(slash).starts_with(kPath)) return bad;
  const std::string_view digits = rest.substr(colon + 1, slash - colon - 1);
  HttpAddress out;
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (failed != std::errc() || end != digits.data() + digits.size() || out.port == 0) return bad;
  const auto sha256 = fixed_from_hex<32>(rest.substr(slash + kPath.size()));
  if (!sha256) return bad;
  out.host = host;
  out.sha256 = *sha256;
  if (out.uri() != uri) return bad;
  return out;
}

asio::awaitable<Result<HttpAddress>> put(std::string host, uint16_t port, Bytes content,
                                         Transfer options) {
  HttpAddress out{std::move(host), port, crypto::sha256(content)};
  for (size_t attempt = 0; attempt < kMaxAttempts; ++attempt) {
    auto executor = co_await asio::this_coro::executor;
    auto client = co_await http::Client::connect(executor, out.host, port, options.timeout);
    if (!client) continue;
    auto request = http::make_request("POST", "/blob", {}, "application/octet-stream");
    request.body.assign(content.begin(), content.end());
    http::RequestOptions limits;
    limits.timeout = options.timeout;
    auto response = co_await client->request(std::move(request), limits);
    if (!response) continue;
    if (response->status != 201) co_return std::unexpected(error_of(response->status));
    const auto body = parse_json(response->text());
    const bool named = body && (*body)["sha256"].string() == to_hex(out.sha256);
    if (!named) co_return std::unexpected(BlobError::wrong_content);
    co_return out;
  }
  co_return std::unexpected(BlobError::unreachable);
}

asio::awaitable<Result<uint64_t>> get(HttpAddress address, Sink sink, Transfer options) {
  Download download(std::move(address), std::move(sink), options);
  co_return co_await download.run();
}

}  // namespace cloister::blob
