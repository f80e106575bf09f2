#include "cli/daemons.h"

#include <fmt/format.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "base/files.h"
#include "cli/command.h"

namespace cloister::cli {
namespace {

constexpr size_t kMaxGenesisBytes = 8 << 20;
constexpr std::chrono::seconds kStopGrace{8};

}  // namespace

int fail(const std::string& message) {
  fmt::print(stderr, "error: {}\n", message);
  return kExitRefused;
}

std::expected<ledger::Genesis, std::string> read_genesis(const std::filesystem::path& path) {
  auto content = read_file(path, kMaxGenesisBytes);
  if (!content)
    return std::unexpected(fmt::format("{}: {}", path.string(), describe(content.error())));
  auto genesis = ledger::genesis_from_json(as_text(*content));
  if (!genesis) {
    return std::unexpected(fmt::format("{}: {}", path.string(), ledger::describe(genesis.error())));
  }
  return *genesis;
}

void run_until_signal(boost::asio::io_context& context,
                      std::function<boost::asio::awaitable<void>()> stop) {
  std::signal(SIGPIPE, SIG_IGN);
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  boost::asio::steady_timer grace(context);
  signals.async_wait([&](boost::system::error_code ec, int) {
    if (ec) return;
    grace.expires_after(kStopGrace);
    grace.async_wait([&](boost::system::error_code) { context.stop(); });
    boost::asio::co_spawn(context, stop(), [&](std::exception_ptr) { context.stop(); });
  });
  context.run();
}

}  // namespace cloister::cli
