// Files of the simulated vendors: keys, certificates, and everything that collateral is made of.
#pragma once

#include <map>

#include "base/files.h"

namespace cloister::evidence::sim {

using Files = std::map<std::string, Buffer>;  // name -> content

// Every file readable by its owner only, in a folder that is made for them. False: the disk
// refused.
[[nodiscard]] bool write_private_files(const std::filesystem::path& folder, const Files& files);

// Nothing when the file is absent, or larger than any of a simulated vendor.
std::optional<Buffer> read_private_file(const std::filesystem::path& path);

}  // namespace cloister::evidence::sim
