#include "evidence/sim/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace cloister::evidence::sim {
namespace {

constexpr uintmax_t kMaxFileBytes = 64 * 1024;

bool write_all(int fd, Bytes content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written <= 0) return false;
    content = content.subspan(static_cast<size_t>(written));
  }
  return true;
}

// Whole or not at all: a crash must not leave half a key where a whole one is expected.
bool write_private_file(const std::filesystem::path& path, Bytes content) {
  std::filesystem::path unfinished = path;
  unfinished += ".new";
  const int fd = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = ::fchmod(fd, 0600) == 0 && write_all(fd, content);
  const bool closed = ::close(fd) == 0;
  return written && closed && ::rename(unfinished.c_str(), path.c_str()) == 0;
}

}  // namespace

bool write_private_files(const std::filesystem::path& folder, const Files& files) {
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) ::chmod(folder.c_str(), 0700);
  if (error) return false;
  for (const auto& [name, content] : files) {
    if (!write_private_file(folder / name, content)) return false;
  }
  return true;
}

std::optional<Buffer> read_private_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error || size > kMaxFileBytes) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  Buffer content(static_cast<size_t>(size));
  in.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(content.size()));
  if (!in || in.peek() != std::ifstream::traits_type::eof()) return std::nullopt;
  return content;
}

}  // namespace cloister::evidence::sim
