// A folder of a test's own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace cloister {

// Removed, with what is in it, together with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    // Thousands of databases are opened: in memory where the system offers it.
    std::filesystem::path base = "/dev/shm";
    std::error_code absent;
    if (!std::filesystem::is_directory(base, absent)) base = std::filesystem::temp_directory_path();
    std::string pattern = (base / "cloister-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;  // a leftover of a test harms nobody
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace cloister
