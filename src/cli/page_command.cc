// `cloister page --network FILE`: the page that needs no gateway, as static files beside the
// description of one network. Any static host serves the same files as well.
#include <fmt/format.h>

#include "base/files.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "http/server.h"
#include "process/child.h"
#include "webui/webui.h"

namespace cloister::cli {
namespace {

namespace asio = boost::asio;

constexpr size_t kMaxNetworkBytes = 16 << 20;
constexpr std::string_view kNetworkPath = "/network.json";

struct Options {
  std::string network, listen = "127.0.0.1";
  uint16_t port = 0;
};

// The page may talk to the network's endpoints and to nobody else. Read anew for each request: the
// file may come, or change, while the page is served.
std::string content_policy(const std::string& network_file) {
  std::string connect = "connect-src 'self'";
  const auto content = read_file(network_file, kMaxNetworkBytes);
  const auto network =
      parse_json(content ? as_text(*content) : std::string_view(), {.max_bytes = kMaxNetworkBytes});
  if (network) {
    if (const auto endpoints = (*network)["endpoints"].array()) {
      for (const JsonValue& one : *endpoints)
        connect += fmt::format(" {}", one.string().value_or(""));
    }
    connect += fmt::format(" {}", (*network)["blobs"].string().value_or(""));
  }
  std::string policy(webui::kContentSecurityPolicy);
  const std::string_view own = "connect-src 'self'";
  policy.replace(policy.find(own), own.size(), connect);
  return policy;
}

http::Response asset_response(const http::Request& request, const webui::Asset& file,
                              const std::string& network_file) {
  const bool zipped = !file.gzip.empty() &&
                      request.header("accept-encoding").find("gzip") != std::string_view::npos;
  http::Response out;
  out.headers = {
      {"content-type", std::string(file.content_type)},
      {"etag", std::string(file.etag)},
      {"cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
      {"content-security-policy", content_policy(network_file)},
      {"cross-origin-opener-policy", "same-origin"},
      {"cross-origin-resource-policy", "same-origin"},
      {"referrer-policy", "no-referrer"},
      {"x-content-type-options", "nosniff"},
      {"vary", "accept-encoding"}};
  if (zipped) out.headers.push_back({"content-encoding", "gzip"});
  const Bytes body = zipped ? file.gzip : file.identity;
  out.body.assign(body.begin(), body.end());
  return out;
}

http::Response answer(const http::Request& request, const std::string& network_file) {
  const auto nothing =
      http::make_error(404, "invalid_request_error", "not_found", "there is nothing at this path");
  if (request.method != "GET") return nothing;
  if (const auto* file = webui::find_chain_asset(request.path)) {
    return asset_response(request, *file, network_file);
  }
  if (request.path != kNetworkPath) return nothing;
  const auto content = read_file(network_file, kMaxNetworkBytes);
  if (!content) return nothing;
  auto out = http::make_response(200, "application/json", as_text(*content));
  out.headers.push_back({"cache-control", "no-store"});
  out.headers.push_back({"x-content-type-options", "nosniff"});
  return out;
}

int run(const Options& options) {
  if (webui::chain_assets().empty()) return fail("this program was built without its pages");
  asio::io_context context(1);
  const auto handler = [&](const http::Request& request,
                           http::Exchange& exchange) -> asio::awaitable<void> {
    auto response = answer(request, options.network);
    co_await exchange.send(std::move(response));
  };
  http::Server server(context.get_executor(), http::ServerLimits{}, handler);
  const auto port = server.listen(options.listen, options.port);
  if (!port) return fail(http::describe(port.error()));
  fmt::print("http://{}:{}/\n", options.listen, *port);
  std::fflush(stdout);
  process::announce_ready(std::to_string(*port));
  run_until_signal(context, [&]() -> asio::awaitable<void> {
    server.stop();
    co_return;
  });
  return kExitOk;
}

}  // namespace

Command add_page(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("page", "serve the page that asks through the ledger itself");
  app->add_option("--network", options->network,
                  "JSON with the genesis, the ledger's endpoints and the blob server")
      ->required();
  app->add_option("--listen", options->listen, "numeric address")->capture_default_str();
  app->add_option("--port", options->port, "0: any free one")->capture_default_str();
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
