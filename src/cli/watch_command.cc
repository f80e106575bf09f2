// `cloister watch`: one's own sessions and jobs as they move on, each state proven.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/key_file.h"
#include "cli/ledger_access.h"
#include "cli/ledger_records.h"

namespace cloister::cli {
namespace {

struct Options {
  LedgerOptions ledger;
  std::string session;
};

bool has_ended(const ledger::Session& session) {
  return session.state == ledger::SessionState::closed ||
         session.state == ledger::SessionState::refunded;
}

void tell(const ledger::Session& session, int64_t height, bool json) {
  if (json) {
    JsonValue out = JsonValue::object({{"height", height}, {"session", session.to_json()}});
    fmt::print("{}\n", out.dump());
  } else {
    fmt::print("{:>8}  {} {:<10} {} of {} units, {} paid, {} locked{}\n", height,
               to_hex(session.id), ledger::name(session.state), session.cumulative_units,
               session.max_units, session.paid_micro, session.escrow_micro,
               session.on_ledger ? ", a job" : "");
  }
  std::fflush(stdout);
}

int run(const Options& options) {
  std::optional<ledger::SessionId> wanted;
  if (!options.session.empty()) {
    wanted = fixed_from_hex<32>(options.session);
    if (!wanted) return unusable("watch", options.session + " is no session: 64 hex digits");
  }
  const auto access = ledger_access(options.ledger);
  if (!access) return fail(access.error());
  std::optional<ledger::AccountId> user;
  if (!wanted) {
    if (access->key_file.empty()) return unusable("watch", "say --key or --session");
    const auto key = read_key_file(access->key_file);
    if (!key) return fail(access->key_file + " is not a key file");
    user = key->public_key();
  }
  const auto watched =
      watch_sessions(*access, wanted, [&](const ledger::Session& session, int64_t height) {
        if (user && session.user != *user) return true;
        tell(session, height, options.ledger.json);
        return !wanted || !has_ended(session);
      });
  return watched ? kExitOk : fail(watched.error());
}

}  // namespace

Command add_watch(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand(
      "watch", "follow one's own sessions and jobs, or one of them until it has ended");
  app->add_option("--session", options->session, "only this one; ends when it has ended");
  add_ledger_options(*app, options->ledger, true);
  return {app, [options] { return run(*options); }};
}

}  // namespace cloister::cli
