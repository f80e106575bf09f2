// `cloister query FAMILY KEY`: one record of the ledger, proven.
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
  std::string family;
  std::string key;
  bool proof = false;
};

int refuse(std::string_view message) {
  return unusable("query", message);
}

std::vector<std::string> families() {
  std::vector<std::string> out;
  for (size_t i = 0; i < ledger::kFamilyCount; ++i) {
    out.emplace_back(ledger::name(static_cast<ledger::Family>(i)));
  }
  return out;
}

// What people look for without a key.
std::string usual_key(ledger::Family family) {
  if (family == ledger::Family::params) return std::string(ledger::kParamsKey);
  if (family == ledger::Family::policy) return std::string(ledger::kPolicyKey);
  return "";
}

JsonValue proof_json(const light::ProvenValue& read) {
  JsonValue ops = JsonValue::Array{};
  for (const light::ProofOp& op : read.proof) {
    ops.push(
        JsonValue::object({{"type", op.type}, {"key", to_hex(op.key)}, {"data", to_hex(op.data)}}));
  }
  return ops;
}

int run(const Options& options) {
  const auto family = ledger::family_from(options.family);
  if (!family)
    return refuse("no family " + options.family + suggestion(options.family, families()));
  const std::string key_text = options.key.empty() ? usual_key(*family) : options.key;
  if (key_text.empty()) return refuse("say which record of " + options.family);
  const auto key = key_from_text(*family, key_text);
  if (!key) return refuse(key_text + " is no key of " + options.family);
  const auto access = ledger_access(options.ledger);
  if (!access) return fail(access.error());
  const auto read = read_ledger(*access, *family, *key);
  if (!read) return fail(read.error());
  JsonValue out = JsonValue::object({{"family", options.family},
                                     {"key", to_hex(*key)},
                                     {"height", static_cast<uint64_t>(read->height)}});
  const auto record = read->value ? record_json(*family, *key, *read->value) : std::nullopt;
  out.set("value", record ? *record : read->value ? JsonValue(to_hex(*read->value)) : JsonValue());
  if (options.proof) out.set("proof", proof_json(*read));
  fmt::print("{}\n", options.ledger.json ? out.dump() : out.dump_pretty());
  return read->value ? kExitOk : kExitRefused;
}

}  // namespace

Command add_query(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand(
      "query", "read one record of the ledger with its proof; exit 1 when it is proven absent");
  app->add_option("family", options->family, "such as accounts, instances, sessions, params")
      ->required();
  app->add_option("key", options->key, "hex, a height, or a name; params and policy need none");
  app->add_flag("--proof", options->proof, "print the proof as well");
  add_ledger_options(*app, options->ledger, false);
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
