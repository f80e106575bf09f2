// How subcommands reach a ledger: through the light client, with a genesis that the user has.
#pragma once

#include <CLI/CLI.hpp>
#include <expected>
#include <functional>

#include "cli/toml_file.h"
#include "ledger/types/genesis.h"
#include "ledger/types/session.h"
#include "light/client.h"
#include "payload/payload.h"

namespace cloister::cli {

// Left empty, each is what `cloister up` left for the network that it runs.
struct LedgerOptions {
  std::string genesis;
  std::vector<std::string> rpc;  // host:port; the first is asked, the others are its witnesses
  std::string key;
  bool json = false;
};
void add_ledger_options(CLI::App& command, LedgerOptions& options, bool with_key);

struct LedgerAccess {
  ledger::Genesis genesis;
  std::vector<light::EndpointAddress> endpoints;
  std::string key_file;
};

// The errors are sentences for the user.
std::expected<LedgerAccess, std::string> ledger_access(const LedgerOptions& options);
std::expected<light::ProvenValue, std::string> read_ledger(const LedgerAccess& access,
                                                           ledger::Family family, Buffer key);
// The newest block, verified from `root` or from the genesis' validators and compared between all
// endpoints; what each endpoint turned out to be, also when there is no such block.
struct LedgerView {
  std::expected<light::TrustRoot, light::LightError> newest =
      std::unexpected(light::LightError::not_yet);
  std::vector<light::EndpointReport> endpoints;
};
std::expected<LedgerView, std::string> view_ledger(const LedgerAccess& access,
                                                   std::optional<light::TrustRoot> root);
// Hands over each session that a block from now on says it touched, as it is proven after that
// block, until `see` returns false. With `only`: that one, beginning with what it is now.
using SeeSession = std::function<bool(const ledger::Session& session, int64_t height)>;
std::expected<void, std::string> watch_sessions(const LedgerAccess& access,
                                                std::optional<ledger::SessionId> only,
                                                const SeeSession& see);
// Signs with the access's key and waits until the outcome is proven.
std::expected<light::TxOutcomeProof, std::string> send_to_ledger(const LedgerAccess& access,
                                                                 ledger::TxKind kind, Buffer body);
// As above, and says on the terminal what came of it. Returns the exit code.
int send_and_tell(const LedgerOptions& options, ledger::TxKind kind, Buffer body);

// "host:port" of a blob server, which a configuration may leave out.
std::optional<payload::Store> blob_store(TomlFile& file, const std::string& key);
// A list of "host:port" in a configuration, at least one.
std::vector<light::EndpointAddress> ledger_endpoints(TomlFile& file, const std::string& key);

}  // namespace cloister::cli
