#include "evidence/fetch/fetch.h"

#include <unistd.h>

#include <boost/asio/this_coro.hpp>

#include "base/files.h"
#include "http/client.h"

namespace cloister::evidence::fetch {
namespace {

namespace asio = http::asio;

FetchError error_of(http::Error error) {
  switch (error) {
    case http::Error::deadline:
      return FetchError::deadline;
    case http::Error::body_too_large:
    case http::Error::head_too_large:
      return FetchError::too_large;
    case http::Error::bad_message:
    case http::Error::truncated:
      return FetchError::bad_answer;
    default:
      return FetchError::unreachable;
  }
}

std::unexpected<FetchFault> fail(FetchError error, const Wanted& wanted, std::string_view why) {
  return std::unexpected(
      FetchFault{error, "https://" + wanted.host + wanted.target + ": " + std::string(why)});
}

// "host" or "host:port", as in --pccs.
std::optional<http::TlsTarget> target_of(const std::string& host, const FetchOptions& options) {
  http::TlsTarget out;
  const size_t colon = host.find(':');
  out.host = host.substr(0, colon);
  if (out.host.empty()) return std::nullopt;
  if (colon != std::string::npos) {
    const std::string digits = host.substr(colon + 1);
    if (digits.empty() || digits.size() > 5 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      return std::nullopt;
    }
    const int port = std::stoi(digits);
    if (port == 0 || port > UINT16_MAX) return std::nullopt;
    out.port = static_cast<uint16_t>(port);
  }
  if (const auto via = options.via.find(out.host); via != options.via.end()) {
    out.via_host = via->second.host;
    out.via_port = via->second.port;
  }
  return out;
}

http::Request request_for(const Wanted& wanted) {
  if (wanted.body.empty()) return http::make_request("GET", wanted.target);
  return http::make_request("POST", wanted.target, as_text(wanted.body),
                            "application/ocsp-request");
}

asio::awaitable<std::expected<std::vector<File>, FetchFault>> fetch_one(
    const Wanted& wanted, const FetchOptions& options) {
  const auto target = target_of(wanted.host, options);
  if (!target) co_return fail(FetchError::host_refused, wanted, "not a host and port");
  auto stream = co_await http::connect_tls(co_await asio::this_coro::executor, *target,
                                           options.roots, options.timeout);
  if (!stream) {
    co_return fail(error_of(stream.error()), wanted, http::describe(stream.error()));
  }
  http::Client client(std::move(*stream), target->host);
  http::RequestOptions limits;
  limits.timeout = options.timeout;
  limits.max_body_bytes = options.max_bytes;
  auto response = co_await client.request(request_for(wanted), limits);
  if (!response) {
    co_return fail(error_of(response.error()), wanted, http::describe(response.error()));
  }
  if (response->status == 404) co_return fail(FetchError::not_found, wanted, "status 404");
  if (response->status != 200) {
    co_return fail(FetchError::refused_by_service, wanted,
                   "status " + std::to_string(response->status));
  }
  co_return files_of(wanted, *response);
}

}  // namespace

asio::awaitable<std::expected<std::vector<File>, FetchFault>> fetch_all(std::vector<Wanted> wanted,
                                                                        FetchOptions options) {
  std::vector<File> out;
  for (const Wanted& one : wanted) {
    auto files = co_await fetch_one(one, options);
    if (!files) co_return std::unexpected(files.error());
    std::move(files->begin(), files->end(), std::back_inserter(out));
  }
  co_return out;
}

std::expected<void, FetchFault> write_folder(const std::filesystem::path& folder,
                                             const std::vector<File>& files) {
  namespace fs = std::filesystem;
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(
        FetchFault{FetchError::folder_not_writable, folder.string() + ": " + std::string(why)});
  };
  std::error_code ec;
  if (fs::exists(folder, ec) && !fs::is_empty(folder, ec)) return refuse("it is not empty");
  const fs::path partial = folder.string() + ".part-" + std::to_string(getpid());
  if (!fs::create_directories(partial, ec)) return refuse("cannot be made");
  for (const File& file : files) {
    if (const auto wrote = write_file(partial / file.name, file.content, FileMode::shared);
        !wrote) {
      fs::remove_all(partial, ec);
      return refuse(describe(wrote.error()));
    }
  }
  fs::rename(partial, folder, ec);
  if (!ec) return {};
  const std::string why = ec.message();
  fs::remove_all(partial, ec);
  return refuse(why);
}

}  // namespace cloister::evidence::fetch
