// `cloister tx KIND`: one transaction, from its body as JSON.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/ledger_access.h"
#include "cli/ledger_records.h"
#include "cli/nearest.h"

namespace cloister::cli {
namespace {

struct Options {
  LedgerOptions ledger;
  std::string kind;
  std::string body;
  bool example = false;
};

int refuse(std::string_view message) {
  return unusable("tx", message);
}

std::vector<std::string> kinds() {
  std::vector<std::string> out;
  for (unsigned i = 1; i < 256; ++i) {
    const auto name = ledger::name(static_cast<ledger::TxKind>(i));
    if (!name.empty()) out.emplace_back(name);
  }
  return out;
}

int run(const Options& options) {
  const auto kind = ledger::tx_kind_from(options.kind);
  if (!kind) return refuse("no kind " + options.kind + suggestion(options.kind, kinds()));
  const auto example = body_example(*kind);
  if (options.example) {
    fmt::print("{}\n", example->dump_pretty());
    return kExitOk;
  }
  const bool bare = options.body.empty() && example->members()->empty();
  const auto text = bare ? std::string("{}") : text_argument(options.body);
  if (!text) return refuse(options.body.substr(1) + " cannot be read");
  const auto json = parse_json(*text);
  if (!json) return refuse("the body is not JSON; --example prints one");
  auto body = body_from_json(*kind, *json);
  if (!body) {
    return refuse("the body is not that of " + options.kind + "; --example prints one");
  }
  return send_and_tell(options.ledger, *kind, std::move(*body));
}

}  // namespace

Command add_tx(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("tx", "send one transaction and wait for its proven outcome");
  app->add_option("kind", options->kind, "such as transfer, operator_bond, retire_instance")
      ->required();
  app->add_option("--body", options->body, "its body: JSON, or @FILE");
  app->add_flag("--example", options->example, "print an empty body of this kind and do nothing");
  add_ledger_options(*app, options->ledger, true);
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
