// `cloister sim economy`: what honest and dishonest operators earn on the real ledger.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "sim/economy.h"

namespace cloister::cli {
namespace {

struct Options {
  sim::EconomyOptions economy;
  bool json = false;
};

JsonValue row_json(const sim::ConductReport& row) {
  return JsonValue::object({{"conduct", std::string(sim::name(row.conduct))},
                            {"operators", uint64_t{row.operators}},
                            {"sessions", uint64_t{row.sessions}},
                            {"failed_checks", uint64_t{row.failed_checks}},
                            {"slashed_micro", row.slashed_micro},
                            {"mean_profit_micro", row.mean_profit_micro},
                            {"least_profit_micro", row.least_profit_micro},
                            {"most_profit_micro", row.most_profit_micro}});
}

JsonValue report_json(const sim::EconomyOptions& options, const sim::EconomyReport& report) {
  JsonValue rows = JsonValue::Array{};
  for (const auto& row : report.conducts) rows.push(row_json(row));
  return JsonValue::object({{"seed", options.seed},
                            {"operators", uint64_t{options.operators}},
                            {"sessions", uint64_t{options.sessions}},
                            {"blocks", uint64_t{report.blocks}},
                            {"transactions", uint64_t{report.transactions}},
                            {"sessions_closed", uint64_t{report.sessions_closed}},
                            {"sessions_refunded", uint64_t{report.sessions_refunded}},
                            {"checks", uint64_t{report.checks}},
                            {"unended", uint64_t{report.unended}},
                            {"money_at_start_micro", report.money_at_start_micro},
                            {"money_at_end_micro", report.money_at_end_micro},
                            {"treasury_micro", report.treasury_micro},
                            {"root", to_hex(report.root)},
                            {"conducts", std::move(rows)}});
}

void print_report(const sim::EconomyReport& report) {
  fmt::print("{:<16}{:>10}{:>10}{:>9}{:>14}{:>16}{:>16}{:>16}\n", "conduct", "operators",
             "sessions", "failed", "slashed", "mean profit", "least", "most");
  for (const auto& row : report.conducts) {
    fmt::print("{:<16}{:>10}{:>10}{:>9}{:>14}{:>16}{:>16}{:>16}\n", sim::name(row.conduct),
               row.operators, row.sessions, row.failed_checks, row.slashed_micro,
               row.mean_profit_micro, row.least_profit_micro, row.most_profit_micro);
  }
  fmt::print(
      "{} blocks, {} transactions, {} sessions closed, {} refunded, {} checks, {} not ended\n",
      report.blocks, report.transactions, report.sessions_closed, report.sessions_refunded,
      report.checks, report.unended);
  fmt::print("money {} at the start, {} at the end, of which {} in the treasury\n",
             report.money_at_start_micro, report.money_at_end_micro, report.treasury_micro);
}

// The answer is no when a promise of the economy is broken.
bool holds(const sim::EconomyReport& report) {
  const auto& rows = report.conducts;
  bool ok = report.unended == 0 && report.money_at_start_micro == report.money_at_end_micro;
  for (const auto& row : rows) {
    ok = ok && (row.conduct == sim::Conduct::honest ||
                row.mean_profit_micro < rows.front().mean_profit_micro);
  }
  return ok;
}

int run(const Options& options) {
  const auto report = sim::run_economy(options.economy, [](size_t done, size_t all) {
    fmt::print(stderr, "\r{} of {} sessions", done, all);
  });
  fmt::print(stderr, "\r");
  if (options.json) {
    fmt::print("{}\n", report_json(options.economy, report).dump());
  } else {
    print_report(report);
  }
  return holds(report) ? kExitOk : kExitRefused;
}

}  // namespace

Command add_sim(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("sim", "simulations on the real ledger");
  app->require_subcommand(1);
  auto* economy = app->add_subcommand(
      "economy", "what honest and dishonest operators earn; exit 1 when dishonesty pays");
  economy->add_option("--seed", options->economy.seed, "the run's seed")->capture_default_str();
  economy->add_option("--operators", options->economy.operators, "how many")
      ->check(CLI::Range(10, 100'000))
      ->capture_default_str();
  economy->add_option("--dishonest", options->economy.dishonest_permille, "of 1000 operators")
      ->check(CLI::Range(0, 900))
      ->capture_default_str();
  economy->add_option("--sessions", options->economy.sessions, "in all")->capture_default_str();
  economy->add_option("--rate", options->economy.sessions_a_block, "sessions a block")
      ->check(CLI::Range(1, 5'000))
      ->capture_default_str();
  economy->add_flag("--json", options->json, "print one JSON object");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
