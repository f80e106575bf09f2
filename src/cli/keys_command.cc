// `cloister keys new|show FILE`: account keys.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/daemons.h"
#include "cli/key_file.h"

namespace cloister::cli {
namespace {

struct Options {
  std::string path;
  bool json = false;
};

int print_account(const crypto::Ed25519Key& key, const Options& options) {
  auto account = to_hex(key.public_key());
  if (options.json) {
    fmt::print("{}\n", JsonValue::object({{"account", account}, {"file", options.path}}).dump());
  } else {
    fmt::print("{}\n", account);
  }
  return kExitOk;
}

int run_new(const Options& options) {
  if (std::filesystem::exists(options.path)) {
    return fail(options.path + " exists already; a key is never replaced");
  }
  SystemRandom random;
  auto key = make_key_file(options.path, random);
  if (!key) return fail(options.path + " cannot be written");
  return print_account(*key, options);
}

int run_show(const Options& options) {
  auto key = read_key_file(options.path);
  if (!key) return fail(options.path + " is not a key file");
  return print_account(*key, options);
}

}  // namespace

Command add_keys(CLI::App& program) {
  auto options = std::make_shared<Options>();
  auto app = program.add_subcommand("keys", "make and show account keys");
  app->require_subcommand(1);
  auto make = app->add_subcommand("new", "make a key and print its account");
  auto show = app->add_subcommand("show", "print the account of a key");
  for (auto* command : {make, show}) {
    command->add_option("file", options->path, "the key file")->required();
    command->add_flag("--json", options->json, "print one JSON object");
  }
  return {app, [options, make] { return make->parsed() ? run_new(*options) : run_show(*options); }};
}

}  // namespace cloister::cli
