// cloister: one program, one subcommand for each role. Exit codes: command.h.
#include <fmt/core.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/nearest.h"

namespace cloister::cli {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
}

// To the library a group of options is a command without a name.
std::vector<const CLI::App*> option_groups(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App* each) { return each->get_name().empty(); });
}

std::vector<std::string> command_names(const CLI::App& program) {
  std::vector<std::string> out;
  for (const CLI::App* command : commands_of(program)) out.push_back(command->get_name());
  return out;
}

// The subcommand that the leading words name, however deep; the program itself when none.
const CLI::App* command_named(const CLI::App& program, const std::vector<std::string>& words) {
  const CLI::App* found = &program;
  for (const std::string& word : words) {
    const auto below = commands_of(*found);
    const auto next =
        std::ranges::find(below, word, [](const CLI::App* c) { return c->get_name(); });
    if (next == below.end()) break;
    found = *next;
  }
  return found;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? "cloister" : full_name(*parent) + " " + command.get_name();
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  for (const CLI::App* group : option_groups(command)) {
    for (std::string& name : option_names(*group)) out.push_back(std::move(name));
  }
  return out;
}

// A word that names nothing, with the name that was probably meant. The parser's own complaint is
// often about what is missing because of it.
std::optional<std::string> unknown_name(const CLI::App& program,
                                        const std::vector<std::string>& words) {
  const CLI::App* command = command_named(program, words);
  const auto below = command_names(*command);
  if (!below.empty()) {
    const auto extra = std::ranges::find_if(words, [&](const std::string& word) {
      return !word.starts_with('-') && full_name(*command).find(" " + word) == std::string::npos;
    });
    if (extra != words.end()) return "no command " + *extra + suggestion(*extra, below);
  }
  const auto options = option_names(*command);
  for (const std::string& word : words) {
    const std::string flag = word.substr(0, word.find('='));
    if (!flag.starts_with("--") || flag == "--") continue;
    if (std::find(options.begin(), options.end(), flag) != options.end()) continue;
    return "no option " + flag + suggestion(flag, options);
  }
  return std::nullopt;
}

int explain(const CLI::App& program, const CLI::ParseError& error,
            const std::vector<std::string>& words) {
  fmt::print(stderr, "cloister: {}\nTry `{} --help`.\n",
             unknown_name(program, words).value_or(error.what()),
             full_name(*command_named(program, words)));
  return kExitUsage;
}

int run(int argc, const char* const* argv) {
  CLI::App program("Private AI on machines of others: attested, sealed, accounted for.");
  program.name("cloister");
  program.set_version_flag("--version", "cloister " CLOISTER_VERSION);
  program.require_subcommand(1);
  const Command commands[] = {add_up(program),         add_ask(program),
                              add_verify(program),     add_verify_receipt(program),
                              add_collateral(program), add_collect(program),
                              add_doctor(program),     add_keys(program),
                              add_tx(program),         add_query(program),
                              add_policy(program),     add_light(program),
                              add_watch(program),      add_genesis(program),
                              add_sim(program),        add_ledger(program),
                              add_validator(program),  add_testnet(program),
                              add_node(program),       add_gateway(program),
                              add_blob(program),       add_page(program)};
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return explain(program, error, std::vector<std::string>(argv + 1, argv + argc));
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return kExitUsage;
}

}  // namespace
}  // namespace cloister::cli

int main(int argc, char** argv) {
  return cloister::cli::run(argc, argv);
}
