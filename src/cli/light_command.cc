// `cloister light verify`: the newest block that a ledger's validators signed, and which of its
// endpoints tell the truth about it.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/ledger_access.h"

namespace cloister::cli {
namespace {

struct Options {
  LedgerOptions ledger;
  std::string root;  // HEIGHT:HASH
};

std::optional<light::TrustRoot> root_from(const std::string& text, const std::string& chain_id) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon > 18) return std::nullopt;
  if (text.find_first_not_of("0123456789") != colon) return std::nullopt;
  const auto hash = fixed_from_hex<32>(text.substr(colon + 1));
  light::TrustRoot out;
  out.chain_id = chain_id;
  out.height = std::stoll(text.substr(0, colon));
  if (!hash || out.height < 1) return std::nullopt;
  out.header_hash = *hash;
  return out;
}

JsonValue view_json(const ledger::Genesis& genesis, const LedgerView& view) {
  JsonValue endpoints = JsonValue::Array{};
  for (const auto& each : view.endpoints) {
    endpoints.push(JsonValue::object(
        {{"endpoint", each.name},
         {"state", std::string(light::name(each.state))},
         {"height", each.height},
         {"error", each.error ? JsonValue(std::string(describe(*each.error))) : JsonValue()}}));
  }
  JsonValue out = JsonValue::object({{"chain_id", genesis.chain_id},
                                     {"verified", view.newest.has_value()},
                                     {"embedded", genesis.embedded}});
  if (view.newest) {
    out.set("height", view.newest->height);
    out.set("hash", to_hex(view.newest->header_hash));
  } else {
    out.set("error", std::string(describe(view.newest.error())));
  }
  out.set("endpoints", std::move(endpoints));
  return out;
}

void tell(const ledger::Genesis& genesis, const LedgerView& view) {
  if (view.newest) {
    fmt::print("{}: block {} is {}\n", genesis.chain_id, view.newest->height,
               to_hex(view.newest->header_hash));
  } else {
    fmt::print("{}: no block could be verified: {}\n", genesis.chain_id,
               describe(view.newest.error()));
  }
  for (const auto& each : view.endpoints) {
    fmt::print(
        "  {:<24} {:<12} {}\n", each.name, light::name(each.state),
        each.error ? std::string(describe(*each.error)) : fmt::format("block {}", each.height));
  }
  if (genesis.embedded) {
    fmt::print("  one embedded sequencer signs this chain: whoever runs it could sign another\n");
  } else if (view.endpoints.size() == 1) {
    fmt::print("  one endpoint has no witness: name more with --rpc\n");
  }
}

bool holds(const LedgerView& view) {
  return view.newest && std::none_of(view.endpoints.begin(), view.endpoints.end(),
                                     [](const light::EndpointReport& each) {
                                       return each.state == light::EndpointState::lying;
                                     });
}

int run(const Options& options) {
  const auto access = ledger_access(options.ledger);
  if (!access) return fail(access.error());
  std::optional<light::TrustRoot> root;
  if (!options.root.empty()) {
    root = root_from(options.root, access->genesis.chain_id);
    if (!root) return unusable("light verify", options.root + " is not HEIGHT:HASH");
  }
  const auto view = view_ledger(*access, std::move(root));
  if (!view) return fail(view.error());
  if (options.ledger.json) {
    fmt::print("{}\n", view_json(access->genesis, *view).dump());
  } else {
    tell(access->genesis, *view);
  }
  return holds(*view) ? kExitOk : kExitRefused;
}

}  // namespace

Command add_light(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("light", "what a light client believes");
  app->require_subcommand(1);
  auto* verify = app->add_subcommand(
      "verify", "verify the newest block and compare endpoints; exit 1 when one of them lies");
  verify->add_option("--root", options->root,
                     "HEIGHT:HASH of a block to start from (default: the genesis' validators)");
  add_ledger_options(*verify, options->ledger, false);
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
