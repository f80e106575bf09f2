// The program that orders blocks: CometBFT, one pinned version of it (41-consensus, section 1).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace cloister::chain::comet {

constexpr std::string_view kVersion = "v0.38.25";

// $CLOISTER_COMETBFT, or what scripts/fetch_cometbft built; nothing when there is none.
std::optional<std::filesystem::path> find_program();

// What to tell somebody who needs it.
constexpr std::string_view kMissing =
    "CometBFT is not built: it needs Go 1.22 or newer, then `scripts/fetch_cometbft`";

}  // namespace cloister::chain::comet
