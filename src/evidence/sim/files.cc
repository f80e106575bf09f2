#include "evidence/sim/files.h"

namespace cloister::evidence::sim {
namespace {

constexpr size_t kMaxFileBytes = 64 * 1024;

}  // namespace

bool write_private_files(const std::filesystem::path& folder, const Files& files) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return false;
  for (const auto& [name, content] : files) {
    if (!write_file(folder / name, content, FileMode::secret)) return false;
  }
  return true;
}

std::optional<Buffer> read_private_file(const std::filesystem::path& path) {
  auto content = read_file(path, kMaxFileBytes);
  if (!content) return std::nullopt;
  return std::move(*content);
}

}  // namespace cloister::evidence::sim
