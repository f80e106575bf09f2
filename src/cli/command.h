// What a subcommand is to main: it declares its options, and runs when it was the one that was
// named. One file a subcommand, one `add_NAME` here, one line in main.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

namespace cloister::cli {

// Exit codes are interface: scripts depend on them.
constexpr int kExitOk = 0;
constexpr int kExitRefused = 1;  // it worked, and the answer is no
constexpr int kExitUsage = 2;    // the arguments cannot be used

struct Command {
  CLI::App* app;             // owned by the program
  std::function<int()> run;  // after parsing; returns the exit code
};

Command add_up(CLI::App& program);
Command add_ask(CLI::App& program);
Command add_verify(CLI::App& program);
Command add_verify_receipt(CLI::App& program);
Command add_collateral(CLI::App& program);
Command add_collect(CLI::App& program);
Command add_doctor(CLI::App& program);
Command add_keys(CLI::App& program);
Command add_tx(CLI::App& program);
Command add_query(CLI::App& program);
Command add_policy(CLI::App& program);
Command add_light(CLI::App& program);
Command add_watch(CLI::App& program);
Command add_genesis(CLI::App& program);
Command add_blob(CLI::App& program);
Command add_page(CLI::App& program);
Command add_sim(CLI::App& program);
Command add_ledger(CLI::App& program);
Command add_validator(CLI::App& program);
Command add_testnet(CLI::App& program);
Command add_node(CLI::App& program);
Command add_gateway(CLI::App& program);

// Says what is wrong with the arguments, and where to look. Returns kExitUsage.
int unusable(std::string_view command, std::string_view message);

// JSON as typed, or from @FILE; nothing when that cannot be read.
std::optional<std::string> text_argument(const std::string& argument);

}  // namespace cloister::cli
