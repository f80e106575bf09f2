// Files of the simulated vendors: keys that only their owner may read, and everything that collateral
// is made of.
#pragma once

#include <filesystem>
#include <map>

#include "base/bytes.h"

namespace cloister::evidence::sim {

using Files = std::map<std::string, Buffer>;  // name -> content

// Writes every file with mode 0600 into `folder`, which is made with mode 0700. False: the disk refused.
[[nodiscard]] bool write_private_files(const std::filesystem::path& folder, const Files& files);

// Nothing when the file is absent or larger than any that write_private_files is given here (64 KiB).
std::optional<Buffer> read_private_file(const std::filesystem::path& path);

}  // namespace cloister::evidence::sim
