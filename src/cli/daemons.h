// What the daemons' subcommands share: reading their files, and running until somebody ends them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>

#include "cli/toml_file.h"
#include "ledger/types/genesis.h"

namespace cloister::cli {

// Prints `error: …` and gives the exit code for what cannot be started.
int fail(const std::string& message);

std::expected<ledger::Genesis, std::string> read_genesis(const std::filesystem::path& path);

// Runs `context` on this thread until SIGINT or SIGTERM; then `stop`, for at most its grace, and
// returns.
void run_until_signal(boost::asio::io_context& context,
                      std::function<boost::asio::awaitable<void>()> stop);

}  // namespace cloister::cli
