#include "cli/command.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/files.h"

namespace cloister::cli {
namespace {

constexpr size_t kMaxArgumentBytes = 1 << 20;

}  // namespace

int unusable(std::string_view command, std::string_view message) {
  fmt::print(stderr, "cloister: {}\nTry `cloister {} --help`.\n", message, command);
  return kExitUsage;
}

std::optional<std::string> text_argument(const std::string& argument) {
  if (!argument.starts_with('@')) return argument;
  const auto content = read_file(argument.substr(1), kMaxArgumentBytes);
  if (!content) return std::nullopt;
  return std::string(as_text(*content));
}

}  // namespace cloister::cli
