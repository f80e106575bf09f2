#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace cloister {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool close_now() {
    int fd = fd_;
    fd_ = -1;
    return close(fd) == 0;
  }

 private:
  int fd_;
};

bool write_all(int fd, Bytes content) {
  while (!content.empty()) {
    ssize_t wrote = write(fd, content.data(), content.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    content = content.subspan(static_cast<size_t>(wrote));
  }
  return true;
}

void sync_directory(const std::filesystem::path& directory) {
  Descriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) fsync(fd.get());  // best effort: the rename itself is already atomic
}

}  // namespace

std::string_view describe(FileError error) {
  switch (error) {
    case FileError::not_found:
      return "the file does not exist";
    case FileError::not_readable:
      return "the file cannot be read";
    case FileError::too_large:
      return "the file is larger than allowed";
    case FileError::not_writable:
      return "the file cannot be written";
  }
  std::abort();
}

std::expected<Buffer, FileError> read_file(const std::filesystem::path& path, size_t max_bytes) {
  Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    return std::unexpected(errno == ENOENT ? FileError::not_found : FileError::not_readable);
  }
  Buffer out;
  uint8_t block[64 * 1024];
  for (;;) {
    ssize_t got = read(fd.get(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(FileError::not_readable);
    if (got == 0) return out;
    if (out.size() + static_cast<size_t>(got) > max_bytes) {
      return std::unexpected(FileError::too_large);
    }
    out.insert(out.end(), block, block + got);
  }
}

std::expected<void, FileError> write_file(const std::filesystem::path& path, Bytes content,
                                          FileMode mode) {
  std::string temporary = path.string() + ".XXXXXX";
  mode_t before = umask(077);  // mkstemp's 0600 is the start for both modes
  Descriptor fd(mkostemp(temporary.data(), O_CLOEXEC));
  umask(before);
  if (fd.get() < 0) return std::unexpected(FileError::not_writable);
  bool good = write_all(fd.get(), content);
  if (good && mode == FileMode::shared) good = fchmod(fd.get(), 0644) == 0;
  good = good && fsync(fd.get()) == 0;
  good = fd.close_now() && good;
  good = good && rename(temporary.c_str(), path.c_str()) == 0;
  if (!good) {
    unlink(temporary.c_str());
    return std::unexpected(FileError::not_writable);
  }
  sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  return {};
}

std::filesystem::path cache_folder() {
  if (const char* cache = std::getenv("CLOISTER_CACHE")) return cache;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"))
    return std::filesystem::path(cache) / "cloister";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home ? home : "") / ".cache" / "cloister";
}

}  // namespace cloister
