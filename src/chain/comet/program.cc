#include "chain/comet/program.h"

#include <cstdlib>

#include "base/files.h"

namespace cloister::chain::comet {

std::optional<std::filesystem::path> find_program() {
  const char* named = std::getenv("CLOISTER_COMETBFT");
  const std::filesystem::path path =
      named ? std::filesystem::path(named) : cache_folder() / "cometbft" / kVersion / "cometbft";
  std::error_code absent;
  if (!std::filesystem::is_regular_file(path, absent)) return std::nullopt;
  return path;
}

}  // namespace cloister::chain::comet
