// `cloister verify-receipt FILE`: verifies an answer's receipt, offline, from what lies in the
// file.
#include <fmt/format.h>

#include "base/files.h"
#include "base/seams.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/local_policy.h"
#include "trust/report.h"

namespace cloister::cli {
namespace {

struct Options {
  std::string path, genesis, policy;
  bool json = false;
};

// The bundle itself, or an object that holds it: what the API, the page and `up --once` hand out.
std::expected<trust::Bundle, std::string> read_bundle(const std::string& path) {
  auto content = read_file(path, 2 * trust::kMaxBundleBytes);
  if (!content) return std::unexpected(fmt::format("{}: {}", path, describe(content.error())));
  auto text = as_text(*content);
  auto direct = trust::bundle_from_json(text);
  if (direct) return direct.value();
  for (const char* member : {"bundle", "receipt"}) {
    auto whole = parse_json(text, {.max_bytes = 2 * trust::kMaxBundleBytes});
    auto inner = whole ? whole->find(member) : nullptr;
    if (inner == nullptr || !inner->is_object()) continue;
    auto nested = trust::bundle_from_json(inner->dump());
    if (nested) return nested.value();
  }
  return std::unexpected(fmt::format("{}: {}", path, trust::describe(direct.error())));
}

void print_report(const trust::Report& report) {
  fmt::print("{}: {}\n\n", trust::name(report.level), report.statement);
  for (const auto& row : report.checks) {
    fmt::print("  {} {:<25} {}\n", row.ok ? "ok  " : "FAIL", row.name, row.found);
    if (!row.ok) fmt::print("       {:<25} expected: {}\n", "", row.expected);
  }
  fmt::print("\nNot proven:\n");
  for (const auto& line : report.not_proven) fmt::print("  - {}\n", line);
}

int run(const Options& options) {
  auto bundle = read_bundle(options.path);
  if (!bundle) {
    fmt::print(stderr, "cloister: {}\n", bundle.error());
    return kExitUsage;
  }
  trust::Expectations expectations;
  if (!options.genesis.empty()) {
    auto genesis = read_genesis(options.genesis);
    if (!genesis) {
      fmt::print(stderr, "cloister: {}\n", genesis.error());
      return kExitUsage;
    }
    expectations.genesis_hash = genesis->hash();
  }
  if (!options.policy.empty()) {
    auto local = read_local_policy(options.policy);
    if (!local) {
      fmt::print(stderr, "cloister: {}\n", local.error());
      return kExitUsage;
    }
    expectations.local_policy = std::move(*local);
  }
  auto report = trust::evaluate(*bundle, expectations);
  if (!bundle->receipt) {
    report.level = trust::Level::failed;
    report.statement = "Not verified: the file holds no receipt of an answer.";
  }
  if (options.json) {
    fmt::print("{}\n", trust::to_json(report).dump());
  } else {
    print_report(report);
  }
  return report.trusted() ? kExitOk : kExitRefused;
}

}  // namespace

Command add_verify_receipt(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("verify-receipt", "verify an answer's receipt, offline");
  app->add_option("file", options->path, "a receipt bundle, or JSON that holds one")->required();
  app->add_option("--genesis", options->genesis, "the genesis that the answer must belong to");
  app->add_option("--policy", options->policy,
                  "your own rules, which can only tighten: policy.toml");
  app->add_flag("--json", options->json, "print the trust report as JSON");
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
