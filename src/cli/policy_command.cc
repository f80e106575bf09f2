// `cloister policy show|diff|propose|vote|approve|pause`: the network's rules and how they change.
#include <fmt/format.h>

#include <set>

#include "admission/admission.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/ledger_access.h"
#include "cli/ledger_records.h"
#include "cli/local_policy.h"
#include "cli/nearest.h"

namespace cloister::cli {
namespace {

using ledger::ProposalKind;

struct Options {
  LedgerOptions ledger;
  uint64_t from = 0, to = 0;
  std::string kind, change, proposal, choice, local;
  uint8_t format = 0;
  bool example = false;
};

int refuse(std::string_view message) {
  return unusable("policy", message);
}

std::expected<JsonValue, std::string> read_policy(const LedgerAccess& access,
                                                  const std::string& key) {
  const auto raw = key_from_text(ledger::Family::policy, key);
  const auto read = read_ledger(access, ledger::Family::policy, *raw);
  if (!read) return std::unexpected(read.error());
  if (!read->value) return std::unexpected("the ledger has no policy " + key);
  const auto json = record_json(ledger::Family::policy, *raw, *read->value);
  if (!json) return std::unexpected("the ledger's policy " + key + " cannot be read");
  return *json;
}

// The rules that remain of the ledger's when the user's are taken from them.
JsonValue tightened_json(const JsonValue& merged, const policy::LocalPolicy& local) {
  const auto record = ledger::NetworkPolicy::from_json(merged);
  const auto outer = policy::layered(admission::rules_of(*record));
  const policy::Rules rules = policy::tightened(outer, local).merged;
  JsonValue statuses = JsonValue::Array{}, releases = JsonValue::Array{};
  for (auto status : rules.accepted_statuses) statuses.push(std::string(evidence::name(status)));
  for (const auto& release : rules.releases) releases.push(release.name);
  JsonValue refused = JsonValue::Array{};
  for (auto format : rules.paused_formats) refused.push(std::string(evidence::name(format)));
  return JsonValue::object({{"accepted_statuses", std::move(statuses)},
                            {"min_tcb_evaluation_number", rules.min_tcb_evaluation_number},
                            {"releases", std::move(releases)},
                            {"refused_formats", std::move(refused)},
                            {"allow_development", rules.allow_development}});
}

int show(const Options& options) {
  policy::LocalPolicy local;
  if (!options.local.empty()) {
    auto read = read_local_policy(options.local);
    if (!read) return refuse(read.error());
    local = std::move(*read);
  }
  const auto access = ledger_access(options.ledger);
  if (!access) return fail(access.error());
  const auto merged = read_policy(*access, std::string(ledger::kPolicyKey));
  if (!merged) return fail(merged.error());
  const auto layers = read_policy(*access, std::string(ledger::kLayersKey));
  if (!layers) return fail(layers.error());
  JsonValue out = JsonValue::object({{"in_force", *merged}, {"layers", *layers}});
  if (!options.local.empty()) out.set("with_local", tightened_json(*merged, local));
  fmt::print("{}\n", options.ledger.json ? out.dump() : out.dump_pretty());
  return kExitOk;
}

void print_difference(const std::string& name, const JsonValue& before, const JsonValue& after) {
  if (before.dump() == after.dump()) return;
  const auto *olds = before.array(), *news = after.array();
  if (!olds || !news) {
    fmt::print("{}: {} -> {}\n", name, before.dump(), after.dump());
    return;
  }
  std::set<std::string> had, has;
  for (const JsonValue& each : *olds) had.insert(each.dump());
  for (const JsonValue& each : *news) has.insert(each.dump());
  for (const std::string& each : had) {
    if (!has.contains(each)) fmt::print("{}: - {}\n", name, each);
  }
  for (const std::string& each : has) {
    if (!had.contains(each)) fmt::print("{}: + {}\n", name, each);
  }
}

int diff(const Options& options) {
  const auto access = ledger_access(options.ledger);
  if (!access) return fail(access.error());
  const auto before = read_policy(*access, std::to_string(options.from));
  if (!before) return fail(before.error());
  const auto after = read_policy(
      *access, options.to > 0 ? std::to_string(options.to) : std::string(ledger::kPolicyKey));
  if (!after) return fail(after.error());
  if (options.ledger.json) {
    fmt::print("{}\n", JsonValue::object({{"from", *before}, {"to", *after}}).dump());
    return kExitOk;
  }
  for (const auto& [name, value] : *before->members()) {
    print_difference(name, value, (*after)[name]);
  }
  return kExitOk;
}

std::vector<std::string> kinds() {
  std::vector<std::string> out;
  for (unsigned i = 1; i < 256; ++i) {
    const auto name = ledger::name(static_cast<ProposalKind>(i));
    if (!name.empty()) out.emplace_back(name);
  }
  return out;
}

std::optional<ProposalKind> kind_from(const std::string& text) {
  for (unsigned i = 1; i < 256; ++i) {
    const auto kind = static_cast<ProposalKind>(i);
    if (!text.empty() && ledger::name(kind) == text) return kind;
  }
  return std::nullopt;
}

int propose(const Options& options) {
  const auto kind = kind_from(options.kind);
  if (!kind) return refuse("no kind " + options.kind + suggestion(options.kind, kinds()));
  if (options.example) {
    fmt::print("{}\n", change_example(*kind).dump_pretty());
    return kExitOk;
  }
  const auto text = text_argument(options.change);
  if (!text) return refuse(options.change.substr(1) + " cannot be read");
  const auto json = parse_json(*text);
  auto change = json ? change_from_json(*kind, *json) : std::nullopt;
  if (!change)
    return refuse("the change is not that of " + options.kind + "; --example prints one");
  ledger::Propose body;
  body.kind = *kind;
  body.change = std::move(*change);
  return send_and_tell(options.ledger, ledger::TxKind::propose, body.encode());
}

std::optional<ledger::ProposalId> proposal_from(const Options& options) {
  return fixed_from_hex<32>(options.proposal);
}

int vote(const Options& options) {
  const auto proposal = proposal_from(options);
  if (!proposal) return refuse(options.proposal + " is no proposal: 64 hex digits");
  if (options.choice != "yes" && options.choice != "no") {
    return refuse("vote yes or no, not " + options.choice);
  }
  ledger::Vote body;
  body.proposal = *proposal;
  body.yes = options.choice == "yes";
  return send_and_tell(options.ledger, ledger::TxKind::vote, body.encode());
}

int approve(const Options& options) {
  const auto proposal = proposal_from(options);
  if (!proposal) return refuse(options.proposal + " is no proposal: 64 hex digits");
  ledger::ReleaseApprove body;
  body.proposal = *proposal;
  return send_and_tell(options.ledger, ledger::TxKind::release_approve, body.encode());
}

int pause(const Options& options) {
  ledger::PauseFormat body;
  body.format = options.format;
  return send_and_tell(options.ledger, ledger::TxKind::emergency_pause, body.encode());
}

}  // namespace

Command add_policy(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("policy", "the network's rules and how they change");
  app->require_subcommand(1);
  auto* shown = app->add_subcommand("show", "the rules in force and the layers they come from");
  shown->add_option("--local", options->local, "also what is left under your own policy.toml");
  auto* compared = app->add_subcommand("diff", "what changed between two versions");
  compared->add_option("from", options->from, "the older version")->required();
  compared->add_option("to", options->to, "the newer version (default: the one in force)");
  auto* proposed = app->add_subcommand("propose", "propose a change");
  proposed->add_option("kind", options->kind, "such as restriction, lift, params, add_release")
      ->required();
  proposed->add_option("change", options->change, "the change: JSON, or @FILE");
  proposed->add_flag("--example", options->example, "print an empty change and do nothing");
  auto* voted = app->add_subcommand("vote", "vote on a proposal with one's stake");
  voted->add_option("proposal", options->proposal, "its id")->required();
  voted->add_option("choice", options->choice, "yes or no")->required();
  auto* approved = app->add_subcommand("approve", "approve a release with a release key");
  approved->add_option("proposal", options->proposal, "its id")->required();
  auto* paused =
      app->add_subcommand("pause", "stop a kind of platform for a while, by a release key");
  paused->add_option("format", options->format, "its number: 1 TDX, 2 SGX, 3 SEV-SNP, …")
      ->required();
  for (auto* each : {shown, compared}) add_ledger_options(*each, options->ledger, false);
  for (auto* each : {proposed, voted, approved, paused}) {
    add_ledger_options(*each, options->ledger, true);
  }
  return {app, [=] {
            if (shown->parsed()) return show(*options);
            if (compared->parsed()) return diff(*options);
            if (proposed->parsed()) return propose(*options);
            if (voted->parsed()) return vote(*options);
            return approved->parsed() ? approve(*options) : pause(*options);
          }};
}

}  // namespace cloister::cli
