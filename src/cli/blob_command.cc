// `cloister blob serve|put|get`: sealed files that anyone may keep, called by their hash.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>

#include "base/files.h"
#include "base/text.h"
#include "blob/http_client.h"
#include "blob/http_server.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/run_alone.h"
#include "process/child.h"

namespace cloister::cli {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::minutes kCollectEvery{10};
constexpr uint64_t kMiB = 1 << 20;

struct Options {
  std::string folder, listen = "127.0.0.1", uri, file, server;
  uint16_t port = 0;
  uint64_t quota_mib = 10'240, max_blob_mib = 256, lifetime_hours = 168;
};

// --- serve ---

int serve(const Options& options) {
  SystemClock clock;
  blob::FolderLimits limits;
  limits.quota_bytes = options.quota_mib * kMiB;
  limits.max_blob_bytes = options.max_blob_mib * kMiB;
  limits.lifetime_s = static_cast<int64_t>(options.lifetime_hours * 3600);
  auto folder = blob::Folder::open(options.folder, limits, clock);
  if (!folder) return fail(options.folder + ": " + std::string(describe(folder.error())));
  asio::io_context context(1);
  http::ServerLimits server_limits;
  server_limits.max_body_bytes = limits.max_blob_bytes;
  http::Server server(context.get_executor(), server_limits, blob::serve_folder(**folder));
  auto port = server.listen(options.listen, options.port);
  if (!port) return fail(http::describe(port.error()));
  fmt::print("blobs in {} at http://{}:{}\n", options.folder, options.listen, *port);
  std::fflush(stdout);
  process::announce_ready(std::to_string(*port));
  asio::steady_timer timer(context);
  std::function<void(boost::system::error_code)> collect = [&](boost::system::error_code ended) {
    if (ended) return;
    (*folder)->collect_garbage();
    timer.expires_after(kCollectEvery);
    timer.async_wait(collect);
  };
  collect({});
  run_until_signal(context, [&]() -> asio::awaitable<void> {
    timer.cancel();
    server.stop();
    co_return;
  });
  return kExitOk;
}

// --- put and get ---

int put(const Options& options) {
  const size_t colon = options.server.rfind(':');
  const auto address =
      blob::HttpAddress::parse("http://" + options.server + "/blob/" + std::string(64, '0'));
  if (!address) return unusable("blob put", options.server + " is no HOST:PORT");
  const auto content = read_file(options.file, uint64_t{1} << 30);
  if (!content) return fail(options.file + ": " + std::string(describe(content.error())));
  const auto kept = run_alone(blob::put(options.server.substr(0, colon), address->port, *content));
  if (!kept) return fail(std::string(describe(kept.error())));
  fmt::print("{}\n", kept->uri());
  return kExitOk;
}

int get(const Options& options) {
  const auto address = blob::HttpAddress::parse(options.uri);
  if (!address) return unusable("blob get", options.uri + " is no address of a blob");
  const std::string partial = options.file + ".partial";
  const int out = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return fail(partial + " cannot be written");
  bool writable = true;
  const blob::Sink write_all = [out, &writable](Bytes more) {
    while (writable && !more.empty()) {
      const ssize_t wrote = ::write(out, more.data(), more.size());
      writable = wrote > 0;
      if (writable) more = more.subspan(static_cast<size_t>(wrote));
    }
    return writable;
  };
  const auto got = run_alone(blob::get(*address, write_all));
  const bool whole = got && ::fsync(out) == 0;
  ::close(out);
  if (!whole || ::rename(partial.c_str(), options.file.c_str()) != 0) {
    ::unlink(partial.c_str());
    return fail(got || !writable ? options.file + " cannot be written"
                                 : std::string(describe(got.error())));
  }
  fmt::print("{} bytes in {}\n", *got, options.file);
  return kExitOk;
}

}  // namespace

Command add_blob(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("blob", "keep and bring sealed files by their hash");
  app->require_subcommand(1);
  auto* served = app->add_subcommand("serve", "serve a folder of blobs over HTTP");
  served->add_option("--dir", options->folder, "the folder; made where there is none")->required();
  served->add_option("--listen", options->listen, "numeric address")->capture_default_str();
  served->add_option("--port", options->port, "0: any free one")->capture_default_str();
  served->add_option("--quota-mib", options->quota_mib, "of all blobs together")
      ->capture_default_str();
  served->add_option("--max-blob-mib", options->max_blob_mib, "of one blob; it is in memory once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  served->add_option("--lifetime-hours", options->lifetime_hours, "since it was last put")
      ->capture_default_str();
  auto* sent = app->add_subcommand("put", "give a file to a server of blobs; prints its address");
  sent->add_option("FILE", options->file, "as it is: seal it before")->required();
  sent->add_option("--to", options->server, "HOST:PORT")->required();
  auto* brought = app->add_subcommand("get", "bring a blob and compare it with its hash");
  brought->add_option("URI", options->uri, "http://HOST:PORT/blob/SHA256")->required();
  brought->add_option("--out", options->file, "the file to write")->required();
  return {app, [=] {
            if (served->parsed()) return serve(*options);
            return sent->parsed() ? put(*options) : get(*options);
          }};
}

}  // namespace cloister::cli
